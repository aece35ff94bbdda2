"""The one table of LevelDB keys and values. Nothing else knows a byte of them; integers are big-endian.

    m ‖ name → bytes
        A fact about the index itself: its schema, a cursor of the service.
    o ‖ ordinal[4] → origin
        The log that is called by this number in the other rows.
    p ‖ ordinal[4] → size[8]
        How many entries of the log have been put here; written together with their rows.
    c ‖ digest[32] → (ordinal[4] ‖ leaf index[8])…
        Where the credential was first logged, once for each log.
    d ‖ digest[32] → (ordinal[4] ‖ leaf index[8])…
        The same for a public document.
    a ‖ ordinal[4] ‖ sequence[8] → size[8] ‖ block[8] ‖ time[8] ‖ statement[4] ‖ 0/1 ‖ transaction[32]
        A final anchor of the log, as the contract's history has it.
    i ‖ sha256(id)[32] ‖ ordinal[4] ‖ leaf index[8] → digest[32] ‖ id
        A version of the public document that has this id.

Seals have no row: the seal of a tree is its last leaf.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from testamur.registry.entries import EntryKind
from testamur.registry.hashing import sha256

SCHEMA = 1
"""Raised when a row changes its meaning; an index of another schema is rebuilt, never migrated."""

SCHEMA_NAME = "schema"

_ORDINAL = struct.Struct(">I")
_SIZE = struct.Struct(">Q")
_PLACE = struct.Struct(">IQ")
_ANCHOR = struct.Struct(">QQQI?32s")
_DIGEST_ROWS = {EntryKind.CREDENTIAL: b"c", EntryKind.DOCUMENT: b"d"}

ORIGINS = b"o"
CREDENTIALS = b"c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a digest is logged: leaf `leaf_index` of the log `origin`."""

    origin: str
    leaf_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A final anchor of a log: head `size` in the contract's history at `sequence` (counted from 1).

    `timestamp` is the block's, in seconds; `transaction` is its hash (32 bytes), or None when unknown.
    """

    sequence: int
    size: int
    block_number: int
    timestamp: int
    statement: int
    transaction: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One logged version of a document that has an id."""

    id: str
    origin: str
    leaf_index: int
    digest: bytes


def meta_key(name: str) -> bytes:
    """Row of a fact about the index."""
    return b"m" + name.encode("utf-8")


def origin_key(ordinal: int) -> bytes:
    """Row of a log's origin."""
    return ORIGINS + _ORDINAL.pack(ordinal)


def parse_origin_key(key: bytes) -> int:
    """The ordinal in such a key."""
    return int(_ORDINAL.unpack(key[1:])[0])


def projected_key(ordinal: int) -> bytes:
    """Row of a log's projected size."""
    return b"p" + _ORDINAL.pack(ordinal)


def encode_size(size: int) -> bytes:
    """Value of a projected size."""
    return _SIZE.pack(size)


def parse_size(value: bytes) -> int:
    """The size in such a value."""
    return int(_SIZE.unpack(value)[0])


def digest_key(kind: EntryKind, digest: bytes) -> bytes:
    """Row of a logged digest. Raises KeyError for seals, which have none."""
    return _DIGEST_ROWS[kind] + digest


def digest_keys(kind: EntryKind, digests: Iterable[bytes]) -> list[bytes]:
    """The same for many digests."""
    prefix = _DIGEST_ROWS[kind]
    return [prefix + digest for digest in digests]


def encode_place(ordinal: int, leaf_index: int) -> bytes:
    """One place in the value of a digest's row; the places of other logs stand before and after it."""
    return _PLACE.pack(ordinal, leaf_index)


def parse_places(value: bytes) -> list[tuple[int, int]]:
    """All (ordinal, leaf index) in such a value, in the order in which they came."""
    return list(_PLACE.iter_unpack(value))


def anchors_prefix(ordinal: int) -> bytes:
    """Beginning of a log's anchor rows, which sort by sequence."""
    return b"a" + _ORDINAL.pack(ordinal)


def anchor_key(ordinal: int, sequence: int) -> bytes:
    """Row of one anchor."""
    return anchors_prefix(ordinal) + _SIZE.pack(sequence)


def encode_anchor(anchor: Anchor) -> bytes:
    """Value of an anchor's row."""
    return _ANCHOR.pack(
        anchor.size,
        anchor.block_number,
        anchor.timestamp,
        anchor.statement,
        anchor.transaction is not None,
        anchor.transaction or b"",
    )


def parse_anchor(key: bytes, value: bytes) -> Anchor:
    """The anchor in a row."""
    size, block_number, timestamp, statement, has_transaction, transaction = _ANCHOR.unpack(value)
    return Anchor(
        sequence=int(_SIZE.unpack(key[-8:])[0]),
        size=size,
        block_number=block_number,
        timestamp=timestamp,
        statement=statement,
        transaction=transaction if has_transaction else None,
    )


def documents_prefix(document_id: str, ordinal: int | None = None) -> bytes:
    """Beginning of the rows of an id, of one log or of all; within a log they sort by leaf index."""
    prefix = b"i" + sha256(document_id.encode("utf-8", "surrogatepass"))
    return prefix if ordinal is None else prefix + _ORDINAL.pack(ordinal)


def document_key(document_id: str, ordinal: int, leaf_index: int) -> bytes:
    """Row of one version of a document."""
    return documents_prefix(document_id, ordinal) + _SIZE.pack(leaf_index)


def encode_document(document_id: str, digest: bytes) -> bytes:
    """Value of a document's row; it repeats the id, so that the index can be listed."""
    return digest + document_id.encode("utf-8", "surrogatepass")


def parse_document(key: bytes, value: bytes) -> tuple[int, int, bytes, str]:
    """(ordinal, leaf index, digest, id) of such a row."""
    ordinal, leaf_index = _PLACE.unpack(key[-12:])
    return ordinal, leaf_index, value[:32], value[32:].decode("utf-8", "surrogatepass")


def prefix_bounds(prefix: bytes, bits: int) -> tuple[bytes, bytes | None]:
    """First key, and first key beyond, of the credentials that share the first `bits` bits of `prefix`."""
    number = int.from_bytes(prefix.ljust(32, b"\0")[:32], "big") >> (256 - bits) << (256 - bits)
    beyond = number + (1 << (256 - bits))
    start = CREDENTIALS + number.to_bytes(32, "big")
    return start, CREDENTIALS + beyond.to_bytes(32, "big") if beyond < 1 << 256 else after(CREDENTIALS)


def after(prefix: bytes) -> bytes | None:
    """The first key beyond all that start with `prefix`; None when there is no such key."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None
