"""Key chains one after the other: the contract says from where each counts, and nothing is added to an old one."""

from typing import Any

import pytest

from fakes.issuers import DID, signing_key
from testamur.registry.errors import VerificationError
from testamur.registry.evm.layout import KeyChainRecord
from testamur.registry.issuer_keys import (
    IssuerKeys,
    parse_record,
    record_json,
    verify_issuer_keys,
    verify_key_growth,
)
from testamur.registry.key_events import (
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
)
from testamur.registry.shapes import Shape

CREATED = "2026-11-21T10:00:00Z"


def event(number: int, *, previous: Any = None, start: Position = Position(1, 0), **options: Any) -> Any:
    """A key event that puts key `number` in force and commits to the next one."""
    return build_key_event(
        did=DID,
        keys=[signing_key(number)],
        next_commitment=commitment([signing_key(number + 1).public_key]),
        created=CREATED,
        previous=None if previous is None else parse_key_event(previous),
        start=start,
        **options,
    )


def method(number: int) -> str:
    return verification_method(DID, signing_key(number).public_key)


def record(first: Any, size: int, *, epoch: int = 1) -> KeyChainRecord:
    digest = parse_key_event(first).digest
    return KeyChainRecord(first_key_event=digest, epoch=epoch, start_size=size, recorded_at=1_795_000_000)


def reason_of(call: Any, *args: Any) -> str:
    with pytest.raises(VerificationError) as caught:
        call(*args)
    return caught.value.reason


FIRST = event(1)
ROTATED = event(2, previous=FIRST, start=Position(1, 30), compromised=[method(1)])
RECOVERED = event(11, start=Position(1, 50))
AGAIN = event(21, start=Position(1, 60))
BOTH = verify_issuer_keys([FIRST, ROTATED, RECOVERED])


def test_a_recovered_chain_counts_from_where_the_contract_says() -> None:
    bound = BOTH.bind([record(RECOVERED, 70)])
    for index, number in ((29, 1), (30, 2), (69, 2), (70, 11), (10_000, 11)):
        in_force = [item for item in (1, 2, 11) if bound.is_in_force(method(item), Position(1, index))]
        assert in_force == [number], index
    assert bound.chains[1].keys_at(1, 70)[0].public_key == signing_key(11).public_key


def test_what_the_contract_did_not_record_or_recorded_otherwise_is_no_recovery() -> None:
    assert reason_of(BOTH.bind, ()) == "key-chain-mismatch"
    assert reason_of(BOTH.bind, [record(AGAIN, 70)]) == "key-chain-mismatch"
    assert reason_of(BOTH.bind, [record(RECOVERED, 70), record(AGAIN, 80)]) == "key-chain-missing"
    # The event itself says the earliest place.
    assert reason_of(BOTH.bind, [record(RECOVERED, 49)]) == "key-event-start-mismatch"
    assert BOTH.bind([record(RECOVERED, 50)]).is_in_force(method(11), Position(1, 50))


def test_the_first_chain_begins_with_the_log() -> None:
    late = event(1, start=Position(1, 1))
    assert reason_of(verify_issuer_keys, [late]) == "key-event-start-mismatch"


def test_lost_are_compromised_keys_and_those_of_a_chain_that_was_replaced() -> None:
    bound = BOTH.bind([record(RECOVERED, 70)])
    lost = [(item.key.id, item.start.index, item.end and item.end.index) for item in bound.lost_intervals()]
    assert lost == [(method(1), 0, 30), (method(2), 30, 70)]
    retired = verify_issuer_keys([FIRST, event(2, previous=FIRST, start=Position(1, 30))])
    assert retired.lost_intervals() == []


def test_a_key_whose_rotation_comes_after_the_recovery_was_in_force_when_its_chain_was_replaced() -> None:
    late = event(2, previous=FIRST, start=Position(1, 90))
    keys = verify_issuer_keys([FIRST, late, RECOVERED]).bind([record(RECOVERED, 70)])
    assert next((item.key.id, item.end) for item in keys.lost_intervals()) == (method(1), Position(1, 70))


def test_a_statement_is_read_with_the_chains_up_to_the_one_that_it_names() -> None:
    for named, count in ((FIRST, 1), (ROTATED, 1), (RECOVERED, 2)):
        found = BOTH.as_of(parse_key_event(named).digest)
        assert found is not None
        assert len(found.chains) == count
    assert BOTH.as_of(bytes(32)) is None


def grown(older: list[Any], newer: list[Any], published: int) -> None:
    verify_key_growth(verify_issuer_keys(older), verify_issuer_keys(newer), Position(1, published))


def test_only_the_newest_chain_grows() -> None:
    further = event(12, previous=RECOVERED, start=Position(1, 80))
    grown([FIRST], [FIRST, ROTATED], 30)
    grown([FIRST, ROTATED], [FIRST, ROTATED, RECOVERED], 75)
    grown([FIRST, ROTATED], [FIRST, ROTATED, RECOVERED, AGAIN], 75)
    grown([FIRST, ROTATED], [FIRST, ROTATED, RECOVERED, further], 80)
    assert reason_of(grown, [FIRST], [FIRST, ROTATED], 31) == "key-event-backdated"
    assert reason_of(grown, [FIRST], [FIRST, ROTATED, RECOVERED], 30) == "key-chain-mismatch"
    assert reason_of(grown, [FIRST], [FIRST, RECOVERED, further], 81) == "key-event-backdated"
    assert reason_of(grown, [FIRST], [FIRST, RECOVERED, further, AGAIN], 80) == "key-chain-mismatch"
    assert reason_of(grown, [FIRST, ROTATED], [FIRST, RECOVERED], 80) == "key-event-rewritten"


def test_all_events_are_by_one_issuer() -> None:
    foreign = build_key_event(
        did="did:web:other.example",
        keys=[signing_key(11)],
        next_commitment=commitment([signing_key(12).public_key]),
        created=CREATED,
    )
    assert reason_of(verify_issuer_keys, [FIRST, foreign]) == "key-event-issuer-mismatch"


def test_a_record_comes_back_from_disk() -> None:
    kept = record(RECOVERED, 70)
    assert parse_record(Shape(record_json(kept), "record")) == kept


def test_keys_are_compared_by_what_they_are() -> None:
    """They are part of what is remembered; two bindings of one list are two values."""
    assert isinstance(hash(BOTH), int)
    assert IssuerKeys(chains=BOTH.chains) != BOTH
