"""Entries in, tiles and bundles out: the one place that knows how a tree is cut into files (C2SP tlog-tiles).

Publishing writes what comes out; checking compares it with what is on disk. Constant memory: at most 256
entries, and 256 hashes for each of the eight levels.
"""

from collections.abc import Callable, Sequence

from testamur.node.log.bundles import encode_bundle
from testamur.registry.merkle import EMPTY_ROOT, leaf_hashes, root_hash, subtree_hash
from testamur.registry.tiles import TILE_HEIGHT, TILE_WIDTH, TileId

Emit = Callable[[TileId, bytes], None]
"""Takes one tile or bundle and the content of its file."""


class TileBuilder:
    """A tree that grows by leaf hashes; hands out each tile once it is full, the partial ones at the end."""

    def __init__(self, emit: Emit, *, size: int = 0, levels: Sequence[Sequence[bytes]] = ()) -> None:
        """Start empty, or at `size` with the hashes in the partial tile of every level.

        Raises ValueError when their widths are not those of a tree of `size`.
        """
        self._emit = emit
        self._size = size
        self._levels = [list(hashes) for hashes in levels] or [[]]
        if size and [len(hashes) for hashes in self._levels] != partial_widths(size):
            raise ValueError(f"the partial tiles are not those of a tree of {size}")

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    def extend(self, hashes: Sequence[bytes]) -> None:
        """Add leaf hashes in order; full tiles of every level are emitted on the way."""
        position = 0
        while position < len(hashes):
            chunk = hashes[position : position + TILE_WIDTH - len(self._levels[0])]
            position += len(chunk)
            self._size += len(chunk)
            self._add(0, chunk)

    def finish(self) -> bytes:
        """Emit the partial tiles of the tree as it is, and give its root."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                index = self._size >> TILE_HEIGHT * (level + 1)
                self._emit(TileId(level=level, index=index, width=len(hashes)), b"".join(hashes))
        return self.root()

    def root(self, more: Sequence[bytes] = ()) -> bytes:
        """Root of the tree so far (RFC 9162), or as it would be with `more` leaves in its partial tile."""
        root: bytes | None = None
        for level, hashes in enumerate(self._levels):
            # Every item covers 256^level leaves except the last, which holds what is left over below:
            # cutting the items where RFC 9162 cuts is cutting the leaves where RFC 9162 cuts.
            items = [*hashes, *more] if level == 0 else hashes
            if root is not None:
                items = [*items, root]
            root = root_hash(items) if items else None
        return EMPTY_ROOT if root is None else root

    def _add(self, level: int, hashes: Sequence[bytes]) -> None:
        """Append to the partial tile of a level; never beyond its end."""
        if level == len(self._levels):
            self._levels.append([])
        tile = self._levels[level]
        tile += hashes
        if len(tile) == TILE_WIDTH:
            index = (self._size >> TILE_HEIGHT * (level + 1)) - 1
            self._emit(TileId(level=level, index=index), b"".join(tile))
            full = subtree_hash(tile)
            tile.clear()
            self._add(level + 1, [full])


class TreeBuilder:
    """The same for entries of 34 bytes, with their bundles."""

    def __init__(self, emit: Emit, tiles: TileBuilder, bundle: Sequence[bytes] = ()) -> None:
        """Go on from `tiles`, whose partial tile of leaves is that of the entries in `bundle`.

        Raises ValueError when their numbers do not fit.
        """
        self._emit = emit
        self._tiles = tiles
        self._bundle = list(bundle)
        if len(self._bundle) != tiles.size % TILE_WIDTH:
            raise ValueError(f"the partial bundle is not that of a tree of {tiles.size}")

    @property
    def size(self) -> int:
        """Entries so far."""
        return self._tiles.size

    def extend(self, entries: Sequence[bytes]) -> None:
        """Add entries in order; full tiles and bundles are emitted on the way."""
        position = 0
        while position < len(entries):
            chunk = entries[position : position + TILE_WIDTH - len(self._bundle)]
            position += len(chunk)
            self._bundle += chunk
            self._tiles.extend(leaf_hashes(chunk))
            if len(self._bundle) == TILE_WIDTH:
                index = self.size // TILE_WIDTH - 1
                self._emit(TileId(level=None, index=index), encode_bundle(self._bundle))
                self._bundle.clear()

    def finish(self) -> bytes:
        """Emit the partial tiles and the partial bundle of the tree as it is, and give its root."""
        if self._bundle:
            bundle = TileId(level=None, index=self.size // TILE_WIDTH, width=len(self._bundle))
            self._emit(bundle, encode_bundle(self._bundle))
        return self._tiles.finish()

    def root(self) -> bytes:
        """Root of the tree so far."""
        return self._tiles.root()


def partial_widths(size: int) -> list[int]:
    """Width of the partial tile of each level of a tree of `size`, leaves first; 0 where there is none."""
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size //= TILE_WIDTH
    return widths
