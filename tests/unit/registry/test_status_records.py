"""Why a status changed: committed for ever, shown by who holds it, and never believed beyond its rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.merkle import EMPTY_ROOT
from testamur.registry.record_proofs import (
    effect_of,
    parse_record_proof,
    prove_records,
    renew_record,
    verify_record,
)
from testamur.registry.status_records import (
    RecordBatch,
    StatusRecord,
    batch_root,
    build_records,
    new_batches,
    parse_records,
    records_id,
    records_root,
)

LIST = "https://status.ada.example/ada/revocation/1"
THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z")


def record(index=7, **changes):
    values = {
        "list_id": LIST,
        "index": index,
        "value": True,
        "reason": "withdrawn",
        "effective": THEN,
        "note": None,
        "salt": bytes([index % 256]) * 32,
    }
    return StatusRecord(**{**values, **changes})


def batch(records, statement=2, time=TIMES[0]):
    return RecordBatch(statement=statement, time=time, count=len(records), root=batch_root(records))


@given(st.integers(1, 40), st.integers(0, 5))
def test_every_record_of_a_batch_is_proven_and_goes_on_being_proven(count, later):
    records = [record(n) for n in range(count)]
    batches = [batch(records)]
    proofs = prove_records(records, batches)
    grown = [*batches, *(batch([record(n)], 3 + n, TIMES[1]) for n in range(later))]
    for proof, expected in zip(proofs, records, strict=True):
        assert verify_record(parse_record_proof(proof.to_json()), records_root(batches)) == expected
        renewed = renew_record(proof, grown)
        assert verify_record(renewed, records_root(grown)) == expected
        if later:
            with pytest.raises(VerificationError, match="status-record-mismatch"):
                verify_record(proof, records_root(grown))


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "fraud"},
        {"effective": THEN - timedelta(days=1)},
        {"note": "A note that the issuer never wrote."},
        {"index": 8},
        {"value": False},
        {"salt": bytes(32)},
    ],
)
def test_a_record_with_anything_altered_is_not_the_issuers(change):
    records = [record(7), record(9)]
    proof = prove_records(records, [batch(records)])[0]
    forged = replace(proof, record=replace(proof.record, **change))
    with pytest.raises(VerificationError, match="status-record-mismatch"):
        verify_record(forged, records_root([proof.batch]))


def test_a_batch_cannot_be_redated():
    records = [record(7)]
    proof = prove_records(records, [batch(records)])[0]
    for forged in (replace(proof.batch, statement=1), replace(proof.batch, time=TIMES[2])):
        with pytest.raises(VerificationError, match="status-record-mismatch"):
            verify_record(replace(proof, batch=forged), records_root([proof.batch]))


def test_a_record_of_another_list_is_not_renewed():
    proof = prove_records([record(7)], [batch([record(7)])])[0]
    assert renew_record(proof, [batch([record(8)])]) is None


@pytest.mark.parametrize(
    ("reason", "not_before", "expected"),
    [
        ("withdrawn", None, datetime(2026, 3, 2, tzinfo=UTC)),
        ("withdrawn", datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)),
        ("fraud", datetime(2026, 3, 3, tzinfo=UTC), THEN),
        ("issued-in-error", None, THEN),
    ],
)
def test_only_error_and_fraud_reach_back_before_the_change_was_recorded(reason, not_before, expected):
    records = [record(7, reason=reason)]
    assert effect_of(prove_records(records, [batch(records)])[0], not_before) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"record": None},
        {"path": {"index": -1, "hashes": []}},
        {"batchPath": {"index": 0, "count": 0, "hashes": []}},
        {"more": 1},
        {"path": {"index": 0, "hashes": ["u"]}},
    ],
)
def test_what_is_no_record_proof_is_called_malformed(change):
    document = prove_records([record(7)], [batch([record(7)])])[0].to_json()
    with pytest.raises(MalformedError):
        parse_record_proof({**document, **change})


def test_batches_are_published_in_the_order_of_their_statements():
    batches = (batch([record(1)], 2), batch([record(2)], 4, TIMES[1]))
    assert parse_records(build_records(LIST, batches)) == (LIST, batches)
    with pytest.raises(MalformedError, match="order"):
        parse_records(build_records(LIST, batches[::-1]))


@pytest.mark.parametrize(
    ("name", "known", "statement"),
    [
        ("https://elsewhere.example/1#records", 1, 4),
        (records_id(LIST), 0, 4),
        (records_id(LIST), 1, 5),
    ],
)
def test_a_statement_adds_one_batch_of_its_own_and_forgets_none(name, known, statement):
    batches = (batch([record(1)], 2), batch([record(2)], 4, TIMES[1]))
    document = build_records(LIST, batches)
    good = new_batches([(records_id(LIST), document)], {LIST: batches[:1]}, statement=4, time=TIMES[1])
    assert good == {LIST: batches}
    with pytest.raises(VerificationError, match="status-records-mismatch"):
        new_batches([(name, document)], {LIST: batches[:known]}, statement=statement, time=TIMES[1])


def test_no_records_are_the_root_of_nothing():
    assert records_root([]) == EMPTY_ROOT
