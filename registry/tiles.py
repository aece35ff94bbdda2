"""C2SP tlog-tiles: where a log's hashes and entries stand, and proofs straight from them.

A tile is 256 hashes of one level of the tree (https://c2sp.org/tlog-tiles). The last tile of a level may be
partial; empty tiles do not exist. A tile of level L + 1 holds the roots of the full tiles of level L.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.merkle import (
    EMPTY_ROOT,
    MAX_TREE_SIZE,
    CompactRange,
    LeafRange,
    consistency_ranges,
    inclusion_ranges,
    node_hash,
)

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Hashes in a full tile, and entries in a full bundle."""

MAX_TILE_LEVEL: Final = 63
"""The format's bound. A tree of 2^63 leaves has no hashes above level 7."""

MAX_ENTRY_BYTES: Final = 0xFFFF
"""Entries are length-prefixed with 16 bits."""

MAX_CACHED_TILES: Final = 64
"""Tiles that a `TileTree` remembers, since neighbours share theirs: about 3 MB with their inner nodes.

One proof needs fewer than 30, so that no call reads a tile twice."""

ReadTile: TypeAlias = Callable[[int, int, int], bytes]
"""`(level, index, width)` to exactly 32 bytes times `width`; raises whatever its owner raises."""

_PATH: Final = re.compile(
    r"tile/(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


# ------------------------------------------------------------------------------------------------------ paths


@dataclass(frozen=True, slots=True, kw_only=True)
class TileId:
    """A tile of hashes, or (level None) a bundle of entries. `width` is 256 when it is full."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it stands below the log's prefix."""
        if self.level is None:
            return entries_path(self.index, self.width)
        return tile_path(self.level, self.index, self.width)


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Path of a tile of hashes, `tile/<L>/<N>` or `tile/<L>/<N>.p/<W>`; N is split like x001/x234/067.

    Raises ValueError for a level above 63, a negative index and a width outside of 1 … 256.
    """
    if not 0 <= level <= MAX_TILE_LEVEL:
        raise ValueError(f"there is no tile level {level}")
    return f"tile/{level}/{_index_path(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Path of a bundle of entries, `tile/entries/<N>[.p/<W>]`. Raises ValueError as `tile_path`."""
    return f"tile/entries/{_index_path(index, width)}"


def parse_tile_path(text: str) -> TileId:
    """The tile or bundle that this path names, in the one spelling that is written. Raises MalformedError."""
    match = _PATH.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        raise MalformedError("tile path", "is not tile/<level>/<index>[.p/<width>]")
    tile = TileId(
        level=None if match["level"] == "entries" else int(match["level"]),
        index=int(match["index"].replace("/", "").replace("x", "")),
        width=int(match["width"] or TILE_WIDTH),
    )
    if not 1 <= tile.width <= TILE_WIDTH or tile.index > MAX_TREE_SIZE or tile.path != text:
        raise MalformedError("tile path", "holds an index or a width that is out of range or not canonical")
    return tile


def tile_width(level: int, index: int, tree_size: int) -> int:
    """How many hashes tile `index` of `level` has in a tree of `tree_size` leaves; 0 when there is none."""
    hashes = tree_size >> (TILE_HEIGHT * level)
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def _index_path(index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"there is no tile {index} of width {width}")
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return "/".join(reversed(groups)) + suffix


# ---------------------------------------------------------------------------------------------------- entries


def encode_entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Up to 256 entries, each behind its length in two bytes. Raises ValueError for more or longer ones."""
    if len(entries) > TILE_WIDTH:
        raise ValueError(f"a bundle holds {TILE_WIDTH} entries, not {len(entries)}")
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_entry_bundle(data: bytes, *, count: int) -> list[bytes]:
    """The `count` entries that are the whole of `data`; MalformedError for fewer, more, or one cut off."""
    entries: list[bytes] = []
    position = 0
    while position < len(data) and len(entries) < count:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > len(data) or position > len(data):
            raise MalformedError("entry bundle", f"entry {len(entries)} is cut off")
        entries.append(bytes(data[start:position]))
    if len(entries) != count or position != len(data):
        raise MalformedError("entry bundle", f"does not hold exactly {count} entries")
    return entries


# ---------------------------------------------------------------------------------------------------- proving


class TileTree:
    """Roots and proofs of the tree of `size` leaves, and of every smaller one, read from its tiles.

    What is read is believed: the caller compares a root with a signed checkpoint, or verifies the proof. The
    tiles of a tree never change, so those read last are remembered (`MAX_CACHED_TILES`). Not thread-safe.
    """

    def __init__(self, size: int, read: ReadTile) -> None:
        """`read` is asked for tiles as they are in the tree of `size` leaves, partial ones at that width."""
        if not 0 <= size <= MAX_TREE_SIZE:
            raise ValueError(f"there is no tree of size {size}")
        self.size = size
        self._read = read
        self._cache: OrderedDict[tuple[int, int], _Tile] = OrderedDict()

    def leaf_hash(self, leaf_index: int) -> bytes:
        """Hash of leaf `leaf_index`. Raises ValueError when there is none."""
        if not 0 <= leaf_index < self.size:
            raise ValueError(f"no leaf {leaf_index} in a tree of {self.size}")
        return self._node(0, leaf_index)

    def root(self, tree_size: int | None = None) -> bytes:
        """Root of the whole tree, or of the tree of its first `tree_size` leaves."""
        size = self._checked(tree_size)
        return self._hash_of((0, size)) if size else EMPTY_ROOT

    def prove_inclusion(self, leaf_index: int, tree_size: int | None = None) -> list[bytes]:
        """Inclusion proof of a leaf in the whole tree, or in that of the first `tree_size` leaves.

        Raises ValueError for a leaf or a size that is not there. RFC 9162 §2.1.3.1.
        """
        return [self._hash_of(item) for item in inclusion_ranges(leaf_index, self._checked(tree_size))]

    def prove_consistency(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """Consistency proof from the tree of `old_size` leaves to the whole one, or to that of `new_size`.

        Raises ValueError for sizes that are not there or fall. RFC 9162 §2.1.4.1.
        """
        return [self._hash_of(item) for item in consistency_ranges(old_size, self._checked(new_size))]

    def right_edge(self, tree_size: int | None = None) -> CompactRange:
        """What is needed to append to the tree: its complete subtrees, from left to right."""
        size = self._checked(tree_size)
        return CompactRange(size, [self._node(height, index) for height, index in _subtrees((0, size))])

    def _checked(self, tree_size: int | None) -> int:
        if tree_size is None:
            return self.size
        if not 0 <= tree_size <= self.size:
            raise ValueError(f"no tree of {tree_size} leaves in one of {self.size}")
        return tree_size

    def _hash_of(self, leaves: LeafRange) -> bytes:
        """Merkle tree hash of a range that starts where a subtree starts; it may end anywhere."""
        nodes = [self._node(height, index) for height, index in _subtrees(leaves)]
        computed = nodes.pop()
        while nodes:
            computed = node_hash(nodes.pop(), computed)
        return computed

    def _node(self, height: int, index: int) -> bytes:
        """Hash of node `index` of the level `height` above the leaves: a complete subtree of the tree."""
        level, above = divmod(height, TILE_HEIGHT)
        first = index << above  # index, in its tile level, of the leftmost hash below the node
        return self._tile(level, first // TILE_WIDTH).node(above, first % TILE_WIDTH >> above)

    def _tile(self, level: int, index: int) -> "_Tile":
        tile = self._cache.get((level, index))
        if tile is None:
            width = tile_width(level, index, self.size)
            data = self._read(level, index, width)
            if len(data) != width * DIGEST_BYTES:
                path = tile_path(level, index, width)
                raise MalformedError(path, f"has {len(data)} bytes instead of {width * DIGEST_BYTES}")
            tile = _Tile(data)
            self._cache[level, index] = tile
            if len(self._cache) > MAX_CACHED_TILES:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end((level, index))
        return tile


class _Tile:
    """The hashes of a tile, and those between them and the tile above, computed when first needed."""

    __slots__ = ("_rows",)

    def __init__(self, data: bytes) -> None:
        hashes = [data[start : start + DIGEST_BYTES] for start in range(0, len(data), DIGEST_BYTES)]
        self._rows = [hashes]

    def node(self, above: int, index: int) -> bytes:
        """Node `index` of the row `above` the tile's own hashes (0 … 7)."""
        while len(self._rows) <= above:
            row = self._rows[-1]
            pairs = range(0, len(row) - 1, 2)  # an odd hash at the end has no parent within the tile yet
            self._rows.append([node_hash(row[left], row[left + 1]) for left in pairs])
        return self._rows[above][index]


def _subtrees(leaves: LeafRange) -> list[tuple[int, int]]:
    """The complete subtrees (height, index at that height) that make up a range, from left to right.

    The range starts at a multiple of the power of two that its length is below or at.
    """
    start, end = leaves
    parts = []
    while start < end:
        height = (end - start).bit_length() - 1
        parts.append((height, start >> height))
        start += 1 << height
    return parts
