"""Challenges: only ours, only for their domain, only once, and only for ten minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from testamur.node.api.ports import NotReady
from testamur.node.service import challenges
from testamur.node.service.challenges import CHALLENGE_LIFETIME, Challenges
from testamur.registry.errors import VerificationError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOMAIN = "employer.example"


def reason(store, challenge, domain=DOMAIN, now=NOW):
    with pytest.raises(VerificationError) as caught:
        store.take(challenge, domain, now)
    return caught.value.reason


def test_a_challenge_is_good_once():
    store = Challenges()
    challenge, ends = store.give(DOMAIN, NOW)
    assert ends == NOW + CHALLENGE_LIFETIME
    store.take(challenge, DOMAIN, NOW)
    assert reason(store, challenge) == "challenge-used"
    assert reason(store, challenge, now=ends) == "challenge-used"


def test_no_two_are_alike():
    store = Challenges()
    assert len({store.give(DOMAIN, NOW)[0] for _ in range(100)}) == 100


def test_it_is_good_until_it_ends_and_not_longer():
    store = Challenges()
    challenge, ends = store.give(DOMAIN, NOW)
    assert reason(store, challenge, now=ends + timedelta(seconds=1)) == "challenge-expired"
    store.take(challenge, DOMAIN, ends)


def test_it_is_not_for_another_domain_nor_of_another_process():
    store = Challenges()
    challenge, _ = store.give(DOMAIN, NOW)
    assert reason(store, challenge, domain="other.example") == "challenge-unknown"
    assert reason(Challenges(), challenge) == "challenge-unknown"
    store.take(challenge, DOMAIN, NOW)


@pytest.mark.parametrize("place", [1, 20, 30, 54])
def test_one_that_was_altered_is_not_ours(place):
    store = Challenges()
    challenge, _ = store.give(DOMAIN, NOW)
    altered = challenge[:place] + ("A" if challenge[place] != "A" else "Q") + challenge[place + 1 :]
    assert reason(store, altered) == "challenge-unknown"


@pytest.mark.parametrize("text", ["", "u", "x", "uAAAA", "é", "u" + "A" * 54])
def test_what_is_none_at_all_is_not_ours(text):
    assert reason(Challenges(), text) == "challenge-unknown"


def test_only_answers_are_remembered_and_never_more_than_the_bound(monkeypatch):
    monkeypatch.setattr(challenges, "MAX_ANSWERED", 2)
    store = Challenges()
    given = [store.give(DOMAIN, NOW)[0] for _ in range(5)]
    store.take(given[0], DOMAIN, NOW)
    store.take(given[1], DOMAIN, NOW)
    with pytest.raises(NotReady):
        store.take(given[2], DOMAIN, NOW)
    assert reason(store, given[0]) == "challenge-used"
    later = NOW + CHALLENGE_LIFETIME + timedelta(seconds=1)
    store.take(store.give(DOMAIN, later)[0], DOMAIN, later)
