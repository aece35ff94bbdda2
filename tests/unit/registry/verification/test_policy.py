"""Policy files: the documented example is the default, and nothing misspelt is silently without effect."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.verification.policy import DEFAULT_POLICY, parse_policy_file

PAGE = Path(__file__).parents[4] / "docs" / "spec" / "policy.md"
EMPTY = {"type": "TestamurPolicy", "version": 1}


def parsed(**members):
    return parse_policy_file(json.dumps({**EMPTY, **members}).encode())


def test_the_documented_example_is_the_default_and_so_is_an_empty_policy():
    example = PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    assert parse_policy_file(example.encode()) == DEFAULT_POLICY
    assert parsed() == DEFAULT_POLICY


def test_every_member_has_its_effect():
    policy = parsed(requireAnchor=False, strictProfile=True, maxStatusAgeDays=7)
    assert (policy.require_anchor, policy.require_witnesses, policy.strict_profile) == (False, True, True)
    assert policy.max_status_age == timedelta(days=7)


@pytest.mark.parametrize(
    "members",
    [
        {"requireAnchor": False, "requireWitnesses": False},
        {"requireAncor": False},
        {"maxStatusAgeDays": -1},
        {"maxStatusAgeDays": 10**9},
        {"requireAnchor": 0},
        {"version": 2},
        {"type": "Policy"},
    ],
    ids=str,
)
def test_a_policy_that_is_none_is_refused(members):
    with pytest.raises(MalformedError):
        parsed(**members)
