import pytest

from fakes.tile_folder import reader_of, tiles_of
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.merkle import EMPTY_ROOT, prove_consistency, prove_inclusion, root_hash
from testamur.registry.tiles import (
    TileId,
    TileTree,
    encode_entry_bundle,
    entries_path,
    parse_entry_bundle,
    parse_tile_path,
    tile_path,
    tile_width,
)

LEAVES = [sha256(number.to_bytes(4, "big")) for number in range(70_000)]
TILES = tiles_of(LEAVES)


# -- paths


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileId(level=0, index=0), "tile/0/000"),
        (TileId(level=0, index=1234067), "tile/0/x001/x234/067"),
        (TileId(level=2, index=999, width=17), "tile/2/999.p/17"),
        (TileId(level=63, index=1000, width=255), "tile/63/x001/000.p/255"),
        (TileId(level=None, index=5, width=1), "tile/entries/005.p/1"),
        (TileId(level=None, index=1234), "tile/entries/x001/234"),
    ],
)
def test_paths_are_those_of_the_specification_in_both_directions(tile, path):
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/001",
        "tile/0/001/x002",
        "tile/0/x001/1234",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/entries/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 8 + "999",
    ],
)
def test_paths_in_any_other_spelling_are_refused(path):
    with pytest.raises(MalformedError):
        parse_tile_path(path)


@pytest.mark.parametrize("arguments", [(-1, 0), (64, 0), (0, -1), (0, 0, 0), (0, 0, 257)])
def test_a_tile_that_cannot_be_has_no_path(arguments):
    with pytest.raises(ValueError, match="no tile"):
        tile_path(*arguments)


def test_a_tree_of_70_000_has_the_tiles_of_the_specifications_example():
    assert sum(path.startswith("tile/0/") and ".p/" not in path for path in TILES) == 273
    partial = {path for path in TILES if ".p/" in path}
    assert partial == {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
    assert tile_width(0, 273, 70_000) == 112
    assert tile_width(1, 1, 70_000) == 17
    assert tile_width(0, 274, 70_000) == 0
    assert (tile_width(0, 0, 256), tile_width(1, 0, 256)) == (256, 1)


# -- entries


def test_bundles_round_trip():
    entries = [b"", b"x", bytes(34), b"\xff" * 0xFFFF]
    data = encode_entry_bundle(entries)
    assert data[:7] == b"\0\0\0\x01x\0\x22"
    assert parse_entry_bundle(data, count=4) == entries
    assert parse_entry_bundle(b"", count=0) == []


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"\0\x01x", 2),
        (b"\0\x01x", 0),
        (b"\0\x02x", 1),
        (b"\0", 1),
        (b"\0\x01xy", 1),
        (b"\0\x01x\0", 2),
        (b"", 1),
    ],
)
def test_a_bundle_with_anything_too_much_or_too_little_is_refused(data, count):
    with pytest.raises(MalformedError):
        parse_entry_bundle(data, count=count)


@pytest.mark.parametrize("entries", [[b""] * 257, [bytes(0x10000)]])
def test_what_a_bundle_cannot_hold_is_a_programming_mistake(entries):
    with pytest.raises(ValueError, match=r"bundle|entry"):
        encode_entry_bundle(entries)


# -- proving


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 65_536, 65_537])
def test_tiles_prove_what_the_leaves_prove(size):
    tree = TileTree(size, reader_of(tiles_of(LEAVES[:size])))
    assert tree.root() == root_hash(LEAVES[:size])
    assert tree.right_edge().root() == tree.root()
    for index in {0, size // 3, size - 2, size - 1} & set(range(size)):
        assert tree.leaf_hash(index) == LEAVES[index]
        assert tree.prove_inclusion(index) == prove_inclusion(LEAVES, index, size)
    for old in {0, 1, 256, 257, size // 2, size - 1, size} & set(range(size + 1)):
        assert tree.root(old) == root_hash(LEAVES[:old])
        assert tree.prove_consistency(old) == prove_consistency(LEAVES, old, size)


def test_smaller_trees_are_proven_from_the_tiles_of_a_larger_one():
    tree = TileTree(70_000, reader_of(TILES))
    for old, size in [(1, 300), (256, 65_536), (65_537, 69_999), (12_345, 54_321)]:
        assert tree.prove_inclusion(old, size) == prove_inclusion(LEAVES, old, size)
        assert tree.prove_consistency(old, size) == prove_consistency(LEAVES, old, size)
        assert tree.right_edge(size).root() == root_hash(LEAVES[:size])


def test_one_call_reads_few_tiles_and_none_twice():
    reads = []
    for call in (
        lambda tree: tree.prove_inclusion(34_567),
        lambda tree: tree.prove_consistency(54_321),
        lambda tree: tree.prove_inclusion(34_567, 54_321),
        lambda tree: tree.root(),
        lambda tree: tree.right_edge(),
    ):
        reads.clear()
        call(TileTree(70_000, reader_of(TILES, reads)))
        assert 1 <= len(reads) <= 6
        assert len(set(reads)) == len(reads)


def test_what_is_remembered_is_bounded():
    tree = TileTree(70_000, reader_of(TILES))
    for index in range(0, 70_000, 256):
        tree.leaf_hash(index)
    assert len(tree._cache) == 64


def test_the_empty_tree_reads_nothing():
    tree = TileTree(0, reader_of({}))
    assert tree.root() == EMPTY_ROOT
    assert tree.right_edge().size == 0
    assert tree.prove_consistency(0) == []


def test_a_tree_of_2_to_62_plus_1_leaves_is_read_at_its_edge_only():
    """Every full tile is the same here, so that a tree larger than any disk can be read."""
    full = b"".join(LEAVES[:256])
    reads = []

    def read(level, index, width):
        reads.append((level, index, width))
        return full[: width * 32]

    tree = TileTree((1 << 62) + 1, read)
    assert len(tree.prove_inclusion(1 << 62)) == 1
    assert len(tree.prove_inclusion(0)) == 63
    assert len(reads) <= 10


@pytest.mark.parametrize("length", [0, 31, 32 * 111, 32 * 113, 8192])
def test_a_tile_of_the_wrong_length_is_refused_by_its_path(length):
    tree = TileTree(70_000, lambda level, index, width: bytes(length))
    with pytest.raises(MalformedError, match=r"tile/0/273\.p/112"):
        tree.leaf_hash(69_999)


def test_what_the_reader_raises_comes_through():
    tree = TileTree(70_000, reader_of({}))
    with pytest.raises(KeyError):
        tree.root()


@pytest.mark.parametrize(
    "call",
    [
        lambda tree: tree.leaf_hash(300),
        lambda tree: tree.leaf_hash(-1),
        lambda tree: tree.prove_inclusion(300),
        lambda tree: tree.prove_inclusion(0, 301),
        lambda tree: tree.prove_consistency(301),
        lambda tree: tree.prove_consistency(5, 4),
        lambda tree: tree.root(-1),
        lambda tree: TileTree(-1, tree._read),
        lambda tree: TileTree(1 << 63, tree._read),
    ],
)
def test_asking_beyond_the_tree_is_a_programming_mistake(call):
    with pytest.raises(ValueError, match=r".+"):
        call(TileTree(300, reader_of(tiles_of(LEAVES[:300]))))


def test_the_bundle_of_the_last_entries_has_the_width_of_its_tile():
    assert entries_path(273, tile_width(0, 273, 70_000)) == "tile/entries/273.p/112"
