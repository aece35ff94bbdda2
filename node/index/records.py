"""Rows that belong to a log by its ordinal: the logs' names, their anchors, and documents by id."""

import threading
from collections.abc import Iterable, Iterator
from typing import Protocol

from testamur.node.index import keys
from testamur.node.index.keys import Anchor, DocumentVersion, Location


class Database(Protocol):
    """Sorted rows. Calls block, may come from any thread, and raise only errors of the node's."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""

    def get_all(self, keys: Iterable[bytes]) -> list[bytes | None]:
        """The value of each key, in order."""

    def write(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """All of the rows, or after a crash none of them."""

    def rows(
        self, start: bytes, stop: bytes | None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Rows from `start` up to but not including `stop`, as they were when the first is asked for."""

    def close(self) -> None:
        """Give the folder back."""


class Records:
    """Anchors and documents of an open LevelDB database; the part of `Index` that is not about digests."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._lock = threading.Lock()
        self._origins = {
            keys.parse_origin_key(key): value.decode("utf-8") for key, value in self._rows(keys.ORIGINS)
        }
        self._ordinals = {origin: ordinal for ordinal, origin in self._origins.items()}

    def origins(self) -> list[str]:
        """Every log that has a row here."""
        return sorted(self._ordinals)

    def put_anchor(self, origin: str, anchor: Anchor) -> None:
        """The final anchor can be found; one with the same sequence is replaced."""
        with self._lock:
            ordinal = self._ordinal_for(origin)
            self._db.write([(keys.anchor_key(ordinal, anchor.sequence), keys.encode_anchor(anchor))])

    def anchors(self, origin: str) -> list[Anchor]:
        """The log's final anchors by sequence."""
        ordinal = self._ordinals.get(origin)
        if ordinal is None:
            return []
        return [keys.parse_anchor(key, value) for key, value in self._rows(keys.anchors_prefix(ordinal))]

    def find_newest_anchor(self, origin: str) -> Anchor | None:
        """The log's newest final anchor."""
        ordinal = self._ordinals.get(origin)
        if ordinal is None:
            return None
        rows = self._rows(keys.anchors_prefix(ordinal), newest_first=True)
        return next((keys.parse_anchor(key, value) for key, value in rows), None)

    def find_anchor_of(self, origin: str, leaf_index: int) -> Anchor | None:
        """The first final anchor that covers the leaf: the proof of its time. None while there is none."""
        newest, ordinal = self.find_newest_anchor(origin), self._ordinals.get(origin)
        if newest is None or ordinal is None or newest.size <= leaf_index:
            return None
        low, high = 1, newest.sequence
        while low < high:
            middle = (low + high) // 2
            value = self._db.get(keys.anchor_key(ordinal, middle))
            # A sequence that was never put counts as too small: a gap costs accuracy, not correctness.
            if (
                value is not None
                and keys.parse_anchor(keys.anchor_key(ordinal, middle), value).size > leaf_index
            ):
                high = middle
            else:
                low = middle + 1
        key = keys.anchor_key(ordinal, low)
        value = self._db.get(key)
        return None if value is None else keys.parse_anchor(key, value)

    def put_document_id(self, document_id: str, digest: bytes, *, origin: str, leaf_index: int) -> None:
        """The version of the document that leaf `leaf_index` of the log holds can be found by its id."""
        with self._lock:
            key = keys.document_key(document_id, self._ordinal_for(origin), leaf_index)
            self._db.write([(key, keys.encode_document(document_id, digest))])

    def document_versions(self, document_id: str, *, origin: str | None = None) -> list[DocumentVersion]:
        """Every version of the id, by log and leaf index.

        Anybody with a log can log a document under anybody's id: whoever asks on behalf of an issuer names
        the `origin`.
        """
        ordinal = None if origin is None else self._ordinals.get(origin)
        if origin is not None and ordinal is None:
            return []
        return [self._version(row) for row in self._rows(keys.documents_prefix(document_id, ordinal))]

    def find_document(self, document_id: str, *, origin: str) -> DocumentVersion | None:
        """The newest version of the id in this log."""
        ordinal = self._ordinals.get(origin)
        if ordinal is None:
            return None
        rows = self._rows(keys.documents_prefix(document_id, ordinal), newest_first=True)
        return next((self._version(row) for row in rows), None)

    def _ordinal_for(self, origin: str) -> int:
        """The log's number, given out now if it has none; for a caller that holds the lock."""
        ordinal = self._ordinals.get(origin)
        if ordinal is None:
            ordinal = len(self._ordinals)
            self._db.write([(keys.origin_key(ordinal), origin.encode("utf-8"))])
            self._origins[ordinal] = origin
            self._ordinals[origin] = ordinal
        return ordinal

    def _location(self, place: tuple[int, int]) -> Location:
        return Location(origin=self._origins[place[0]], leaf_index=place[1])

    def _version(self, row: tuple[bytes, bytes]) -> DocumentVersion:
        ordinal, leaf_index, digest, document_id = keys.parse_document(*row)
        origin = self._origins[ordinal]
        return DocumentVersion(id=document_id, origin=origin, leaf_index=leaf_index, digest=digest)

    def _rows(self, prefix: bytes, *, newest_first: bool = False) -> Iterator[tuple[bytes, bytes]]:
        return self._db.rows(prefix, keys.after(prefix), reverse=newest_first)
