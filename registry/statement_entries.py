"""What a statement names: status lists and public documents, each tree proven entry by entry.

RFC 6962 trees over the JCS bytes of entries sorted by id, so that evidence carries one entry and its path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.merkle import EMPTY_ROOT, leaf_hash, prove_inclusion, root_hash, verify_inclusion
from testamur.registry.multiformats import encode_digest
from testamur.registry.shapes import Shape
from testamur.registry.status import (
    CHUNK_BITS,
    MAX_STATUS_LIST_BYTES,
    MIN_STATUS_LIST_BITS,
    StatusBits,
    chunk_root,
)

MAX_PURPOSE_CHARACTERS = 64
"""`revocation`, `suspension`, `rebinding`: a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEntry:
    """One version of one status list: `digest` is that of its credential, the roots are over its contents."""

    id: str
    purpose: str
    sequence: int
    length: int
    digest: bytes
    chunk_root: bytes
    records_root: bytes = EMPTY_ROOT

    def to_json(self) -> dict[str, Json]:
        """The entry as it is hashed into the statement."""
        return {
            "id": self.id,
            "purpose": self.purpose,
            "sequence": self.sequence,
            "length": self.length,
            "digest": encode_digest(self.digest),
            "chunkRoot": encode_digest(self.chunk_root),
            "recordsRoot": encode_digest(self.records_root),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    """A public document by its id; `digest` is what the log holds of its newest version."""

    id: str
    digest: bytes

    def to_json(self) -> dict[str, Json]:
        """The entry as it is hashed into the statement."""
        return {"id": self.id, "digest": encode_digest(self.digest)}


StatementEntry: TypeAlias = StatusEntry | DocumentEntry


def status_entry(
    *,
    list_id: str,
    purpose: str,
    sequence: int,
    digest: bytes,
    bits: StatusBits,
    records_root: bytes = EMPTY_ROOT,
) -> StatusEntry:
    """The entry of a status list whose credential has `digest` and carries `bits`."""
    return StatusEntry(
        id=list_id,
        purpose=purpose,
        sequence=sequence,
        length=bits.length,
        digest=digest,
        chunk_root=chunk_root(bits),
        records_root=records_root,
    )


def parse_status_entry_of_statement(document: Json, subject: str = "status entry") -> StatusEntry:
    """A StatusEntry in exactly this form. Raises MalformedError."""
    shape = Shape(document, subject)
    entry = StatusEntry(
        id=shape.text("id"),
        purpose=shape.text("purpose", max_length=MAX_PURPOSE_CHARACTERS),
        sequence=shape.integer("sequence", minimum=1),
        length=shape.integer("length", minimum=MIN_STATUS_LIST_BITS, maximum=8 * MAX_STATUS_LIST_BYTES),
        digest=shape.digest("digest"),
        chunk_root=shape.digest("chunkRoot"),
        records_root=shape.digest("recordsRoot"),
    )
    if entry.length % CHUNK_BITS:
        raise MalformedError(shape.path("length"), f"must be a multiple of {CHUNK_BITS}")
    shape.refuse_unknown()
    return entry


def parse_document_entry(document: Json, subject: str = "document entry") -> DocumentEntry:
    """A DocumentEntry in exactly this form. Raises MalformedError."""
    shape = Shape(document, subject)
    entry = DocumentEntry(id=shape.text("id"), digest=shape.digest("digest"))
    shape.refuse_unknown()
    return entry


def entries_root(entries: Sequence[StatementEntry]) -> bytes:
    """The root over `entries` sorted by id; EMPTY_ROOT for none. Raises ValueError for one id twice."""
    return root_hash(_entry_hash(entry) for entry in _sorted(entries))


def prove_entry(entries: Sequence[StatementEntry], entry_id: str) -> tuple[int, list[bytes]]:
    """(index, path) of the entry with this id under `entries_root`. Raises KeyError when there is none."""
    ordered = _sorted(entries)
    for index, entry in enumerate(ordered):
        if entry.id == entry_id:
            hashes = [_entry_hash(item) for item in ordered]
            return index, prove_inclusion(hashes, index, len(hashes))
    raise KeyError(entry_id)


def verify_entry(entry: StatementEntry, index: int, count: int, path: Sequence[bytes], root: bytes) -> None:
    """Prove that `entry` is number `index` of the `count` entries under `root`.

    Raises VerificationError("statement-entry-mismatch").
    """
    try:
        verify_inclusion(_entry_hash(entry), index, count, path, root)
    except VerificationError as exc:
        raise VerificationError("statement-entry-mismatch", id=entry.id) from exc


def _entry_hash(entry: StatementEntry) -> bytes:
    return leaf_hash(canonicalize(entry.to_json()))


def _sorted(entries: Sequence[StatementEntry]) -> list[StatementEntry]:
    ordered = sorted(entries, key=lambda entry: entry.id)
    if len({entry.id for entry in ordered}) != len(ordered):
        raise ValueError("two entries of a statement have the same id")
    return ordered
