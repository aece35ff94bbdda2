"""Where a damaged log's files may come from. Nothing that a source gives is believed."""

import re
from pathlib import Path
from typing import Protocol

from testamur.node.errors import NodeError
from testamur.node.files import read_file
from testamur.node.log.documents import DocumentStore
from testamur.node.log.layout import LogFolder
from testamur.node.log.tree_files import MAX_BUNDLE_BYTES
from testamur.registry.notes import MAX_NOTE_BYTES
from testamur.registry.tiles import TILE_WIDTH, TileId

MAX_JOURNAL_BYTES = 1 << 30

_WIDTH = re.compile(r"[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]")


class LogSource(Protocol):
    """Another copy of a log, perhaps older, newer, damaged or hostile; None is always a possible answer."""

    def find_tile(self, tile: TileId) -> bytes | None:
        """The tile or bundle, or the beginning of it."""

    def find_newest_head(self) -> bytes | None:
        """The newest head of this copy."""

    def find_head_at(self, size: int) -> bytes | None:
        """The head that was published at exactly this size."""

    def find_document(self, digest: bytes) -> bytes | None:
        """A public document."""

    def find_journal(self) -> bytes | None:
        """Accepted entries as in `journal`."""


class FolderSource:
    """A log's folder in a backup."""

    def __init__(self, folder: Path, documents: Path) -> None:
        self._files = LogFolder(folder)
        self._documents = DocumentStore(documents)

    def find_tile(self, tile: TileId) -> bytes | None:
        """See LogSource: the widest file that there is for this tile."""
        full = self._files.tile(TileId(level=tile.level, index=tile.index))
        partial = full.with_name(full.name + ".p")
        widths = [int(path.name) for path in partial.glob("*") if _WIDTH.fullmatch(path.name)]
        for width in (tile.width, TILE_WIDTH, *sorted(widths, reverse=True)):
            path = self._files.tile(TileId(level=tile.level, index=tile.index, width=width))
            data = _find(path, MAX_BUNDLE_BYTES)
            if data is not None:
                return data[: len(data) * tile.width // width] if width > tile.width else data
        return None

    def find_newest_head(self) -> bytes | None:
        """See LogSource."""
        return _find(self._files.checkpoint, MAX_NOTE_BYTES)

    def find_head_at(self, size: int) -> bytes | None:
        """See LogSource."""
        return _find(self._files.checkpoint_at(size), MAX_NOTE_BYTES)

    def find_document(self, digest: bytes) -> bytes | None:
        """See LogSource."""
        try:
            return self._documents.find(digest)
        except NodeError:
            return None

    def find_journal(self) -> bytes | None:
        """See LogSource."""
        return _find(self._files.journal, MAX_JOURNAL_BYTES)


def _find(path: Path, max_bytes: int) -> bytes | None:
    """A file that cannot be read, or is larger than any of its kind, is none."""
    try:
        return read_file(path, max_bytes=max_bytes)
    except NodeError:
        return None
