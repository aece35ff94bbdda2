"""A log that nobody writes: published and pending entries as one sequence, without any key."""

from typing import Self

from testamur.node.log.journal import Journal
from testamur.node.log.layout import LogFolder
from testamur.node.log.reader import LogReader
from testamur.registry.entries import Entry, parse_entry, parse_origin


class StoppedLog:
    """Entries of a log whose folder the caller owns, by its lock or because it is a copy."""

    def __init__(self, reader: LogReader) -> None:
        """Opens the journal as a start does: a torn tail is cut off. Raises StoreCorrupt."""
        self._reader = reader
        self._size = reader.size
        self._journal = Journal(LogFolder(reader.folder).journal, parse_origin(reader.origin).log_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._journal.close()

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self._reader.origin

    @property
    def next_index(self) -> int:
        """Published and pending entries."""
        return max(self._size, self._journal.next)

    def read_entries(self, start: int, count: int) -> list[Entry]:
        """Entries `start` to `start + count - 1`. Raises ValueError outside of the log, StoreCorrupt."""
        published = max(0, min(count, self._size - start))
        entries = self._reader.read_entries(start, published) if published else []
        if published < count:
            pending = self._journal.read(start + published, count - published)
            entries += [parse_entry(entry) for entry in pending]
        return entries
