"""Where a damaged log's files may come from. Nothing that a source gives is believed."""

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
        for width in (tile.width, TILE_WIDTH):
            path = self._files.tile(TileId(level=tile.level, index=tile.index, width=width))
            data = read_file(path, max_bytes=MAX_BUNDLE_BYTES)
            if data is not None:
                return data[: len(data) * tile.width // width]
        partial = full.with_name(full.name + ".p")
        widths = sorted(int(path.name) for path in partial.glob("*") if path.name.isdigit())
        if not widths:
            return None
        data = read_file(partial / str(widths[-1]), max_bytes=MAX_BUNDLE_BYTES) or b""
        return data[: len(data) * tile.width // widths[-1]] if widths[-1] > tile.width else data

    def find_newest_head(self) -> bytes | None:
        """See LogSource."""
        return read_file(self._files.checkpoint, max_bytes=MAX_NOTE_BYTES)

    def find_head_at(self, size: int) -> bytes | None:
        """See LogSource."""
        return read_file(self._files.checkpoint_at(size), max_bytes=MAX_NOTE_BYTES)

    def find_document(self, digest: bytes) -> bytes | None:
        """See LogSource."""
        try:
            return self._documents.find(digest)
        except NodeError:
            return None

    def find_journal(self) -> bytes | None:
        """See LogSource."""
        return read_file(self._files.journal, max_bytes=MAX_JOURNAL_BYTES)
