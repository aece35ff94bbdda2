"""From sealed entries in the journal to a published checkpoint: the same steps every day and after a crash.

    step                                    died here, landed or not     what opening the log does
    1 seal document stored (by the writer)  a document too many          nothing
    2 seal entry journalled and synced      not landed: not sealed       waits for the next seal
                                            landed                       3 to 8
    3 tiles and bundles written             files beyond the size        3 to 8, over the same names
    4 read back, root recomputed            nothing is written           3 to 8
    5 `signed-head` written                 landed: signed, unseen       3 to 8; step 5 finds the same head
    6 `checkpoints/<size>` written          landed: unseen               3 to 8, the same bytes
    7 `checkpoint` replaced                 not landed: old head         3 to 8
                                            landed: published            8
    8 journal trimmed                       landed or not                8, what it repeats is compared
    9 old partial tiles removed             some are left                nothing; they are true, and harmless

Ed25519 is deterministic, so that repeating step 5 gives the bytes of the first time.
"""

import contextlib
from collections.abc import Iterator

from testamur.node.files import DamagedFile, Disk, FileBatch, translated_errors
from testamur.node.log.builder import partial_widths
from testamur.node.log.heads import Heads
from testamur.node.log.journal import Journal
from testamur.node.log.layout import LogFolder
from testamur.node.log.tree_files import TreeFiles
from testamur.registry.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
)
from testamur.registry.keys import SigningKey
from testamur.registry.tiles import TILE_HEIGHT, TILE_WIDTH, TileId, TileTree

CURE = "disk or memory of this machine is failing; move the log's folder elsewhere, then `testamur audit`"


class Publisher:
    """Makes heads of one log and signs them; holds the log's key. For one caller at a time."""

    def __init__(self, folder: LogFolder, origin: str, key: SigningKey, heads: Heads, disk: Disk) -> None:
        self._folder = folder
        self._origin = origin
        self._key = key
        self._heads = heads
        self._disk = disk

    def publish(self, journal: Journal, published: Checkpoint, size: int) -> SignedCheckpoint:
        """The head of `size`, durable and visible on return; the journal holds what `published` lacks of it.

        Raises StoreCorrupt when what is read back is not what was written, or does not continue `published`,
        StoreUnavailable when the disk refuses. Nothing was signed then, unless it is the same head.
        """
        old, new = self.check_continues(published), TreeFiles(self._folder, size)
        written = self._write_tree(journal, old, size)
        read_back = self._read_back(old, new)
        tiles_root = TileTree(size, new.read_tile).root()
        # Three computations, two of them from what is on disk now: a log never signs what it has not read.
        if not written == read_back == tiles_root:
            raise DamagedFile(self._folder.root, f"the tree of {size} differs when it is read back", CURE)
        head = Checkpoint(origin=self._origin, size=size, root=read_back)
        signed = parse_signed_checkpoint(sign_checkpoint(head, self._key))
        self._heads.publish(signed)
        return signed

    def check_continues(self, published: Checkpoint) -> TreeFiles:
        """The published tree's tiles, once its right edge on disk leads to its root. Raises StoreCorrupt."""
        files = TreeFiles(self._folder, published.size)
        if files.builder(lambda _tile, _data: None).root() != published.root:
            reason = f"the tiles do not lead to the published root of {published.size}"
            raise DamagedFile(self._folder.root / "tile", reason, "run `testamur audit` to find the file")
        return files

    def _write_tree(self, journal: Journal, old: TreeFiles, size: int) -> bytes:
        batch = FileBatch(self._disk)
        try:
            builder = old.builder(lambda tile, data: batch.add(self._folder.tile(tile), data))
            for entries in journal.read_chunks(old.size, size):
                builder.extend(entries)
            root = builder.finish()
            batch.commit()
        finally:
            batch.abandon()
        return root

    def _read_back(self, old: TreeFiles, new: TreeFiles) -> bytes:
        builder = old.builder(new.compare)
        index, within = divmod(old.size, TILE_WIDTH)
        for number in range(index, -(-new.size // TILE_WIDTH)):
            builder.extend(new.read_unchecked_bundle(number)[within:])
            within = 0
        return builder.finish()


def remove_superseded(folder: LogFolder, old_size: int, new_size: int, disk: Disk) -> None:
    """Partial tiles of the tree of `old_size` are gone where the tree of `new_size` has the full one.

    tlog-tiles lets a log do so; readers cut what they ask for from the full tile.
    """
    for tile in _partial_tiles(old_size):
        if (tile.index + 1) * TILE_WIDTH <= new_size >> TILE_HEIGHT * (tile.level or 0):
            folder_of_partials = folder.tile(tile).parent
            with translated_errors(folder_of_partials), contextlib.suppress(FileNotFoundError):
                for path in sorted(folder_of_partials.iterdir()):
                    disk.unlink(path)
                disk.remove_folder(folder_of_partials)


def _partial_tiles(size: int) -> Iterator[TileId]:
    for level, width in enumerate(partial_widths(size)):
        if width:
            index = size >> TILE_HEIGHT * (level + 1)
            yield TileId(level=level, index=index, width=width)
            if level == 0:
                yield TileId(level=None, index=index, width=width)
