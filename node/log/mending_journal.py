"""The journal of a stopped log made whole: what was promised and is not published yet."""

from pathlib import Path

from testamur.node.errors import StoreCorrupt
from testamur.node.files import DamagedFile, Disk, read_file
from testamur.node.log.journal import Journal, salvage_records, write_journal
from testamur.node.log.layout import END_OF_LOG, LogFolder
from testamur.node.log.sources import MAX_JOURNAL_BYTES, LogSource
from testamur.node.log.tree_files import TreeFiles
from testamur.registry.entries import parse_origin
from testamur.registry.tiles import TILE_WIDTH


def mend_journal(
    files: LogFolder, origin: str, size: int, source: LogSource, *, disk: Disk
) -> tuple[list[Path], list[str]]:
    """A journal that continues the published `size`; (what was written, what is lost).

    A promised entry comes from a good record here or in the other copy. When one is nowhere, the journal is
    left as it is: whoever was promised that leaf must hear of it. Raises StoreUnavailable.
    """
    path, log_id = files.journal, parse_origin(origin).log_id
    data = read_file(path, max_bytes=MAX_JOURNAL_BYTES)
    own, promised = salvage_records(data or b"")
    for leaf_index in sorted(index for index in own if index < size):
        published = _published(files, size, leaf_index)
        if published is None:
            return [], [
                f"{path}: left as it is; the bundle with leaf {leaf_index}, which it repeats, is lost"
            ]
        if own[leaf_index] != published:
            return [], [
                f"{path}: leaf {leaf_index} was promised, and the newest head holds another entry there"
            ]
    if data is not None and _continues(path, log_id, size):
        return [], []
    other, _ = salvage_records(source.find_journal() or b"")
    entries = []
    for leaf_index in range(size, max(promised, size)):
        entry = own.get(leaf_index) or other.get(leaf_index)
        if entry is None:
            return [], [f"{path}: leaf {leaf_index} was promised and is in no copy; {END_OF_LOG}"]
        entries.append(entry)
    if data is None:
        # How much was promised is not known here; the other copy knows what had been when it was made.
        while size + len(entries) in other:
            entries.append(other[size + len(entries)])
    write_journal(path, log_id, size, entries, disk=disk)
    return [path], []


def _continues(path: Path, log_id: bytes, size: int) -> bool:
    """Whether the journal can be opened, and begins and ends around the published size."""
    try:
        journal = Journal(path, log_id)
    except StoreCorrupt:
        return False
    try:
        return journal.first <= size <= journal.next
    finally:
        journal.close()


def _published(files: LogFolder, size: int, leaf_index: int) -> bytes | None:
    """The entry below the published size, or None when its bundle is lost; then nothing can be compared."""
    try:
        bundle = TreeFiles(files, size).read_bundle(leaf_index // TILE_WIDTH)
    except DamagedFile:
        return None
    return bundle[leaf_index % TILE_WIDTH]
