"""C2SP checkpoints and their cosignatures: what a log says its tree is, and who has seen it.

Formats: https://c2sp.org/tlog-checkpoint, tlog-cosignature (Ed25519), tlog-witness (request body).
Extension lines are refused: monitors cannot audit them, and our logs write none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.keys import ED25519_SIGNATURE_BYTES, SigningKey
from testamur.registry.line_formats import (
    decode_base64_digest,
    encode_base64,
    parse_decimal,
)
from testamur.registry.merkle import MAX_PROOF_HASHES, MAX_TREE_SIZE
from testamur.registry.notes import (
    COSIGNATURE_ED25519,
    MAX_NOTE_BYTES,
    Note,
    NoteSignature,
    NoteSigner,
    VerifierKey,
    check_note_text,
    merge_signatures,
    parse_note,
    sign_note,
    verify_line,
    verify_note,
)

MAX_COSIGNATURE_SECONDS: Final = (1 << 63) - 1
"""The specification's bound on timestamps (POSIX seconds)."""

MAX_ADD_CHECKPOINT_BYTES: Final = MAX_NOTE_BYTES + (1 << 12)
"""Largest request to a witness: a note, and 63 lines of 45 bytes before it."""

_TIMESTAMP_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a log: its origin, its number of leaves, and the 32-byte root of its tree."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise ValueError("an origin is one line, and not empty")
        if not 0 <= self.size <= MAX_TREE_SIZE or len(self.root) != DIGEST_BYTES:
            raise ValueError(f"no tree has size {self.size} and a root of {len(self.root)} bytes")

    def to_text(self) -> str:
        """The three lines that are signed, each with its newline."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def parse_checkpoint_text(text: str) -> Checkpoint:
    """The checkpoint that is the whole of `text`: three lines. Raises MalformedError."""
    check_note_text(text)
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedError("checkpoint", "is not exactly three lines: origin, size, root")
    if not lines[0]:
        raise MalformedError("checkpoint", "has an empty origin")
    return Checkpoint(
        origin=lines[0],
        size=parse_decimal(lines[1], "checkpoint", MAX_TREE_SIZE),
        root=decode_base64_digest(lines[2], "checkpoint"),
    )


# ------------------------------------------------------------------------------------------ signed by the log


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A note whose text is a checkpoint. Nothing is verified."""

    checkpoint: Checkpoint
    note: Note

    def __post_init__(self) -> None:
        if self.note.text != self.checkpoint.to_text():
            raise ValueError("the note is of another checkpoint")

    def to_bytes(self) -> bytes:
        """The note as it is stored and served."""
        return self.note.to_bytes()

    def with_signatures(self, lines: Iterable[NoteSignature]) -> "SignedCheckpoint":
        """The same checkpoint with these signature lines added; MalformedError when they become too many."""
        return SignedCheckpoint(checkpoint=self.checkpoint, note=merge_signatures(self.note, lines))


def parse_signed_checkpoint(data: bytes) -> SignedCheckpoint:
    """The checkpoint and its signature lines. Raises MalformedError; `to_bytes` gives `data` again."""
    note = parse_note(data)
    return SignedCheckpoint(checkpoint=parse_checkpoint_text(note.text), note=note)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The note that the log's own key makes of `checkpoint`; the key's name is the origin.

    Whoever calls this promises never to sign two checkpoints of which neither extends the other.
    """
    return sign_note(checkpoint.to_text(), [NoteSigner(name=checkpoint.origin, key=key)])


def verify_checkpoint(signed: SignedCheckpoint, log_key: VerifierKey) -> Checkpoint:
    """The checkpoint, once it is known that its log's key signed it.

    Raises VerificationError: "checkpoint-origin-mismatch" when the key has another log's name,
    "note-signature-invalid" or "note-unsigned" as `notes.verify_note`.
    """
    if log_key.name != signed.checkpoint.origin:
        raise VerificationError(
            "checkpoint-origin-mismatch", origin=signed.checkpoint.origin, key=log_key.name
        )
    verify_note(signed.note, [log_key])
    return signed.checkpoint


# -------------------------------------------------------------------------------------- cosigned by witnesses


def cosign(checkpoint: Checkpoint, name: str, key: SigningKey, timestamp_seconds: int) -> NoteSignature:
    """The cosignature line of a witness or mirror called `name`: it has seen this as the largest tree.

    The caller has checked consistency and stored the checkpoint. Raises ValueError for a timestamp that is
    not between 1 and `MAX_COSIGNATURE_SECONDS`. https://c2sp.org/tlog-cosignature, type 0x04.
    """
    if not 1 <= timestamp_seconds <= MAX_COSIGNATURE_SECONDS:
        raise ValueError("a cosignature says when it was made")
    signer = NoteSigner(name=name, key=key, algorithm=COSIGNATURE_ED25519)
    signature = key.sign(_cosigned_message(checkpoint.to_text(), timestamp_seconds))
    return NoteSignature(
        name=name,
        key_id=signer.verifier_key.key_id,
        signature=timestamp_seconds.to_bytes(_TIMESTAMP_BYTES, "big") + signature,
    )


def verify_cosignature(signed: SignedCheckpoint, key: VerifierKey) -> int:
    """When (POSIX seconds) the holder of `key` had seen this checkpoint: its earliest cosignature here.

    Raises VerificationError: "note-signature-invalid" when a line names the key and fails, "note-unsigned"
    when none names it.
    """
    timestamps = verify_cosignatures(signed, [key])
    if not timestamps:
        raise VerificationError("note-unsigned", name=key.name)
    return timestamps[key]


def verify_cosignatures(signed: SignedCheckpoint, keys: Sequence[VerifierKey]) -> dict[VerifierKey, int]:
    """Which of `keys` cosigned, and when first (POSIX seconds); possibly none of them.

    Lines of other keys are ignored. Whether a time is plausible is for the caller, who has a clock.
    Raises VerificationError("note-signature-invalid") when a line names one of the keys and fails: the whole
    note is refused then.
    """
    seen: dict[VerifierKey, int] = {}
    for key in keys:
        if key.algorithm != COSIGNATURE_ED25519:
            raise ValueError("only keys of the cosignature type cosign")
        for line in dict.fromkeys(signed.note.signatures):
            if line.is_claimed_by(key):
                timestamp = _verify_cosignature_line(line, key, signed.note.text)
                seen[key] = min(timestamp, seen.get(key, timestamp))
    return seen


def _verify_cosignature_line(line: NoteSignature, key: VerifierKey, text: str) -> int:
    stamp, signature = line.signature[:_TIMESTAMP_BYTES], line.signature[_TIMESTAMP_BYTES:]
    timestamp = int.from_bytes(stamp, "big")
    if len(signature) != ED25519_SIGNATURE_BYTES or timestamp > MAX_COSIGNATURE_SECONDS:
        raise VerificationError("note-signature-invalid", name=line.name)
    verify_line(line, key, _cosigned_message(text, timestamp), signature)
    return timestamp


def _cosigned_message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


# ----------------------------------------------------------------------------------- asking for a cosignature


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpointRequest:
    """What a log sends to a witness: a checkpoint, and the proof that it extends the tree of `old_size`."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: SignedCheckpoint

    def to_bytes(self) -> bytes:
        """The body of `POST /add-checkpoint` (https://c2sp.org/tlog-witness)."""
        lines = "".join(f"{encode_base64(item)}\n" for item in self.proof)
        return f"old {self.old_size}\n{lines}\n".encode() + self.checkpoint.to_bytes()


def parse_add_checkpoint(data: bytes) -> AddCheckpointRequest:
    """The request in `data`. Raises MalformedError, also for an old size above the checkpoint's.

    Whether the proof holds is for the witness: `merkle.verify_consistency`.
    """
    subject = "add-checkpoint request"
    if len(data) > MAX_ADD_CHECKPOINT_BYTES:
        raise MalformedError(subject, f"is larger than {MAX_ADD_CHECKPOINT_BYTES} bytes")
    head, separator, note = data.partition(b"\n\n")
    try:
        old_line, *proof_lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as exc:
        raise MalformedError(subject, "holds something other than base64 in its proof") from exc
    if not separator or not old_line.startswith("old "):
        raise MalformedError(subject, "is not an old size, proof lines, an empty line and a checkpoint")
    if len(proof_lines) > MAX_PROOF_HASHES:
        raise MalformedError(subject, f"has more than {MAX_PROOF_HASHES} proof lines")
    request = AddCheckpointRequest(
        old_size=parse_decimal(old_line.removeprefix("old "), subject, MAX_TREE_SIZE),
        proof=tuple(decode_base64_digest(line, subject) for line in proof_lines),
        checkpoint=parse_signed_checkpoint(note),
    )
    if request.old_size > request.checkpoint.checkpoint.size:
        raise MalformedError(subject, "the old size is above the checkpoint's")
    return request
