"""What an older file proves of the past survives every refresh; what it does not prove is not kept."""

import copy
from datetime import timedelta

import pytest

from fakes.holding_evidence import TRUST, EvidenceHolder
from fakes.status_life import OWN, StatusLife
from fakes.whole_registry import World, judge
from testamur.registry.canonical import canonicalize
from testamur.registry.earlier_evidence import keep_earlier
from testamur.registry.errors import MalformedError
from testamur.registry.evidence import MAX_EARLIER, parse_evidence
from testamur.registry.verification import Outcome
from testamur.registry.verification.verdict import CheckResult, CredentialStatus, Step

DAY = timedelta(days=1)
CLASSMATE = 8
ACTIVE = (Outcome.VALID, CredentialStatus.ACTIVE)
UNKNOWN = (Outcome.INDETERMINATE, CredentialStatus.UNKNOWN)
SUSPENDED = (Outcome.INVALID, CredentialStatus.SUSPENDED)
REVOKED = (Outcome.INVALID, CredentialStatus.REVOKED)


def passing(life, span=DAY):
    """Time goes by, and at its end what was stated is anchored."""
    life.tick(int(span.total_seconds()))
    life.anchor()
    return life.captured_at


def said(holder, moment, evidence=None):
    verdict = holder.as_of(moment, evidence)
    return verdict.at, verdict.credential_status


@pytest.fixture
def life():
    return StatusLife()


def test_what_was_active_stays_so_when_a_classmate_is_suspended(life):
    holder = EvidenceHolder(life)
    proven = holder.at
    life.tick()
    life.change("suspension", CLASSMATE, True)
    passing(life)
    alone = life.evidence()
    holder.refresh()
    assert said(holder, proven, alone) == UNKNOWN
    assert said(holder, proven) == ACTIVE
    assert said(holder, holder.at) == ACTIVE
    # Between the two the list was changed, and whether this bit was set and cleared again nothing says.
    assert said(holder, proven + timedelta(hours=1)) == UNKNOWN
    (shown,) = holder.as_of(proven).check(Step.ANCHORED).facts["earlier"]
    assert shown["statement"] == 1


def test_between_two_proofs_of_one_version_every_moment_is_answered(life):
    life.change("suspension", CLASSMATE, True)
    first = passing(life)
    holder = EvidenceHolder(life)
    last = passing(life)
    holder.refresh()
    assert said(holder, first + (last - first) / 2) == ACTIVE
    assert said(holder, first - timedelta(hours=1)) == UNKNOWN


def test_a_suspension_that_is_over_is_still_shown_for_its_time(life):
    life.change("suspension", OWN, True)
    during = passing(life)
    holder = EvidenceHolder(life)
    holder.refresh(life.records)
    life.tick()
    life.change("suspension", OWN, False, reason="cleared")
    after = passing(life)
    holder.refresh(life.records)
    assert said(holder, during) == said(holder, during - timedelta(hours=1)) == SUSPENDED
    assert said(holder, after) == ACTIVE


def test_an_unexplained_revocation_takes_away_nothing_that_was_proven_and_is_told(life):
    holder = EvidenceHolder(life)
    proven = holder.at
    life.tick()
    life.change("revocation", OWN, True)
    revoked = passing(life)
    holder.refresh()
    verdict = holder.as_of(proven)
    assert (verdict.at, verdict.now) == (Outcome.VALID, Outcome.INVALID)
    assert any("its record" not in note and "the record" in note for note in verdict.notes)
    later = passing(life)
    holder.refresh()
    assert said(holder, proven) == ACTIVE
    # It was set at the one, and never clears.
    assert said(holder, revoked + (later - revoked) / 2) == REVOKED


def test_a_record_that_reaches_back_outranks_what_was_proven_before_it(life):
    holder = EvidenceHolder(life)
    proven = holder.at
    life.tick()
    life.change("revocation", OWN, True, reason="fraud", effective=proven - timedelta(seconds=5))
    passing(life)
    holder.refresh(life.records)
    assert said(holder, proven) == REVOKED


def test_a_statement_that_says_it_is_older_than_it_is_reaches_no_further_back(life):
    holder = EvidenceHolder(life)
    passing(life)
    proven = holder.refresh() and holder.at
    now, life.now = life.now, life.now - timedelta(hours=3)
    life.change("revocation", OWN, True, reason="withdrawn")
    life.now = now + timedelta(seconds=5)
    passing(life)
    assert said(holder, proven) == ACTIVE
    holder.refresh(life.records)
    assert said(holder, proven - timedelta(seconds=1)) == ACTIVE
    assert said(holder, holder.at) == REVOKED


def test_nothing_is_kept_that_the_newer_evidence_says_itself(life):
    holder = EvidenceHolder(life)
    life.change("revocation", CLASSMATE, True)
    for _ in range(3):
        passing(life)
        holder.refresh()
        assert holder.earlier == []


def test_the_time_of_the_entry_never_becomes_later_and_costs_one_record(life):
    holder = EvidenceHolder(life)
    first = holder.as_of(life.now).anchored.entry_at
    for _ in range(6):
        passing(life)
        alone = life.evidence()
        holder.refresh()
        assert holder.as_of(life.now).anchored.entry_at == first
    assert holder.as_of(life.now, alone).anchored.entry_at > first
    newest, dating = holder.evidence["anchors"]
    assert len(dating["slots"]) == len(dating["history"]) == 1 < len(newest["slots"])
    # Once more with nothing new: the same file to the letter.
    assert holder.refresh() == copy.deepcopy(holder.evidence)


def test_the_file_is_bounded_and_the_first_of_a_list_is_kept_longest(life):
    holder = EvidenceHolder(life)
    first = holder.at
    for number in range(MAX_EARLIER + 4):
        life.change("suspension", CLASSMATE, number % 2 == 0)
        passing(life)
        before = holder.at
        holder.refresh()
        assert said(holder, first) == said(holder, before) == ACTIVE
    assert len(holder.earlier) == MAX_EARLIER
    times = [one["at"] for one in holder.as_of(first).check(Step.ANCHORED).facts["earlier"]]
    assert times == sorted(times, reverse=True)


def test_what_is_no_evidence_or_another_entrys_has_nothing_to_keep(life):
    evidence = life.evidence()
    for kept in (None, 7, {}, {"type": "TestamurEvidence"}, {"earlier": [1]}, World().evidence()):
        assert keep_earlier(evidence, kept, life.credential) == evidence
    assert keep_earlier("no evidence", evidence, life.credential) == "no evidence"


# ------------------------------------------------------------------------------------------- lies about the past


@pytest.fixture
def refreshed(life):
    """(holder, a moment that the earlier evidence alone answers)"""
    holder = EvidenceHolder(life)
    proven = holder.at
    life.tick()
    life.change("suspension", CLASSMATE, True)
    passing(life)
    holder.refresh()
    holder.evidence = copy.deepcopy(holder.evidence)
    return holder, proven


def log_of(evidence):
    (log,) = evidence["logs"].values()
    return log


def other_list(earlier):
    log_of(earlier)["status"][0]["path"]["index"] ^= 1


def altered_statement(earlier):
    log_of(earlier)["statement"]["sequence"] = 2


def other_anchor(earlier):
    earlier["anchors"][0]["nodes"].pop()


def other_digest(earlier):
    earlier["entries"][0]["digest"] = "u" + "A" * 43


@pytest.mark.parametrize(
    ("lie", "step"), [(other_list, 9), (altered_statement, 5), (other_anchor, 6), (other_digest, 4)]
)
def test_earlier_evidence_that_is_false_spoils_the_file(refreshed, lie, step):
    holder, proven = refreshed
    lie(holder.evidence["earlier"][0])
    verdict = holder.as_of(proven)
    check = verdict.check(Step.ANCHORED)
    assert (check.result, check.reason) == (CheckResult.FAIL, "earlier-evidence-false")
    assert check.parameters["step"] == step
    assert verdict.now == Outcome.INVALID


def test_earlier_evidence_that_is_not_final_counts_for_nothing(refreshed):
    holder, proven = refreshed
    holder.evidence["earlier"][0]["anchors"][0]["finality"] = []
    assert said(holder, proven) == UNKNOWN
    assert said(holder, holder.at) == ACTIVE


def test_the_order_of_earlier_evidence_says_nothing(life):
    holder = EvidenceHolder(life)
    moments = [holder.at]
    for number in range(3):
        life.change("suspension", CLASSMATE, number % 2 == 0)
        moments.append(passing(life))
        holder.refresh()
    backwards = {**holder.evidence, "earlier": holder.earlier[::-1]}
    assert [said(holder, moment, backwards) for moment in moments] == [ACTIVE] * 4


def test_evidence_of_the_same_digest_at_another_place_is_not_earlier_evidence(refreshed):
    holder, proven = refreshed
    holder.evidence["earlier"] = [StatusLife(others=1).evidence()]
    check = holder.as_of(proven).check(Step.ANCHORED)
    assert (check.reason, check.parameters["problem"]) == ("earlier-evidence-false", "other-entry")


def test_earlier_evidence_has_none_of_its_own(refreshed):
    holder, _ = refreshed
    holder.evidence["earlier"][0]["earlier"] = [holder.evidence["earlier"][0]]
    with pytest.raises(MalformedError, match="/earlier/0/earlier"):
        parse_evidence(holder.evidence)
    with pytest.raises(MalformedError, match="outside 0 to 8"):
        parse_evidence({**holder.evidence, "earlier": [{}] * (MAX_EARLIER + 1)})


def test_a_newer_statement_that_the_callers_own_chain_knows_is_no_news_of_then(refreshed):
    holder, proven = refreshed
    dossier = {"credential": holder.life.credential, "evidence": holder.evidence}
    assert canonicalize(dossier)
    verdict = judge(dossier, trust=TRUST, now=holder.life.now, as_of=proven)
    assert verdict.at == Outcome.VALID
