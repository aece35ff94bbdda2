import hashlib

import pytest

from testamur.node.log.builder import TileBuilder, TreeBuilder, partial_widths
from testamur.node.log.bundles import encode_bundle, parse_bundle
from testamur.registry.errors import MalformedError
from testamur.registry.merkle import leaf_hash, root_hash
from testamur.registry.tiles import TILE_WIDTH, TileId, encode_entry_bundle, parse_entry_bundle

ENTRIES = [b"\x01\x01" + hashlib.sha256(b"%d" % number).digest() for number in range(66_000)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
BOUNDARIES = (*range(1, 1001), 65_535, 65_536, 65_537)


def nothing(_tile, _data):
    pass


def expected_files(size):
    """The files that tlog-tiles demands for a tree, by the words of the specification."""
    files = {}
    for start in range(0, size, TILE_WIDTH):
        bundle = ENTRIES[start : min(size, start + TILE_WIDTH)]
        tile = TileId(level=None, index=start // TILE_WIDTH, width=len(bundle))
        files[tile] = encode_entry_bundle(bundle)
    level, hashes = 0, LEAVES[:size]
    while hashes:
        for start in range(0, len(hashes), TILE_WIDTH):
            tile = hashes[start : start + TILE_WIDTH]
            files[TileId(level=level, index=start // TILE_WIDTH, width=len(tile))] = b"".join(tile)
        full = len(hashes) // TILE_WIDTH
        hashes = [root_hash(hashes[n * TILE_WIDTH : (n + 1) * TILE_WIDTH]) for n in range(full)]
        level += 1
    return files


def fresh_builder(files):
    return TreeBuilder(files.__setitem__, TileBuilder(files.__setitem__))


def test_a_tree_is_cut_as_tlog_tiles_says_at_every_size_up_to_1000_and_around_65536():
    emitted, published = {}, {}
    builder = fresh_builder(emitted)
    for size in BOUNDARIES:
        builder.extend(ENTRIES[builder.size : size])
        published |= emitted
        emitted.clear()
        root = builder.finish()
        partial, full = (
            dict(emitted),
            {tile: data for tile, data in published.items() if tile.width == TILE_WIDTH},
        )
        emitted.clear()
        assert full | partial == expected_files(size), size
        assert root == root_hash(LEAVES[:size]), size


def test_the_specification_s_example_of_70000_leaves():
    files = {}
    builder = TileBuilder(files.__setitem__)
    builder.extend([bytes(32)] * 70_000)
    builder.finish()
    widths = sorted((tile.level, tile.width) for tile in files if tile.width < TILE_WIDTH)
    full = [sum(tile.level == level and tile.width == TILE_WIDTH for tile in files) for level in (0, 1, 2)]
    assert (full, widths) == ([273, 1, 0], [(0, 112), (1, 17), (2, 1)])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_535, 65_536, 65_793])
def test_a_builder_goes_on_where_another_stopped(size):
    first = {}
    builder = fresh_builder(first)
    builder.extend(ENTRIES[:size])
    builder.finish()

    def hashes(level):
        for tile, data in first.items():
            if (tile.level, tile.index) == (level, size >> 8 * (level + 1)) and tile.width < TILE_WIDTH:
                return [data[at : at + 32] for at in range(0, len(data), 32)]
        return []

    levels = [hashes(level) for level in range(len(partial_widths(size)))]
    second = {}
    resumed = TreeBuilder(
        second.__setitem__,
        TileBuilder(second.__setitem__, size=size, levels=levels),
        ENTRIES[size - size % TILE_WIDTH : size],
    )
    assert resumed.root() == root_hash(LEAVES[:size])
    resumed.extend(ENTRIES[size : size + 200])
    assert resumed.finish() == root_hash(LEAVES[: size + 200])
    made = {tile: data for tile, data in first.items() if tile.width == TILE_WIDTH} | second
    assert made == expected_files(size + 200)


def test_a_builder_refuses_partial_tiles_of_another_size():
    with pytest.raises(ValueError, match="not those of a tree of 2"):
        TileBuilder(nothing, size=2, levels=[[bytes(32)]])
    with pytest.raises(ValueError, match="partial bundle"):
        TreeBuilder(nothing, TileBuilder(nothing, size=1, levels=[[bytes(32)]]))


def test_the_root_with_more_leaves_is_the_root_after_adding_them():
    builder = TileBuilder(nothing)
    builder.extend(LEAVES[:300])
    assert builder.root(LEAVES[300:310]) == root_hash(LEAVES[:310])
    assert builder.root() == root_hash(LEAVES[:300])


@pytest.mark.parametrize("count", [1, 2, 255, 256])
def test_bundles_are_those_of_the_registry(count):
    data = encode_bundle(ENTRIES[:count])
    assert data == encode_entry_bundle(ENTRIES[:count])
    assert parse_bundle(data, count) == parse_entry_bundle(data, count=count) == ENTRIES[:count]


def test_a_bundle_with_another_length_or_count_is_refused():
    data = encode_bundle(ENTRIES[:3])
    for wrong, count in (
        (data, 2),
        (data[:-1], 3),
        (data + b"\0", 3),
        (data[:36] + b"\0\x21" + data[38:], 3),
    ):
        with pytest.raises(MalformedError):
            parse_bundle(wrong, count)
    with pytest.raises(ValueError, match="34 bytes"):
        encode_bundle([b"\x01" * 33])
