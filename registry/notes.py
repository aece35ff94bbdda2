"""C2SP signed notes: text, and signature lines under it (https://c2sp.org/signed-note).

A note's text means nothing until a trusted key has been verified on it. Parsing keeps every byte: what
`parse_note` accepts, `Note.to_bytes` writes again, identically.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, PublicKey, SigningKey, parse_public_key
from testamur.registry.line_formats import decode_base64, encode_base64, encode_utf8
from testamur.registry.remembered import RememberedKey, remembering

ED25519: Final = 0x01
"""Signature type of plain Ed25519 over the text."""

COSIGNATURE_ED25519: Final = 0x04
"""Signature type of timestamped Ed25519 cosignatures of checkpoints (https://c2sp.org/tlog-cosignature)."""

SIGNATURE_TYPES: Final = (ED25519, COSIGNATURE_ED25519)
"""The types that are verified. Signatures of other types belong to keys nobody here can know: ignored."""

MAX_NOTE_BYTES: Final = 1 << 18
"""Room for 64 post-quantum signatures (3.3 kB as text) and a page of text; the specification asks for 16."""

MAX_SIGNATURES: Final = 64
"""Every member of a large consortium as witness and mirror; verifying all of them stays below 20 ms."""

MAX_KEY_NAME_CHARACTERS: Final = 256
"""Names are schema-less URLs; they are repeated in every signature line."""

MAX_REMEMBERED_NOTES: Final = 128
"""Checkpoints and attestations of some dozens of logs."""

MAX_REMEMBERED_NOTE_BYTES: Final = 1 << 13
"""Fifty members' signatures; with the bound above, a megabyte."""

MAX_REMEMBERED_KEYS: Final = 1024
"""The keys of every log and member that a verifier meets in a day."""

KEY_ID_BYTES: Final = 4

_DASH: Final = "\u2014 "
_KEY_NAME: Final = re.compile(r"[^\s+\x00-\x1f]+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


# ------------------------------------------------------------------------------------------------------- keys


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A named public key for one signature type; its text form is the *vkey*.

    `algorithm` is the signature type byte (one of `SIGNATURE_TYPES`), `raw` the 32-byte Ed25519 key.
    """

    name: str
    algorithm: int
    raw: bytes

    def __post_init__(self) -> None:
        _check_key_name(self.name, "verifier key")
        if self.algorithm not in SIGNATURE_TYPES:
            raise MalformedError("verifier key", f"is of the unknown signature type {self.algorithm:#04x}")
        parse_public_key(Algorithm.ED25519, self.raw, subject="verifier key")

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || newline || type || key)."""
        return _key_id(self.name, self.algorithm, self.raw)

    @property
    def public_key(self) -> PublicKey:
        """The key without its name."""
        return PublicKey(algorithm=Algorithm.ED25519, raw=self.raw)

    def to_text(self) -> str:
        """The vkey: `<name>+<key id in hex>+<base64 of type and key>`."""
        encoded = encode_base64(bytes((self.algorithm,)) + self.raw)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@remembering(MAX_REMEMBERED_KEYS)
def parse_vkey(text: str) -> VerifierKey:
    """The verifier key that `VerifierKey.to_text` writes, and only in that form.

    Raises MalformedError, also for a key id that does not belong to the key.
    """
    parts = text.split("+", 2)  # base64 may hold '+', the name may not
    if len(parts) != 3:
        raise MalformedError("verifier key", "is not <name>+<key id>+<base64>")
    name, key_id, encoded = parts
    material = decode_base64(encoded, "verifier key")
    if not material:
        raise MalformedError("verifier key", "holds no key")
    key = VerifierKey(name=name, algorithm=material[0], raw=material[1:])
    if key_id != key.key_id.hex():
        raise MalformedError("verifier key", f"the key id is {key.key_id.hex()}, not the one written")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSigner:
    """A signing key under the name, and for the signature type, that its signature lines carry."""

    name: str
    key: SigningKey
    algorithm: int = ED25519

    def __post_init__(self) -> None:
        if self.key.public_key.algorithm is not Algorithm.ED25519:
            raise ValueError("notes are signed with Ed25519 keys")

    @property
    def verifier_key(self) -> VerifierKey:
        """What others need in order to verify this signer."""
        return VerifierKey(name=self.name, algorithm=self.algorithm, raw=self.key.public_key.raw)

    def sign_text(self, text: str) -> "NoteSignature":
        """The signature line of this key for a note with this text. Only for type `ED25519`."""
        if self.algorithm != ED25519:
            raise ValueError("cosignatures are of checkpoints: checkpoints.cosign makes them")
        return NoteSignature(
            name=self.name, key_id=self.verifier_key.key_id, signature=self.key.sign(text.encode("utf-8"))
        )


# ------------------------------------------------------------------------------------------------------ notes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who claims to have signed, and the bytes after the key id. Not verified."""

    name: str
    key_id: bytes
    signature: bytes

    def to_text(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"

    def is_claimed_by(self, key: VerifierKey) -> bool:
        """Whether the line names this key: both name and key id. Says nothing about the signature."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Text ending in a newline, and its signature lines in order. Nothing is verified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """The note as it is stored and served."""
        return f"{self.text}\n{''.join(line.to_text() for line in self.signatures)}".encode()


def parse_note(data: bytes) -> Note:
    """The note in `data`. Raises MalformedError; `to_bytes` of the result is `data` again.

    The text is separated from the signatures by the last empty line, and may hold empty lines itself.
    Short notes are remembered: all credentials of a log bring the same.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedError("signed note", f"is larger than {MAX_NOTE_BYTES} bytes")
    return _parse_known(data) if len(data) <= MAX_REMEMBERED_NOTE_BYTES else _parse_note(data)


def _parse_note(data: bytes) -> Note:
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedError("signed note", f"is not UTF-8 (byte {exc.start})") from exc
    check_note_text(whole)
    head, separator, tail = whole.rpartition("\n\n")
    if not separator:
        raise MalformedError("signed note", "has no empty line between text and signatures")
    return Note(text=head + "\n", signatures=parse_signature_lines(tail))


_parse_known = remembering(MAX_REMEMBERED_NOTES)(_parse_note)


def check_note_text(text: str) -> None:
    """Raise MalformedError unless a note can carry `text`: newline at the end, no other control character."""
    if not text.endswith("\n"):
        raise MalformedError("signed note", "the text does not end in a newline")
    if _CONTROL.search(text):
        raise MalformedError("signed note", "holds a control character")
    encode_utf8(text, "signed note")


def parse_signature_lines(text: str) -> tuple[NoteSignature, ...]:
    """One or more signature lines, each with its newline: the end of a note, or a witness's answer.

    Raises MalformedError.
    """
    if not text.endswith("\n"):
        raise MalformedError("signed note", "does not end in a signature line and a newline")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError("signed note", f"has more than {MAX_SIGNATURES} signatures")
    return tuple(_parse_signature_line(line) for line in lines)


def sign_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """The note with this text and one signature of each signer, in order. Ed25519 only.

    Raises MalformedError for text that a note cannot carry, ValueError without signers.
    """
    if not signers:
        raise ValueError("a note needs a signature")
    check_note_text(text)
    return Note(text=text, signatures=tuple(signer.sign_text(text) for signer in signers)).to_bytes()


def verify_note(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys, of those given, that signed the text of `note`; at least one. All of type `ED25519`.

    Signatures of other keys are ignored. Raises VerificationError: "note-signature-invalid" when a line names
    one of the keys and its signature fails (the whole note is refused), "note-unsigned" when none is there.
    """
    if any(key.algorithm != ED25519 for key in keys):
        raise ValueError("cosignatures are of checkpoints: checkpoints.verify_cosignatures reads them")
    message = note.text.encode("utf-8")
    verified = []
    for key in keys:
        # Each line once: repeating a good one must not cost a verifier anything.
        lines = dict.fromkeys(line for line in note.signatures if line.is_claimed_by(key))
        for line in lines:
            verify_line(line, key, message, line.signature)
        if lines:
            verified.append(key)
    if not verified:
        raise VerificationError("note-unsigned")
    return tuple(verified)


def verify_line(line: NoteSignature, key: VerifierKey, message: bytes, signature: bytes) -> None:
    """Prove that `key` made `signature` on `message`. Raises VerificationError("note-signature-invalid")."""
    try:
        RememberedKey(algorithm=Algorithm.ED25519, raw=key.raw).verify(signature, message)
    except VerificationError as exc:
        raise VerificationError("note-signature-invalid", name=line.name) from exc


def merge_signatures(note: Note, signatures: Iterable[NoteSignature]) -> Note:
    """`note` with the lines it did not have yet, in order, after its own.

    Raises MalformedError when there would be more than `MAX_SIGNATURES`.
    """
    merged = tuple(dict.fromkeys((*note.signatures, *signatures)))
    if len(merged) > MAX_SIGNATURES:
        raise MalformedError("signed note", f"would have more than {MAX_SIGNATURES} signatures")
    return replace(note, signatures=merged)


# ---------------------------------------------------------------------------------------------------- details


def _parse_signature_line(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise MalformedError("signed note", "a signature line does not start with an em dash and a space")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    _check_key_name(name, "signed note")
    material = decode_base64(encoded, "signed note")
    if len(material) <= KEY_ID_BYTES:
        raise MalformedError("signed note", "a signature is too short to hold a key id")
    return NoteSignature(name=name, key_id=material[:KEY_ID_BYTES], signature=material[KEY_ID_BYTES:])


def _check_key_name(name: str, subject: str) -> None:
    if len(name) > MAX_KEY_NAME_CHARACTERS or not _KEY_NAME.fullmatch(name):
        raise MalformedError(
            subject, f"a key name is 1 to {MAX_KEY_NAME_CHARACTERS} characters without spaces and '+'"
        )
    encode_utf8(name, subject)


@remembering(MAX_REMEMBERED_KEYS)
def _key_id(name: str, algorithm: int, raw: bytes) -> bytes:
    return sha256(name.encode("utf-8") + b"\n" + bytes((algorithm,)) + raw)[:KEY_ID_BYTES]
