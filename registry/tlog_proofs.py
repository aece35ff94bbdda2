"""C2SP tlog-proof: one text that proves an entry into a checkpoint (https://c2sp.org/tlog-proof)."""

from dataclasses import dataclass
from typing import Final

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.line_formats import (
    decode_base64,
    decode_base64_digest,
    encode_base64,
    encode_utf8,
    parse_decimal,
)
from testamur.registry.merkle import MAX_PROOF_HASHES, MAX_TREE_SIZE
from testamur.registry.notes import MAX_NOTE_BYTES

MAX_EXTRA_BYTES: Final = 1 << 14
"""Extra data is unauthenticated context of an application; ours writes none."""

MAX_TLOG_PROOF_BYTES: Final = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES + (1 << 12)
"""A note, the extra data in base64, and 63 hashes of 45 bytes."""

_HEADER: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """The claim that some entry is leaf `index` of the tree of a checkpoint. Nothing is verified.

    `hashes` go from the leaf's sibling to the root's child. `checkpoint_note` is the checkpoint verbatim, for
    `checkpoints.parse_signed_checkpoint`. `extra` is never authenticated.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_TREE_SIZE or self.extra == b"":
            raise ValueError("a proof has an index below 2^63, and extra data or none")
        if len(self.hashes) > MAX_PROOF_HASHES or any(len(item) != DIGEST_BYTES for item in self.hashes):
            raise ValueError(f"a proof has at most {MAX_PROOF_HASHES} hashes of {DIGEST_BYTES} bytes")

    def to_text(self) -> str:
        """The `.tlog-proof` text."""
        extra = "" if self.extra is None else f"extra {encode_base64(self.extra)}\n"
        hashes = "".join(f"{encode_base64(item)}\n" for item in self.hashes)
        return f"{_HEADER}\n{extra}index {self.index}\n{hashes}\n{self.checkpoint_note.decode('utf-8')}"


def parse_tlog_proof(text: str) -> TlogProof:
    """The proof that is the whole of `text`; `to_text` gives it again. Raises MalformedError."""
    subject = "tlog-proof"
    if len(text) > MAX_TLOG_PROOF_BYTES:
        raise MalformedError(subject, f"is larger than {MAX_TLOG_PROOF_BYTES} bytes")
    head, separator, note = text.partition("\n\n")
    if not separator or not note:
        raise MalformedError(subject, "has no checkpoint after an empty line")
    lines = head.split("\n")
    if lines.pop(0) != _HEADER:
        raise MalformedError(subject, f"does not start with the line {_HEADER}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), subject)
        if not extra or len(extra) > MAX_EXTRA_BYTES:
            raise MalformedError(subject, f"the extra data is not 1 to {MAX_EXTRA_BYTES} bytes")
    if not lines or not lines[0].startswith("index "):
        raise MalformedError(subject, "has no index line")
    index = parse_decimal(lines.pop(0).removeprefix("index "), subject, MAX_TREE_SIZE - 1)
    if len(lines) > MAX_PROOF_HASHES:
        raise MalformedError(subject, f"has more than {MAX_PROOF_HASHES} hashes")
    hashes = tuple(decode_base64_digest(line, subject) for line in lines)
    return TlogProof(index=index, hashes=hashes, checkpoint_note=encode_utf8(note, subject), extra=extra)
