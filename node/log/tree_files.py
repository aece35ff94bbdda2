"""Tiles and bundles as files: reading them back, and never taking a damaged one for a good one."""

from collections.abc import Sequence
from dataclasses import replace

from testamur.node.files import DamagedFile, read_file
from testamur.node.log.builder import Emit, TileBuilder, TreeBuilder, partial_widths
from testamur.node.log.bundles import BUNDLED_ENTRY_BYTES, parse_bundle
from testamur.node.log.layout import LogFolder
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.merkle import leaf_hashes
from testamur.registry.tiles import TILE_WIDTH, TileId, tile_width

MAX_BUNDLE_BYTES = TILE_WIDTH * BUNDLED_ENTRY_BYTES
"""A full bundle; a full tile is a little smaller."""

CURE = "copy this file from a mirror or a backup, then run `testamur audit`"


class TreeFiles:
    """The tiles and bundles of the tree of `size` leaves in a folder. Reads on every call."""

    def __init__(self, folder: LogFolder, size: int) -> None:
        self.folder = folder
        self.size = size

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile: the port that `tiles.TileTree` reads through.

        Read from the widest tile that the tree has there. Raises ValueError when the tree has no such tile,
        StoreCorrupt when its file is missing or of another length.
        """
        widest = tile_width(level, index, self.size)
        if not 1 <= width <= widest:
            raise ValueError(f"a tree of {self.size} has no tile {index} of level {level} and width {width}")
        return self._read(TileId(level=level, index=index, width=widest), DIGEST_BYTES)[
            : width * DIGEST_BYTES
        ]

    def read_hashes(self, level: int, index: int) -> list[bytes]:
        """All hashes of the widest tile. Raises as `read_tile`."""
        data = self.read_tile(level, index, tile_width(level, index, self.size))
        return [data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES)]

    def read_bundle(self, index: int) -> list[bytes]:
        """All entries of the widest bundle, compared with their leaf hashes.

        Raises ValueError when the tree has no such bundle, StoreCorrupt when a file is missing or damaged.
        """
        entries = self.read_unchecked_bundle(index)
        if leaf_hashes(entries) != self.read_hashes(0, index):
            bundle = TileId(level=None, index=index, width=len(entries))
            tile = self.folder.tile(TileId(level=0, index=index, width=len(entries)))
            raise self._damage(bundle, f"does not hash to the leaves in {tile}")
        return entries

    def read_unchecked_bundle(self, index: int) -> list[bytes]:
        """The same without looking at the leaf hashes, for a caller who makes the tile from the entries."""
        width = tile_width(0, index, self.size)
        if not width:
            raise ValueError(f"a tree of {self.size} has no entry bundle {index}")
        bundle = TileId(level=None, index=index, width=width)
        try:
            return parse_bundle(self._read(bundle, BUNDLED_ENTRY_BYTES), width)
        except MalformedError as exc:
            raise self._damage(bundle, exc.reason) from exc

    def salvage_bundle(self, index: int) -> list[bytes] | None:
        """What stands where a damaged bundle's entries stood; None when the file is missing or too short."""
        bundle = TileId(level=None, index=index, width=tile_width(0, index, self.size))
        try:
            data = self._read(bundle, BUNDLED_ENTRY_BYTES)
        except DamagedFile:
            return None
        return [data[at + 2 : at + BUNDLED_ENTRY_BYTES] for at in range(0, len(data), BUNDLED_ENTRY_BYTES)]

    def builder(self, emit: Emit) -> TreeBuilder:
        """A builder that continues this tree from its right edge as it is on disk. Raises StoreCorrupt."""
        widths = partial_widths(self.size)
        levels: list[Sequence[bytes]] = [
            self.read_hashes(level, self.size >> 8 * (level + 1)) if width else ()
            for level, width in enumerate(widths)
        ]
        bundle = self.read_bundle(self.size // TILE_WIDTH) if self.size % TILE_WIDTH else ()
        return TreeBuilder(emit, TileBuilder(emit, size=self.size, levels=levels), bundle)

    def read_resource(self, tile: TileId) -> bytes:
        """A tile or bundle of any width as it is served: cut from the widest file that the tree has there.

        Narrower files of older trees are not read: nothing above them vouches for them any more. Raises as
        `read_tile`.
        """
        width = tile_width(tile.level or 0, tile.index, self.size)
        item_bytes = BUNDLED_ENTRY_BYTES if tile.level is None else DIGEST_BYTES
        return self._read(replace(tile, width=width), item_bytes)[: tile.width * item_bytes]

    def compare(self, tile: TileId, data: bytes) -> None:
        """The file holds exactly `data`. Raises StoreCorrupt otherwise."""
        found = read_file(self.folder.tile(tile), max_bytes=MAX_BUNDLE_BYTES)
        if found is None:
            raise self._damage(tile, "is missing")
        if found != data:
            raise self._damage(tile, "is not what the entries make of it")

    def _read(self, tile: TileId, item_bytes: int) -> bytes:
        data = read_file(self.folder.tile(tile), max_bytes=MAX_BUNDLE_BYTES)
        if data is None and tile.width < TILE_WIDTH:
            # A writer that has gone on since removes a partial tile once the full one is there.
            full = read_file(self.folder.tile(replace(tile, width=TILE_WIDTH)), max_bytes=MAX_BUNDLE_BYTES)
            data = None if full is None else full[: tile.width * item_bytes]
        if data is None:
            raise self._damage(tile, "is missing")
        if len(data) != tile.width * item_bytes:
            raise self._damage(tile, f"has {len(data)} bytes instead of {tile.width * item_bytes}")
        return data

    def _damage(self, tile: TileId, reason: str) -> DamagedFile:
        return DamagedFile(self.folder.tile(tile), reason, CURE)
