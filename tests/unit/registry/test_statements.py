from typing import Any

import pytest

from fakes.issuers import DID, signing_key
from testamur.registry.canonical import canonicalize, digest
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.key_events import Position, verification_method
from testamur.registry.keys import PublicKey
from testamur.registry.merkle import EMPTY_ROOT, leaf_hash, node_hash
from testamur.registry.multiformats import encode_digest
from testamur.registry.proofs import sign_document
from testamur.registry.statements import (
    DocumentEntry,
    Repudiation,
    Seal,
    Statement,
    StatusEntry,
    build_statement,
    entries_root,
    parse_document_entry,
    parse_seal,
    parse_statement,
    parse_status_entry_of_statement,
    prove_entry,
    verify_document_entry,
    verify_entry,
    verify_statement,
    verify_status_entry,
    verify_succession,
)

KEY = signing_key(1)
METHOD = verification_method(DID, KEY.public_key)
TIME = "2026-11-21T10:00:00Z"
ENTRIES = [
    StatusEntry(
        id=f"https://status.ada.example/ada/revocation/{number}",
        purpose="revocation",
        sequence=number,
        length=131_072,
        digest=sha256(b"list %d" % number),
        chunk_root=sha256(b"chunks %d" % number),
    )
    for number in (3, 1, 2)
]
DOCUMENTS = [DocumentEntry(id="https://ada.example/stack/1", digest=sha256(b"stack"))]
SEAL = Seal(
    origin="registry.example/ada/1",
    size=1205,
    time=TIME,
    statement_sequence=7,
    statement_digest=sha256(b"statement"),
    previous_seal=1100,
)


def signed(after: Statement | None = None, /, **changes: Any) -> dict[str, Any]:
    unsigned = build_statement(
        issuer=DID,
        time=TIME,
        key_events=[sha256(b"event")],
        status=ENTRIES,
        documents=DOCUMENTS,
        previous=after,
    )
    return sign_document({**unsigned, **changes}, KEY, verification_method=METHOD, created=TIME)


FIRST = parse_statement(signed())


def key_in_force(method: str) -> PublicKey:
    if method != METHOD:
        raise VerificationError("key-not-in-force", method=method)
    return KEY.public_key


# -- seals


def test_a_seal_has_the_documented_form_and_comes_back_from_it() -> None:
    document = SEAL.to_json()
    assert document == {
        "type": "Seal",
        "version": 1,
        "origin": "registry.example/ada/1",
        "size": 1205,
        "time": TIME,
        "statement": {"sequence": 7, "digest": encode_digest(sha256(b"statement"))},
        "previousSeal": 1100,
    }
    assert parse_seal(canonicalize(document)) == SEAL
    assert parse_seal(document).digest == sha256(canonicalize(document))


def test_the_first_seal_has_no_predecessor() -> None:
    document = {**SEAL.to_json(), "previousSeal": None}
    assert parse_seal(document).previous_seal is None


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Stamp"),
        ("version", 2),
        ("version", True),
        ("origin", "registry.example/ada"),
        ("size", 0),
        ("size", 1.0),
        ("time", "today"),
        ("statement", None),
        ("statement", {"sequence": 0, "digest": encode_digest(bytes(32))}),
        ("statement", {"sequence": 2**32, "digest": encode_digest(bytes(32))}),
        ("statement", {"sequence": 7, "digest": "u"}),
        ("statement", {"sequence": 7, "digest": encode_digest(bytes(32)), "root": 1}),
        ("previousSeal", 1205),
        ("previousSeal", 0),
        ("root", "u"),
    ],
)
def test_a_seal_of_another_form_is_malformed(member: str, value: Any) -> None:
    with pytest.raises(MalformedError, match=r"seal|origin"):
        parse_seal({**SEAL.to_json(), member: value})


def test_equal_seals_are_equal_documents() -> None:
    document = SEAL.to_json()
    del document["previousSeal"]
    with pytest.raises(MalformedError, match="/previousSeal"):
        parse_seal(document)


def test_a_seal_is_small() -> None:
    with pytest.raises(MalformedError, match="4096"):
        parse_seal(canonicalize(SEAL.to_json()) + b" " * 4096)


# -- statements


def test_a_statement_has_the_documented_form() -> None:
    document = signed()
    del document["proof"]
    assert document == {
        "type": "Statement",
        "version": 1,
        "issuer": DID,
        "sequence": 1,
        "previous": None,
        "time": TIME,
        "keyEvents": {"count": 1, "head": encode_digest(sha256(b"event"))},
        "statusLists": {"count": 3, "root": encode_digest(entries_root(ENTRIES))},
        "documents": {"count": 1, "root": encode_digest(entries_root(DOCUMENTS))},
        "repudiated": [],
        "final": False,
    }


def test_a_statement_is_proven_by_a_key_in_force() -> None:
    verify_statement(FIRST, key_in_force)


def test_a_statement_by_another_key_is_not_the_issuers() -> None:
    other = signing_key(9)
    unsigned = {name: value for name, value in signed().items() if name != "proof"}
    forged = sign_document(unsigned, other, verification_method=f"{DID}#x", created=TIME)
    with pytest.raises(VerificationError, match="key-not-in-force"):
        verify_statement(parse_statement(forged), key_in_force)
    lying = sign_document(unsigned, other, verification_method=METHOD, created=TIME)
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_statement(parse_statement(lying), key_in_force)


def test_a_changed_statement_is_not_the_issuers() -> None:
    changed = parse_statement({**signed(), "final": True})
    with pytest.raises(VerificationError, match="signature-invalid"):
        verify_statement(changed, key_in_force)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "Claim"),
        ("version", "1"),
        ("issuer", "ada"),
        ("sequence", 0),
        ("sequence", 2),
        ("previous", encode_digest(bytes(32))),
        ("time", "2026-11-21"),
        ("keyEvents", {"count": 0, "head": encode_digest(bytes(32))}),
        ("keyEvents", {"count": 1}),
        ("statusLists", {"count": -1, "root": encode_digest(bytes(32))}),
        ("documents", {"count": 1, "root": "x"}),
        ("repudiated", [{"epoch": 1, "from": 5, "until": 5, "statement": 1, "time": TIME}]),
        ("repudiated", [{"epoch": 1, "from": 4, "until": 5, "statement": 2, "time": TIME}]),
        ("repudiated", [{"epoch": 1, "from": 4, "until": 5}]),
        ("repudiated", [5]),
        ("final", "no"),
        ("proof", None),
        ("extra", 1),
    ],
)
def test_a_statement_of_another_form_is_malformed(member: str, value: Any) -> None:
    with pytest.raises(MalformedError, match="statement"):
        parse_statement({**signed(), member: value})


def test_repudiated_leaves_are_exactly_those_of_the_ranges() -> None:
    ranges = [leaves(10, 12), leaves(0, 1, epoch=2)]
    statement = parse_statement(signed(repudiated=[item.to_json() for item in ranges]))
    assert statement.repudiated == tuple(ranges)
    told = {(1, 9): False, (1, 10): True, (1, 11): True, (1, 12): False, (2, 0): True, (3, 10): False}
    covered = {place: any(item.covers(Position(*place)) for item in statement.repudiated) for place in told}
    assert covered == told


def leaves(start: int, end: int, *, epoch: int = 1, statement: int = 1, time: str = TIME) -> Repudiation:
    return Repudiation(epoch=epoch, start=start, end=end, statement=statement, time=time)


# -- succession


def test_a_statement_follows_the_one_it_names() -> None:
    second = parse_statement(signed(FIRST))
    assert (second.sequence, second.previous) == (2, digest(FIRST.json))
    verify_succession(FIRST, second)


@pytest.mark.parametrize("sequence", [2, 3, 16_385, (1 << 32) - 1])
def test_numbers_may_be_left_out_when_the_digests_chain(sequence: int) -> None:
    """Whoever stole the operator's key can use numbers up on the chain; the issuer goes on above them."""
    later = parse_statement(signed(FIRST, sequence=sequence))
    verify_succession(FIRST, later)


def test_a_statement_left_out_is_found_by_the_digest_and_not_by_the_number() -> None:
    second = parse_statement(signed(FIRST))
    third = parse_statement(signed(second))
    verify_succession(second, third)
    with pytest.raises(VerificationError, match="statement-chain-broken"):
        verify_succession(FIRST, third)
    with pytest.raises(VerificationError, match="statement-chain-broken"):
        verify_succession(FIRST, parse_statement(signed(second, sequence=16_385)))


def test_the_next_statement_is_above_what_is_used_up() -> None:
    def number(previous: Statement | None, above: int) -> Any:
        document = build_statement(
            issuer=DID, time=TIME, key_events=[bytes(32)], status=[], previous=previous, above=above
        )
        return document["sequence"]

    assert [number(FIRST, above) for above in (0, 1, 2, 16_384)] == [2, 2, 3, 16_385]
    assert number(None, 16_384) == 1


def test_numbers_never_fall_and_are_used_once() -> None:
    high = parse_statement(signed(FIRST, sequence=16_385))
    with pytest.raises(VerificationError, match="statement-sequence-fell"):
        verify_succession(high, parse_statement(signed(high, sequence=16_384)))
    with pytest.raises(VerificationError, match="statement-equivocation"):
        verify_succession(high, parse_statement(signed(high, sequence=16_385)))
    verify_succession(high, parse_statement(signed(high)))
    with pytest.raises(VerificationError, match="statement-sequence-fell"):
        verify_succession(FIRST, FIRST)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "did:web:other.example"}, "statement-issuer-mismatch"),
        ({"sequence": 1, "previous": None, "final": True}, "statement-equivocation"),
        ({"previous": encode_digest(bytes(32))}, "statement-chain-broken"),
        ({"keyEvents": {"count": 1, "head": encode_digest(bytes(32))}}, "statement-key-events-fell"),
    ],
)
def test_a_statement_that_does_not_follow_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_succession(FIRST, parse_statement(signed(FIRST, **changes)))
    assert caught.value.reason == reason


def test_a_repudiation_is_not_withdrawn() -> None:
    first = parse_statement(signed(repudiated=[leaves(1, 2).to_json()]))
    for kept in ([], [leaves(1, 3).to_json()], [leaves(1, 2, time="2026-11-20T10:00:00Z").to_json()]):
        with pytest.raises(VerificationError, match="statement-repudiation-withdrawn"):
            verify_succession(first, parse_statement(signed(first, repudiated=kept)))
    verify_succession(first, parse_statement(signed(first, repudiated=[leaves(1, 2).to_json()])))


def test_a_repudiation_names_the_statement_that_recorded_it() -> None:
    now = FIRST.json["time"]

    def follow(item: Repudiation) -> None:
        verify_succession(FIRST, parse_statement(signed(FIRST, repudiated=[item.to_json()])))

    follow(leaves(1, 2, statement=2, time=str(now)))
    for older in (
        leaves(1, 2, statement=1, time=str(now)),
        leaves(1, 2, statement=2, time="2026-01-01T00:00:00Z"),
    ):
        with pytest.raises(VerificationError, match="statement-repudiation-backdated"):
            follow(older)


def test_nothing_follows_a_final_statement() -> None:
    final = parse_statement(signed(final=True))
    with pytest.raises(VerificationError, match="statement-after-final"):
        verify_succession(final, parse_statement(signed(final)))


# -- the trees of entries


def test_the_root_is_over_canonical_entries_sorted_by_id() -> None:
    ordered = sorted(ENTRIES, key=lambda entry: entry.id)
    first, second, third = (leaf_hash(canonicalize(entry.to_json())) for entry in ordered)
    assert entries_root(ENTRIES) == node_hash(node_hash(first, second), third)
    assert entries_root([]) == EMPTY_ROOT


def test_every_entry_is_proven_with_its_path() -> None:
    for entry in ENTRIES:
        index, path = prove_entry(ENTRIES, entry.id)
        verify_entry(entry, index, len(ENTRIES), path, entries_root(ENTRIES))
        verify_status_entry(FIRST, entry, index, path)
    index, path = prove_entry(DOCUMENTS, DOCUMENTS[0].id)
    verify_document_entry(FIRST, DOCUMENTS[0], index, path)


def test_an_entry_that_differs_in_anything_is_not_proven() -> None:
    entry = ENTRIES[0]
    index, path = prove_entry(ENTRIES, entry.id)
    for member, value in {
        "sequence": 9,
        "digest": bytes(32),
        "purpose": "suspension",
        "chunkRoot": bytes(32),
    }.items():
        document = {**entry.to_json(), member: encode_digest(value) if isinstance(value, bytes) else value}
        with pytest.raises(VerificationError, match="statement-entry-mismatch"):
            verify_status_entry(FIRST, parse_status_entry_of_statement(document), index, path)
    with pytest.raises(VerificationError, match="statement-entry-mismatch"):
        verify_status_entry(FIRST, entry, (index + 1) % 3, path)
    with pytest.raises(VerificationError, match="statement-entry-mismatch"):
        verify_document_entry(FIRST, DocumentEntry(id="x", digest=bytes(32)), 0, [])


def test_an_entry_is_parsed_as_it_is_written() -> None:
    for entry in ENTRIES:
        assert parse_status_entry_of_statement(entry.to_json()) == entry
    assert parse_document_entry(DOCUMENTS[0].to_json()) == DOCUMENTS[0]


def test_no_records_have_the_root_of_the_empty_tree() -> None:
    assert ENTRIES[0].to_json()["recordsRoot"] == encode_digest(EMPTY_ROOT)


@pytest.mark.parametrize(
    ("member", "value"),
    [("length", 131_071), ("length", 8192), ("length", 131_080), ("sequence", 0), ("digest", None), ("x", 1)],
)
def test_an_entry_of_another_form_is_malformed(member: str, value: Any) -> None:
    with pytest.raises(MalformedError, match="status entry"):
        parse_status_entry_of_statement({**ENTRIES[0].to_json(), member: value})


def test_two_entries_with_one_id_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="same id"):
        entries_root([ENTRIES[0], ENTRIES[0]])
    with pytest.raises(KeyError):
        prove_entry(ENTRIES, "https://elsewhere.example")
