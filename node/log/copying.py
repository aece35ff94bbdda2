"""A copy of a log that can be opened as it is, taken while its writer goes on."""

from dataclasses import dataclass
from pathlib import Path

from testamur.node.errors import StoreUnavailable
from testamur.node.files import DISK, DamagedFile, Disk, FileBatch, read_file
from testamur.node.log.builder import partial_widths
from testamur.node.log.journal import READ_RECORDS, Journal
from testamur.node.log.layout import LogFolder
from testamur.node.log.reader import LogReader
from testamur.node.log.tree_files import CURE
from testamur.registry.checkpoints import SignedCheckpoint
from testamur.registry.entries import parse_origin
from testamur.registry.notes import MAX_NOTE_BYTES
from testamur.registry.tiles import TILE_HEIGHT, TILE_WIDTH, TileId

MAX_JOURNAL_BYTES = 1 << 30
"""Thirty times what a node lets wait for its seal."""

MAX_TRIES = 100
"""A log publishes once a second, and its small files are read in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedLog:
    """What was copied: `size` published entries, and what was pending."""

    origin: str
    size: int
    root: bytes
    next_index: int


def copy_log(source: Path, target: Path, *, disk: Disk = DISK) -> CopiedLog:
    """Copy the log in `source` to the new folder `target`, durably.

    What was accepted before this was called is in the copy. Raises StoreCorrupt, StoreUnavailable; the copy
    is not verified, `audit_log` does that.
    """
    reader, files, copy = LogReader(source), LogFolder(source), LogFolder(target)
    head, signed, journal = _moment(reader, files)
    batch = FileBatch(disk)
    try:
        for path in (files.identity, files.signed_head):
            data = signed if path == files.signed_head else read_file(path, max_bytes=MAX_NOTE_BYTES)
            if data is not None:
                batch.add(target / path.name, data)
        batch.add(copy.journal, journal)
        size = 0 if head is None else head.checkpoint.size
        if head is not None:
            batch.add(copy.checkpoint, head.to_bytes())
            for tile in tiles_of(size):
                data = reader.find_resource(tile.path)
                if data is None:
                    raise DamagedFile(files.tile(tile), "is missing", CURE)
                batch.add(copy.tile(tile), data)
            for at in files.checkpoint_sizes():
                if at <= size:
                    kept = head.to_bytes() if at == size else reader.get_head(at).to_bytes()
                    batch.add(copy.checkpoint_at(at), kept)
        batch.commit()
    finally:
        batch.abandon()
    # Opening it cuts off what was being written in that very moment and was promised to nobody.
    opened = Journal(copy.journal, parse_origin(reader.origin).log_id, disk=disk)
    try:
        for _ in opened.read_chunks(opened.first, opened.next, READ_RECORDS):
            pass
        next_index = opened.next
    finally:
        opened.close()
    root = b"" if head is None else head.checkpoint.root
    return CopiedLog(origin=reader.origin, size=size, root=root, next_index=max(size, next_index))


def tiles_of(size: int) -> list[TileId]:
    """Every tile and bundle of the tree of `size`, the highest level first."""
    found = []
    widths = partial_widths(size)
    for level in reversed(range(len(widths))):
        full = size >> TILE_HEIGHT * (level + 1)
        found += [TileId(level=level, index=index) for index in range(full)]
        if widths[level]:
            found.append(TileId(level=level, index=full, width=widths[level]))
    found += [TileId(level=None, index=index) for index in range(size // TILE_WIDTH)]
    if size % TILE_WIDTH:
        found.append(TileId(level=None, index=size // TILE_WIDTH, width=size % TILE_WIDTH))
    return found


def _moment(reader: LogReader, files: LogFolder) -> tuple[SignedCheckpoint | None, bytes | None, bytes]:
    """Published head, newest signed head and journal of one moment: nothing was published in between.

    The signed head is read before the journal, which holds the entries of every head that is signed.
    """
    for _ in range(MAX_TRIES):
        before = reader.find_head()
        signed = read_file(files.signed_head, max_bytes=MAX_NOTE_BYTES)
        journal = read_file(files.journal, max_bytes=MAX_JOURNAL_BYTES)
        after = reader.find_head()
        size = 0 if before is None else before.checkpoint.size
        if size == (0 if after is None else after.checkpoint.size):
            if journal is None:
                raise DamagedFile(files.journal, "is missing", CURE)
            return after, signed, journal
    raise StoreUnavailable(f"{files.root}: publishes faster than it can be copied; stop the node first")
