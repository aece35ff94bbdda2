"""Tiles and bundles of a log made whole from the signed root downwards."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

from testamur.node.files import DamagedFile, read_file
from testamur.node.log.builder import TileBuilder, partial_widths
from testamur.node.log.bundles import BUNDLED_ENTRY_BYTES, encode_bundle
from testamur.node.log.layout import LogFolder
from testamur.node.log.sources import LogSource
from testamur.node.log.tree_files import MAX_BUNDLE_BYTES, TreeFiles
from testamur.registry.checkpoints import Checkpoint
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.merkle import leaf_hash, root_hash
from testamur.registry.tiles import TILE_HEIGHT, TILE_WIDTH, TileId, tile_width


class TileMender:
    """Writes tiles and bundles that are proven, through `write`; adds to `lost` what nobody has."""

    def __init__(
        self, files: LogFolder, source: LogSource, write: Callable[[Path, bytes], None], lost: list[str]
    ) -> None:
        self._files = files
        self._source = source
        self._write = write
        self._lost = lost

    def mend(self, head: Checkpoint) -> None:
        """Every tile of this head's tree, from the edge and the top to the leaves."""
        files = TreeFiles(self._files, head.size)
        widths = partial_widths(head.size)
        self._mend_edge(head, widths)
        for level in reversed(range(len(widths) - 1)):
            parents: tuple[int, list[bytes]] = (-1, [])
            for index in range(head.size >> TILE_HEIGHT * (level + 1)):
                if parents[0] != index >> TILE_HEIGHT:
                    try:
                        above = files.read_hashes(level + 1, index >> TILE_HEIGHT)
                    except DamagedFile:
                        above = []  # lost, and said so when it was its turn
                    parents = (index >> TILE_HEIGHT, above)
                if parents[1]:
                    self._mend_full(TileId(level=level, index=index), parents[1][index % TILE_WIDTH])

    def _mend_edge(self, head: Checkpoint, widths: Sequence[int]) -> None:
        """The partial tiles together lead to the head: all combinations of the few that there are."""
        tiles = [
            TileId(level=level, index=head.size >> TILE_HEIGHT * (level + 1), width=width) if width else None
            for level, width in enumerate(widths)
        ]
        choices = [[b""] if tile is None else list(self._tiles(tile)) for tile in tiles]
        for chosen in product(*choices):
            levels = [_hashes(data) for data in chosen]
            if TileBuilder(_ignore, size=head.size, levels=levels).root() == head.root:
                for tile, data in zip(tiles, chosen, strict=True):
                    if tile is not None:
                        self._put(tile, data)
                return
        self._lost.append(f"{self._files.root / 'tile'}: the tiles at the right edge of {head.size}")

    def _mend_full(self, tile: TileId, expected: bytes) -> None:
        for data in self._tiles(tile):
            if root_hash(_hashes(data)) == expected:
                self._put(tile, data)
                return
        self._lost.append(f"{self._files.tile(tile)}: this tile")

    def _tiles(self, tile: TileId) -> Iterator[bytes]:
        """What the tile may be: as it is here, there, or as it is made of what stands below it."""
        length = tile.width * DIGEST_BYTES
        seen = set()
        for data in (self._read(tile), self._source.find_tile(tile), self._from_below(tile)):
            if data is not None and len(data) >= length and data[:length] not in seen:
                seen.add(data[:length])
                yield data[:length]

    def _from_below(self, tile: TileId) -> bytes | None:
        if tile.level == 0:
            bundle = TileId(level=None, index=tile.index, width=tile.width)
            for data in (self._read(bundle), self._source.find_tile(bundle)):
                if data is not None and len(data) == tile.width * BUNDLED_ENTRY_BYTES:
                    return b"".join(leaf_hash(entry) for entry in _entries(data))
            return None
        roots = []
        for index in range(tile.index * TILE_WIDTH, tile.index * TILE_WIDTH + tile.width):
            below = self._read(TileId(level=(tile.level or 1) - 1, index=index))
            if below is None or len(below) != TILE_WIDTH * DIGEST_BYTES:
                return None
            roots.append(root_hash(_hashes(below)))
        return b"".join(roots)

    def mend_bundle(self, index: int, size: int, hashes: Sequence[bytes]) -> Sequence[bytes]:
        """The bundle's entries, each from whoever has it right; nothing when one is lost."""
        bundle = TileId(level=None, index=index, width=tile_width(0, index, size))
        copies = [_entries(self._read(bundle) or b""), _entries(self._source.find_tile(bundle) or b"")]
        found = []
        for at, expected in enumerate(hashes):
            good = (copy[at] for copy in copies if at < len(copy) and leaf_hash(copy[at]) == expected)
            entry = next(good, None)
            if entry is None:
                self._lost.append(f"{self._files.tile(bundle)}: entry {index * TILE_WIDTH + at}")
                return ()
            found.append(entry)
        self._put(bundle, encode_bundle(found))
        return found

    def _read(self, tile: TileId) -> bytes | None:
        try:
            return read_file(self._files.tile(tile), max_bytes=MAX_BUNDLE_BYTES)
        except DamagedFile:
            return None

    def _put(self, tile: TileId, data: bytes) -> None:
        path = self._files.tile(tile)
        if self._read(tile) != data:
            self._write(path, data)
        for width in range(1, tile.width if tile.width < TILE_WIDTH else 0):
            # Of older checkpoints, and served as long as they are there.
            narrower = TileId(level=tile.level, index=tile.index, width=width)
            beginning = data[: len(data) * width // tile.width]
            if self._files.tile(narrower).exists() and self._read(narrower) != beginning:
                self._write(self._files.tile(narrower), beginning)


def _hashes(data: bytes) -> list[bytes]:
    return [data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES)]


def _entries(data: bytes) -> list[bytes]:
    return [data[at + 2 : at + BUNDLED_ENTRY_BYTES] for at in range(0, len(data), BUNDLED_ENTRY_BYTES)]


def _ignore(_tile: TileId, _data: bytes) -> None:
    """Tiles are only hashed here."""
