"""From a log to its rows in the index: one call for every day, for after a crash, and for a new index."""

from collections.abc import Callable, Sequence
from typing import Protocol

from testamur.node.files import DamagedFile
from testamur.node.index.store import Index
from testamur.node.log.documents import DocumentStore
from testamur.registry.canonical import parse_json
from testamur.registry.entries import Entry, EntryKind
from testamur.registry.errors import MalformedError

PROJECTION_ENTRIES = 8192
"""Entries that go from the log to the index at once: half a megabyte in memory."""

MAX_ID_CHARACTERS = 2048
"""Ids of documents are URLs and DIDs; a longer one could only fill the index."""

Progress = Callable[[int, int], None]
"""Told (entries in the index, entries in all), once for each `PROJECTION_ENTRIES`."""


class ProjectedLog(Protocol):
    """A log as the index needs it, pending entries included. Nothing in it changes but that it grows."""

    @property
    def origin(self) -> str:
        """The log's origin."""

    @property
    def next_index(self) -> int:
        """Published and pending entries."""

    def read_entries(self, start: int, count: int) -> Sequence[Entry]:
        """Entries `start` to `start + count - 1`."""


def project(
    index: Index,
    documents: DocumentStore,
    log: ProjectedLog,
    *,
    progress: Progress = lambda _done, _all: None,
) -> None:
    """Every entry of the log has its row; goes on where the index stands. Raises as index and log do."""
    start = index.projected_size(log.origin)
    while start < log.next_index:
        count = min(PROJECTION_ENTRIES, log.next_index - start)
        entries = log.read_entries(start, count)
        for leaf_index, entry in enumerate(entries, start):
            if entry.kind is EntryKind.DOCUMENT:
                _put_id(index, documents, log.origin, leaf_index, entry.digest)
        # The cursor moves with these rows, so that a crash before repeats the ids, which does no harm.
        index.put_entries(log.origin, start, entries)
        start += count
        progress(start, log.next_index)


def _put_id(index: Index, documents: DocumentStore, origin: str, leaf_index: int, digest: bytes) -> None:
    document_id = _find_id(documents, digest)
    if document_id is not None:
        index.put_document_id(document_id, digest, origin=origin, leaf_index=leaf_index)


def _find_id(documents: DocumentStore, digest: bytes) -> str | None:
    """The `id` of a public document; None when it has none, or when its file is missing or damaged."""
    try:
        data = documents.find(digest)
        document = None if data is None else parse_json(data, subject="document")
    except (DamagedFile, MalformedError):
        # The scrubber and the audit name a damaged document; here it costs its row, and not the index.
        return None
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= MAX_ID_CHARACTERS else None
