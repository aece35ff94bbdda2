"""docs/trust.md is the specification of outcomes; every row of its truth table is a test."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from testamur.registry.verification import decide
from testamur.registry.verification.policy import Policy
from testamur.registry.verification.status_change import NEVER
from testamur.registry.verification.verdict import CheckResult, CredentialStatus, Outcome, StatusSpan, Step

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
POLICIES = {
    "default": Policy(),
    "chain only": Policy(require_witnesses=False),
    "witnesses only": Policy(require_anchor=False),
}
EVIDENCE_AT = {
    "fresh": NOW - timedelta(days=1),
    "stale": NOW - timedelta(days=31),
    "final": NOW - timedelta(days=4000),
}
DATE_WORDS = {CredentialStatus.EXPIRED, CredentialStatus.NOT_YET_VALID}
LIST_WORDS = {CredentialStatus.REVOKED, CredentialStatus.SUSPENDED}


def rows():
    text = (Path(__file__).parents[4] / "docs" / "trust.md").read_text(encoding="utf-8")
    table = text.split("| checks | policy |")[1].split("\n\n")[0].splitlines()[2:]
    for line in table:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def results_of(cell):
    results = dict.fromkeys(Step, CheckResult.PASS)
    results[Step.HOLDER_BINDING] = CheckResult.SKIPPED
    if "others unknown" in cell:
        results = dict.fromkeys(results, CheckResult.UNKNOWN)
    for number, word in re.findall(r"(\d+) (fail|unknown)", cell):
        results[Step(int(number))] = CheckResult(word)
    return results


def test_the_table_covers_every_step_and_every_kind_of_failure():
    failing = {number for row in rows() for number in re.findall(r"(\d+) fail", row[0])}
    assert failing == {str(number) for number in range(1, 12)}
    assert len(list(rows())) >= 25


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: " / ".join(row[:3]))
def test_a_row_of_the_truth_table_is_what_the_code_decides(row):
    checks, policy_name, age, status_cell, issued_cell, now_cell = row
    policy, results, word = POLICIES[policy_name], results_of(checks), CredentialStatus(status_cell)
    status_step = results[Step.STATUS]
    in_lists = {CheckResult.PASS: CredentialStatus.ACTIVE, CheckResult.UNKNOWN: CredentialStatus.UNKNOWN}.get(
        status_step, word
    )
    moments = decide.Moments(
        entry_at=NOW - timedelta(days=10),
        evidence_at=EVIDENCE_AT[age],
        valid_from=None,
        valid_until=None,
        list_status=in_lists,
        final=age == "final",
    )
    now = decide.at_now(results, policy, moments, NOW)
    outside = word if word in DATE_WORDS else None

    assert decide.when_issued(results, policy) == Outcome(issued_cell)
    assert now == Outcome(now_cell)
    assert decide.status_word(in_lists, outside, now) == word


def moments(**changes):
    values = {
        "entry_at": NOW - timedelta(days=100),
        "evidence_at": NOW - timedelta(days=1),
        "valid_from": NOW - timedelta(days=100),
        "valid_until": None,
        "list_status": CredentialStatus.ACTIVE,
        "final": False,
    }
    return decide.Moments(**{**values, **changes})


ALL_PASS = results_of("none")
UNEXPLAINED = (StatusSpan(purpose="suspension", value=False, since=NEVER),)
UNEXPLAINED_REVOCATION = (StatusSpan(purpose="revocation", value=True, since=NEVER),)


@pytest.mark.parametrize(
    ("days_ago", "changes", "expected"),
    [
        (50, {}, (Outcome.VALID, CredentialStatus.ACTIVE)),
        (150, {}, (Outcome.INVALID, CredentialStatus.NOT_YET_VALID)),
        (150, {"valid_from": None}, (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)),
        (50, {"spans": UNEXPLAINED}, (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)),
        (0.5, {"spans": UNEXPLAINED}, (Outcome.VALID, CredentialStatus.ACTIVE)),
        (50, {"valid_until": NOW - timedelta(days=60)}, (Outcome.INVALID, CredentialStatus.EXPIRED)),
        (50, {"valid_until": NOW - timedelta(days=10)}, (Outcome.VALID, CredentialStatus.ACTIVE)),
        (50, {"entry_at": None}, (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)),
        (0, {"evidence_at": NOW - timedelta(days=60)}, (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)),
        (
            0,
            {"evidence_at": NOW - timedelta(days=60), "final": True},
            (Outcome.VALID, CredentialStatus.ACTIVE),
        ),
    ],
)
def test_a_moment_in_the_past_is_answered_only_as_far_as_evidence_reaches(days_ago, changes, expected):
    asked = NOW - timedelta(days=days_ago)
    assert decide.at_moment(ALL_PASS, Policy(), moments(**changes), asked) == expected


def test_a_revocation_is_said_of_moments_after_the_evidence_and_not_of_earlier_ones_once_the_list_changed():
    revoked = {**ALL_PASS, Step.STATUS: CheckResult.FAIL}
    seen = moments(list_status=CredentialStatus.REVOKED, spans=UNEXPLAINED_REVOCATION)
    assert decide.at_moment(revoked, Policy(), seen, NOW) == (Outcome.INVALID, CredentialStatus.REVOKED)
    early = decide.at_moment(revoked, Policy(), seen, NOW - timedelta(days=50))
    assert early == (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)


def test_a_policy_that_wants_neither_road_is_refused():
    with pytest.raises(ValueError, match="anchor, the witnesses, or both"):
        Policy(require_anchor=False, require_witnesses=False)
