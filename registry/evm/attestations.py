"""Header attestations: members of the consortium state which block of which chain is final.

A signed note (https://c2sp.org/signed-note) with six lines of text:

    testamur/header/v1
    registry.example
    31337
    0x<genesis hash>
    <block number>
    0x<block hash>

Whoever signs says: "on the chain that begins with this genesis, this block is final". A member signs at fixed
heights only, so that the attestations of several members meet.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from testamur.registry.entries import check_registry_name
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm.headers import MAX_CHAIN_INTEGER, Header
from testamur.registry.notes import (
    MAX_SIGNATURES,
    Note,
    NoteSigner,
    VerifierKey,
    merge_signatures,
    parse_note,
    sign_note,
    verify_note,
)

FIRST_LINE = "testamur/header/v1"
"""Names format and version; no checkpoint starts so, because an origin's epoch is a number."""

_SUBJECT = "header attestation"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_HASH = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderAttestation:
    """The statement that block `number` of one chain is final and has this hash. Who says so is elsewhere."""

    registry: str
    chain_id: int
    genesis_hash: bytes
    number: int
    block_hash: bytes

    @property
    def text(self) -> str:
        """The six lines, with their final newline: what is signed."""
        return (
            f"{FIRST_LINE}\n{self.registry}\n{self.chain_id}\n0x{self.genesis_hash.hex()}\n"
            f"{self.number}\n0x{self.block_hash.hex()}\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAttestation:
    """An attestation and the note it stands in; no signature is verified yet."""

    attestation: HeaderAttestation
    note: Note


def attest_header(registry: str, *, chain_id: int, genesis_hash: bytes, header: Header) -> HeaderAttestation:
    """What a final `header` calls for: to be signed by a member, or expected by a verifier."""
    return HeaderAttestation(
        registry=registry,
        chain_id=chain_id,
        genesis_hash=genesis_hash,
        number=header.number,
        block_hash=header.hash,
    )


def sign_attestation(attestation: HeaderAttestation, signer: NoteSigner) -> str:
    """The signed note as text, with one signature."""
    return sign_note(attestation.text, [signer]).decode()


def parse_attestation(data: bytes) -> SignedAttestation:
    """A signed attestation; its text is the only way to write it. Raises MalformedError."""
    note = parse_note(data)
    lines = note.text.split("\n")
    if len(lines) != 7 or lines[0] != FIRST_LINE:
        raise MalformedError(_SUBJECT, f"is not {FIRST_LINE} and five more lines")
    attestation = HeaderAttestation(
        registry=check_registry_name(lines[1]),
        chain_id=_number(lines[2]),
        genesis_hash=_hash(lines[3]),
        number=_number(lines[4]),
        block_hash=_hash(lines[5]),
    )
    return SignedAttestation(attestation=attestation, note=note)


def merge_attestations(notes: Sequence[str]) -> tuple[str, ...]:
    """The same attestations with one note for each text: several members sign the same six lines.

    A note that would carry too many signatures is left beside the others. Raises MalformedError for what is
    no signed note.
    """
    merged: dict[str, list[Note]] = {}
    for text in notes:
        note = parse_note(_encoded(text))
        found = merged.setdefault(note.text, [])
        if found and len(found[-1].signatures) + len(note.signatures) <= MAX_SIGNATURES:
            found[-1] = merge_signatures(found[-1], note.signatures)
        else:
            found.append(note)
    return tuple(note.to_bytes().decode() for group in merged.values() for note in group)


def verify_attestations(
    notes: Sequence[str], members: Mapping[VerifierKey, str], threshold: int, expected: HeaderAttestation
) -> frozenset[str]:
    """The members that attest exactly `expected`; at least `threshold` of them.

    `members` gives the member's name for every attestation key: one with several keys counts once. Notes
    about other blocks and signatures of strangers do not count. Raises MalformedError for what is not an
    attestation; VerificationError("note-signature-invalid") when a known key's signature fails,
    ("attestation-contradiction") when a member signed another block at this height of this chain, and
    ("attestation-quorum") when too few remain.
    """
    if threshold < 1:
        raise ValueError("a quorum of nobody would prove nothing")
    seen: set[str] = set()
    for text in notes:
        signed = parse_attestation(_encoded(text))
        if _place(signed.attestation) != _place(expected):
            continue
        names = {members[key] for key in _signers(signed.note, list(members))}
        if signed.attestation != expected and names:
            raise VerificationError("attestation-contradiction", member=min(names), block=expected.number)
        seen |= names
    if len(seen) < threshold:
        raise VerificationError("attestation-quorum", got=len(seen), wanted=threshold)
    return frozenset(seen)


def _place(attestation: HeaderAttestation) -> tuple[str, int, bytes, int]:
    return attestation.registry, attestation.chain_id, attestation.genesis_hash, attestation.number


def _signers(note: Note, keys: list[VerifierKey]) -> tuple[VerifierKey, ...]:
    claimed = [key for key in keys if any(line.is_claimed_by(key) for line in note.signatures)]
    return verify_note(note, claimed) if claimed else ()


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise MalformedError(_SUBJECT, "holds a lone surrogate") from exc


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > MAX_CHAIN_INTEGER:
        raise MalformedError(_SUBJECT, f"has {text[:40]!r} where a decimal number belongs")
    return int(text)


def _hash(text: str) -> bytes:
    if not _HASH.fullmatch(text):
        raise MalformedError(_SUBJECT, f"has {text[:80]!r} where a hash belongs")
    return bytes.fromhex(text[2:])
