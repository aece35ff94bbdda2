from dataclasses import replace

import pytest

from fakes.chain_state import GENESIS, header_bytes
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.attestations import (
    attest_header,
    parse_attestation,
    sign_attestation,
    verify_attestations,
)
from testamur.registry.evm.headers import parse_header
from testamur.registry.hashing import keccak256, sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import NoteSigner

HEADER = parse_header(header_bytes(state_root=bytes(32), number=64, timestamp=1_795_000_000))
EXPECTED = attest_header("registry.example", chain_id=31337, genesis_hash=GENESIS, header=HEADER)


def signer(name, seed=None):
    key = SigningKey.from_seed(Algorithm.ED25519, sha256((seed or name).encode()))
    return NoteSigner(name=name, key=key)


ADA, BOB, EVE = signer("ada.example/attest"), signer("bob.example/attest"), signer("eve.example/attest")
ADA_OLD = signer("ada.example/attest-2025")
MEMBERS = {ADA.verifier_key: "ada", ADA_OLD.verifier_key: "ada", BOB.verifier_key: "bob"}


def notes(*signers, attestation=EXPECTED):
    return [sign_attestation(attestation, each) for each in signers]


def reason(given, threshold=1):
    with pytest.raises(VerificationError) as caught:
        verify_attestations(given, MEMBERS, threshold, EXPECTED)
    return caught.value.reason


def test_the_text_is_six_lines():
    assert EXPECTED.text == (
        f"testamur/header/v1\nregistry.example\n31337\n0x{GENESIS.hex()}\n64\n0x{HEADER.hash.hex()}\n"
    )


def test_a_signed_attestation_is_read_back():
    signed = parse_attestation(notes(ADA)[0].encode())
    assert signed.attestation == EXPECTED
    assert [line.name for line in signed.note.signatures] == ["ada.example/attest"]


def test_members_are_counted_by_name():
    assert verify_attestations(notes(ADA, BOB), MEMBERS, 2, EXPECTED) == {"ada", "bob"}


def test_a_member_with_two_keys_counts_once():
    assert verify_attestations(notes(ADA, ADA_OLD), MEMBERS, 1, EXPECTED) == {"ada"}
    assert reason(notes(ADA, ADA_OLD, ADA), threshold=2) == "attestation-quorum"


def test_a_stranger_does_not_count_and_does_not_hurt():
    assert verify_attestations(notes(EVE, BOB), MEMBERS, 1, EXPECTED) == {"bob"}
    assert reason(notes(EVE)) == "attestation-quorum"
    assert reason([]) == "attestation-quorum"


def test_two_members_may_sign_one_note():
    both = parse_attestation(notes(ADA)[0].encode()).note
    both = replace(both, signatures=(*both.signatures, BOB.sign_text(both.text)))
    assert verify_attestations([both.to_bytes().decode()], MEMBERS, 2, EXPECTED) == {"ada", "bob"}


@pytest.mark.parametrize(
    "change",
    [{"number": 65}, {"chain_id": 1}, {"genesis_hash": keccak256(b"other")}, {"registry": "other.example"}],
)
def test_an_attestation_of_another_block_or_chain_does_not_count(change):
    assert reason(notes(ADA, attestation=replace(EXPECTED, **change))) == "attestation-quorum"


def test_a_member_that_attests_another_block_at_this_height_is_noticed():
    other = replace(EXPECTED, block_hash=keccak256(b"fork"))
    assert reason([*notes(BOB), *notes(ADA, attestation=other)]) == "attestation-contradiction"
    assert verify_attestations([*notes(BOB), *notes(EVE, attestation=other)], MEMBERS, 1, EXPECTED) == {"bob"}


def test_a_forged_signature_of_a_known_key_refuses_the_proof():
    forged = signer(ADA.name, seed="thief").sign_text(EXPECTED.text)
    honest = ADA.sign_text(EXPECTED.text)
    note = parse_attestation(notes(BOB)[0].encode()).note
    line = replace(forged, key_id=honest.key_id)
    forged_note = replace(note, signatures=(*note.signatures, line)).to_bytes().decode()
    assert reason([forged_note]) == "note-signature-invalid"


def test_a_quorum_of_nobody_is_a_programming_mistake():
    with pytest.raises(ValueError, match="nobody"):
        verify_attestations([], MEMBERS, 0, EXPECTED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("testamur/header/v1", "testamur/header/v2"),
        ("registry.example", "Registry Example"),
        ("31337", "031337"),
        ("31337", "9999999999999999999"),
        ("\n64\n", "\n-64\n"),
        ("\n64\n", "\n64\nmore\n"),
        ("0x", "0X"),
    ],
)
def test_another_text_is_malformed(old, new):
    text = EXPECTED.text.replace(old, new)
    note = replace(parse_attestation(notes(ADA)[0].encode()).note, text=text)
    with pytest.raises(MalformedError):
        parse_attestation(note.to_bytes())
    with pytest.raises(MalformedError):
        verify_attestations(["\ud800"], MEMBERS, 1, EXPECTED)
