"""Putting evidence together: what is proven once is never given away for less."""

import pytest

from fakes.whole_registry import World
from testamur.registry.errors import MalformedError
from testamur.registry.evidence_building import is_weaker

ANCHORED, WITNESSED = World().evidence(), World(anchored=False).evidence()


def test_anchored_evidence_is_not_replaced_by_evidence_without_an_anchor():
    assert is_weaker(WITNESSED, ANCHORED)


@pytest.mark.parametrize("kept", [None, WITNESSED, ANCHORED, "not evidence", {"type": "TestamurEvidence"}])
def test_anchored_evidence_replaces_whatever_was_there(kept):
    assert not is_weaker(ANCHORED, kept)


@pytest.mark.parametrize("kept", [None, WITNESSED, 7])
def test_without_an_anchor_to_lose_the_newer_evidence_wins(kept):
    assert not is_weaker(WITNESSED, kept)


def test_what_is_no_evidence_is_refused_before_anything_is_replaced():
    with pytest.raises(MalformedError):
        is_weaker({}, ANCHORED)
