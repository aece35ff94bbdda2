from copy import deepcopy
from typing import Any

import pytest

from fakes.issuers import DID, signing_key
from testamur.registry.canonical import digest
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.key_events import (
    FIRST_POSITION,
    KeyChain,
    Position,
    build_key_event,
    commitment,
    parse_key_event,
    verification_method,
    verify_extension,
    verify_key_events,
)
from testamur.registry.keys import SigningKey
from testamur.registry.proofs import sign_document

CREATED = "2026-11-21T10:00:00Z"
KEYS = [signing_key(number) for number in range(6)]


def event(
    keys: list[SigningKey],
    following: list[SigningKey],
    previous: dict[str, Any] | None = None,
    start: Position = FIRST_POSITION,
    **options: Any,
) -> dict[str, Any]:
    return build_key_event(
        did=options.pop("did", DID),
        keys=keys,
        next_commitment=commitment(key.public_key for key in following),
        created=CREATED,
        previous=parse_key_event(previous) if previous else None,
        start=start,
        **options,
    )


FIRST = event([KEYS[0]], [KEYS[1]])
SECOND = event([KEYS[1]], [KEYS[2], KEYS[3]], FIRST, Position(1, 100))
THIRD = event([KEYS[2], KEYS[3]], [KEYS[4]], SECOND, Position(2, 50), compromised=[SECOND["keys"][0]["id"]])


def resigned(document: dict[str, Any], *keys: SigningKey, **changes: Any) -> dict[str, Any]:
    """The event with some members changed, signed again by `keys`."""
    changed = {name: value for name, value in {**deepcopy(document), **changes}.items() if name != "proof"}
    for key in keys:
        method = verification_method(DID, key.public_key)
        changed = sign_document(changed, key, verification_method=method, created=CREATED)
    return changed


def reason_of(documents: list[dict[str, Any]], **options: Any) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_key_events(documents, **options)
    return caught.value.reason


def test_the_commitment_is_a_hash_of_sorted_multibase_texts() -> None:
    texts = sorted([KEYS[2].public_key.to_multikey(), KEYS[3].public_key.to_multikey()])
    wanted = sha256(f'["{texts[0]}","{texts[1]}"]'.encode())
    assert commitment([KEYS[3].public_key, KEYS[2].public_key]) == wanted
    assert commitment([KEYS[2].public_key, KEYS[3].public_key]) == wanted


def test_a_built_event_has_the_documented_members() -> None:
    method = f"{DID}#{KEYS[0].public_key.to_multikey()}"
    assert {name: value for name, value in FIRST.items() if name not in {"proof", "next"}} == {
        "type": "KeyEvent",
        "version": 1,
        "issuer": DID,
        "sequence": 1,
        "previous": None,
        "from": {"epoch": 1, "index": 0},
        "keys": [{"id": method, "publicKeyMultibase": KEYS[0].public_key.to_multikey()}],
        "retired": [],
        "compromised": [],
    }
    assert FIRST["proof"]["verificationMethod"] == method


def test_a_chain_gives_every_key_its_interval() -> None:
    chain = verify_key_events([FIRST, SECOND, THIRD], digest(FIRST), start=FIRST_POSITION)
    intervals = {item.key.multibase: (item.start, item.end, item.compromised) for item in chain.intervals}
    assert intervals == {
        KEYS[0].public_key.to_multikey(): (Position(1, 0), Position(1, 100), False),
        KEYS[1].public_key.to_multikey(): (Position(1, 100), Position(2, 50), True),
        KEYS[2].public_key.to_multikey(): (Position(2, 50), None, False),
        KEYS[3].public_key.to_multikey(): (Position(2, 50), None, False),
    }
    assert (chain.issuer, chain.head, chain.first_digest) == (DID, digest(THIRD), digest(FIRST))


@pytest.mark.parametrize(
    ("epoch", "index", "numbers"),
    [
        (1, 0, [0]),
        (1, 99, [0]),
        (1, 100, [1]),
        (1, 10**9, [1]),
        (2, 49, [1]),
        (2, 50, [2, 3]),
        (3, 0, [2, 3]),
    ],
)
def test_the_keys_in_force_follow_leaf_order(epoch: int, index: int, numbers: list[int]) -> None:
    chain = verify_key_events([FIRST, SECOND, THIRD])
    wanted = [KEYS[number].public_key for number in numbers]
    assert [key.public_key for key in chain.keys_at(epoch, index)] == wanted


def test_a_key_is_found_by_its_verification_method_and_no_other_name() -> None:
    chain = verify_key_events([FIRST])
    method = verification_method(DID, KEYS[0].public_key)
    found = chain.find_key(method)
    assert found is not None
    assert found.public_key == KEYS[0].public_key
    assert found.contains(Position(1, 5))
    assert chain.find_key(method + "x") is None


def test_a_key_may_stay_when_others_are_added() -> None:
    first = event([KEYS[0]], [KEYS[0], KEYS[1]])
    second = event([KEYS[0], KEYS[1]], [KEYS[2]], first, Position(1, 9))
    chain = verify_key_events([first, second])
    assert [(item.start, item.end) for item in chain.intervals] == [
        (Position(1, 0), None),
        (Position(1, 9), None),
    ]


def test_a_thief_of_the_current_key_cannot_rotate() -> None:
    forged = event([KEYS[5]], [KEYS[5]], FIRST, Position(1, 10))
    assert reason_of([FIRST, forged]) == "key-event-commitment-mismatch"
    signed_by_old = resigned(SECOND, KEYS[0])
    assert reason_of([FIRST, signed_by_old]) == "key-event-proof-missing"


def test_every_revealed_key_must_sign() -> None:
    third = resigned(THIRD, KEYS[2])
    assert reason_of([FIRST, SECOND, third]) == "key-event-proof-missing"


def test_the_old_keys_may_sign_too() -> None:
    both = resigned(SECOND, KEYS[1], KEYS[0])
    assert len(verify_key_events([FIRST, both]).events) == 2


def test_a_proof_by_a_stranger_is_refused() -> None:
    assert reason_of([resigned(FIRST, KEYS[0], KEYS[5])]) == "key-event-proof-by-stranger"


def test_a_broken_proof_is_refused_even_beside_a_good_one() -> None:
    both = resigned(SECOND, KEYS[1], KEYS[0])
    both["proof"][1]["proofValue"] = both["proof"][0]["proofValue"]
    assert reason_of([FIRST, both]) == "signature-invalid"


def test_a_changed_event_is_refused() -> None:
    changed = {**FIRST, "from": {"epoch": 1, "index": 1}}
    assert reason_of([changed]) == "signature-invalid"


def test_the_first_event_is_the_admitted_one() -> None:
    assert reason_of([FIRST], first_digest=bytes(32)) == "key-event-first-mismatch"
    assert reason_of([FIRST], start=Position(1, 5)) == "key-event-start-mismatch"


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ([SECOND], "key-event-chain-broken"),
        ([FIRST, THIRD], "key-event-chain-broken"),
        ([FIRST, FIRST], "key-event-chain-broken"),
        ([FIRST, resigned(SECOND, KEYS[1], previous=THIRD["previous"])], "key-event-chain-broken"),
        ([FIRST, resigned(SECOND, KEYS[1], **{"from": {"epoch": 1, "index": 0}})], "key-event-order"),
        ([FIRST, resigned(SECOND, KEYS[1], retired=[])], "key-event-departures"),
        ([FIRST, resigned(SECOND, KEYS[1], retired=[f"{DID}#other"])], "key-event-departures"),
    ],
)
def test_events_that_do_not_follow_from_one_another_are_refused(documents: list[Any], reason: str) -> None:
    assert reason_of(documents) == reason


def test_a_chain_has_one_issuer() -> None:
    foreign = event([KEYS[1]], [KEYS[2]], FIRST, Position(1, 10), did="did:web:other.example")
    assert reason_of([FIRST, foreign]) == "key-event-issuer-mismatch"


def test_a_key_that_left_does_not_come_back() -> None:
    second = event([KEYS[1]], [KEYS[0]], FIRST, Position(1, 10))
    third = event([KEYS[0]], [KEYS[2]], second, Position(1, 20))
    assert reason_of([FIRST, second, third]) == "key-event-key-reused"


def test_an_event_that_reveals_no_key_is_refused() -> None:
    first = event([KEYS[0], KEYS[1]], [KEYS[0]])
    second = event([KEYS[0]], [KEYS[2]], first, Position(1, 10))
    assert reason_of([first, second]) == "key-event-reveals-nothing"


def test_no_events_are_no_chain() -> None:
    with pytest.raises(MalformedError, match="missing"):
        verify_key_events([])


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Other"),
        ("version", 2),
        ("issuer", "ada"),
        ("sequence", 0),
        ("sequence", 2),
        ("previous", digest(FIRST).hex()),
        ("from", {"epoch": 0, "index": 0}),
        ("from", {"epoch": 1, "index": -1}),
        ("from", {"epoch": 1, "index": 0, "time": 1}),
        ("keys", []),
        ("keys", FIRST["keys"] * 2),
        ("keys", [{**FIRST["keys"][0], "id": f"{DID}#"}]),
        ("keys", [{**FIRST["keys"][0], "id": "did:web:other.example#key"}]),
        ("keys", [{**FIRST["keys"][0], "publicKeyMultibase": "z6Mk"}]),
        ("keys", [{**FIRST["keys"][0], "revoked": False}]),
        ("next", "u"),
        ("retired", [5]),
        ("retired", ["a", "a"]),
        ("proof", []),
        ("extra", 1),
    ],
)
def test_an_event_of_another_shape_is_malformed(member: str, value: Any) -> None:
    with pytest.raises(MalformedError, match="key event"):
        parse_key_event({**FIRST, member: value})


def chain_of(*documents: Any) -> KeyChain:
    return verify_key_events(documents)


def test_a_mirror_refuses_a_key_event_that_takes_effect_in_the_past() -> None:
    older, newer = chain_of(FIRST), chain_of(FIRST, SECOND)
    verify_extension(older, newer, Position(1, 100))
    with pytest.raises(VerificationError, match="key-event-backdated"):
        verify_extension(older, newer, Position(1, 101))


def test_a_mirror_refuses_another_history() -> None:
    other = event([KEYS[0]], [KEYS[2]])
    with pytest.raises(VerificationError, match="key-event-rewritten"):
        verify_extension(chain_of(FIRST), chain_of(other), Position(1, 0))
    with pytest.raises(VerificationError, match="key-event-rewritten"):
        verify_extension(chain_of(FIRST, SECOND), chain_of(FIRST), Position(1, 0))
