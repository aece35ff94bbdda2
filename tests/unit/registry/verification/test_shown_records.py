"""A holder may show why and since when a status changed; what is shown is proven, or the check fails."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from fakes.whole_registry import LISTS, NOW, World, judge
from testamur.registry.record_proofs import prove_records, renew_record
from testamur.registry.statement_entries import StatusEntry
from testamur.registry.status_records import RecordBatch, StatusRecord, batch_root, records_root
from testamur.registry.verification import Outcome, Step, decide
from testamur.registry.verification.policy import Policy
from testamur.registry.verification.status_change import NEVER, change_of, span_of
from testamur.registry.verification.verdict import CheckResult, CredentialStatus, StatusSpan

REVOCATIONS = LISTS["revocation"]
THEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ALL_PASS = dict.fromkeys(Step, CheckResult.PASS)
REVOKED = {**ALL_PASS, Step.STATUS: CheckResult.FAIL}


def record(index=7, reason="fraud", **changes):
    values = {
        "list_id": REVOCATIONS,
        "index": index,
        "value": True,
        "reason": reason,
        "effective": THEN,
        "note": "The transcript was forged.",
        "salt": bytes(32),
    }
    return StatusRecord(**{**values, **changes})


def revoked(*records, shown=0, index=7):
    """A dossier that is revoked, with one of the records beside its status list."""
    made = World(revoked=(index,), records={REVOCATIONS: list(records)})
    dossier = made.dossier()
    proof = prove_records(records, made.publication.lists[REVOCATIONS].batches)[shown].to_json()
    (log,) = dossier["evidence"]["logs"].values()
    for item in log["status"]:
        if item["entry"]["id"] == REVOCATIONS:
            item["record"] = proof
    return dossier, proof


def test_a_revocation_says_why_and_since_when_only_if_its_holder_shows_it():
    dossier, _ = revoked(record())
    check = judge(dossier).check(Step.STATUS)
    assert (check.reason, check.parameters["why"]) == ("revoked", "fraud")
    assert check.parameters["since"] == "2026-11-20T09:00:00Z"
    plain = judge(World(revoked=(7,), records={REVOCATIONS: [record()]}).dossier())
    assert plain.check(Step.STATUS).parameters == {"statement": 2}
    assert plain.notes == ()


def test_what_counts_from_before_it_was_recorded_is_shown_as_retroactive():
    dossier, _ = revoked(record())
    (note,) = judge(dossier).notes
    assert "retroactively" in note
    assert "The transcript was forged." in note


def test_a_reason_that_may_not_reach_back_counts_from_when_it_was_recorded():
    dossier, _ = revoked(record(reason="withdrawn"))
    check = judge(dossier).check(Step.STATUS)
    # The statement says 08:00; the chain shows that at 08:45 there was no such statement yet.
    assert check.parameters["since"] == check.parameters["recorded"] == "2026-11-21T08:45:00Z"


def test_a_record_that_was_altered_fails_the_check():
    dossier, proof = revoked(record())
    proof["record"]["reason"] = "superseded"
    check = judge(dossier).check(Step.STATUS)
    assert (check.result, check.reason) == (CheckResult.FAIL, "status-record-mismatch")


def test_the_record_of_somebody_else_fails_the_check():
    dossier, _ = revoked(record(8), record(7), shown=0)
    assert judge(dossier).check(Step.STATUS).reason == "status-record-mismatch"


def test_a_record_cannot_make_a_clear_bit_revoked_nor_a_set_one_active():
    dossier, _ = revoked(record(7, value=False))
    verdict = judge(dossier)
    assert verdict.credential_status == CredentialStatus.REVOKED
    assert "why" not in verdict.check(Step.STATUS).parameters
    others, _ = revoked(record(7), index=8)
    assert judge(others).credential_status == CredentialStatus.ACTIVE


def test_freshness_is_part_of_the_answer():
    parameters = judge(World().dossier()).check(Step.STATUS).parameters
    assert parameters["age"] == int(timedelta(hours=2).total_seconds())
    assert parameters["block"] > 0


def span(purpose="revocation", value=True, days_ago=None, before=None):
    since = NEVER if days_ago is None else NOW - timedelta(days=days_ago)
    return StatusSpan(purpose=purpose, value=value, since=since, before=before)


CLEAR = StatusSpan(purpose="suspension", value=False)


@pytest.mark.parametrize(
    ("spans", "status", "days_ago", "expected"),
    [
        ((span(days_ago=10, before=False), CLEAR), "revoked", 20, ("valid", "active")),
        ((span(days_ago=10, before=False), CLEAR), "revoked", 5, ("invalid", "revoked")),
        ((span(days_ago=10), CLEAR), "revoked", 20, ("indeterminate", "unknown")),
        ((span(days_ago=10, before=False), span("suspension", False)), "revoked", 5, ("invalid", "revoked")),
        ((span(days_ago=10, before=False), span("suspension", False)), "revoked", 20, ("indeterminate", "unknown")),
        ((span("suspension", True, 10, before=False),), "suspended", 20, ("valid", "active")),
        ((span("suspension", True, 10, before=False),), "suspended", 5, ("invalid", "suspended")),
        ((span("suspension", False, 10, before=True),), "active", 20, ("invalid", "suspended")),
        ((span("suspension", False, 10, before=True),), "active", 5, ("valid", "active")),
    ],
)  # fmt: skip
def test_a_past_moment_is_answered_from_what_is_known_of_each_list(spans, status, days_ago, expected):
    moments = decide.Moments(
        entry_at=NOW - timedelta(days=100),
        evidence_at=NOW,
        valid_from=None,
        valid_until=None,
        list_status=CredentialStatus(status),
        spans=spans,
        final=False,
    )
    results = ALL_PASS if status == "active" else REVOKED
    found = decide.at_moment(results, Policy(), moments, NOW - timedelta(days=days_ago))
    assert found == (Outcome(expected[0]), CredentialStatus(expected[1]))


SUSPENSIONS = LISTS["suspension"]


def lifting_shown(number, version):
    """What two liftings of one suspension say, when the record of the first or the second is shown."""
    lifted = [
        record(list_id=SUSPENSIONS, value=False, reason="cleared", effective=THEN, salt=bytes([salt]) * 32)
        for salt in (1, 2)
    ]
    batches = tuple(
        RecordBatch(statement=3 + place, time=f"2026-11-2{place}T09:00:00Z", count=1, root=batch_root([item]))
        for place, item in enumerate(lifted)
    )
    shown = renew_record(prove_records(lifted[number : number + 1], batches[: number + 1])[0], batches)
    entry = StatusEntry(
        id=SUSPENSIONS,
        purpose="suspension",
        sequence=version,
        length=131_072,
        digest=bytes(32),
        chunk_root=bytes(32),
        records_root=records_root(batches),
    )
    proof = SimpleNamespace(record=shown, entry=entry.to_json())
    wanted = SimpleNamespace(list_id=SUSPENSIONS, index=7, purpose="suspension")
    return change_of(SimpleNamespace(proven=None, earlier=()), proof, wanted, value=False)


def test_a_holder_cannot_hide_a_second_suspension_by_showing_the_end_of_the_first():
    assert lifting_shown(1, version=3).since == THEN + timedelta(days=1)  # when it was recorded
    assert lifting_shown(0, version=3) is None
    # Of a version that came without records nobody can say whose bits it changed.
    assert lifting_shown(1, version=4) is None


def test_what_came_before_the_first_record_is_known_only_if_nothing_could_have_changed():
    assert not lifting_shown(1, version=3).is_first
    assert span_of("suspension", False, 3, lifting_shown(1, version=3)).before is None
