"""Laws of Merkle trees: whatever the sizes, true proofs hold, and no changed proof does."""

from hypothesis import given
from hypothesis import strategies as st

from fakes import merkle_reference as rfc
from fakes.tile_folder import reader_of, tiles_of
from testamur.registry.errors import VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.merkle import (
    MAX_TREE_SIZE,
    CompactRange,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from testamur.registry.tiles import TileTree

LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(1200)]
SIZES = st.integers(0, MAX_TREE_SIZE) | st.integers(0, 63).flatmap(
    lambda bits: st.integers(max(0, (1 << bits) - 2), min(MAX_TREE_SIZE, (1 << bits) + 2))
)


def holds(verify, *claim):
    try:
        verify(*claim)
    except VerificationError:
        return False
    return True


def hashes(count, seed):
    return [sha256(seed + number.to_bytes(2, "big")) for number in range(count)]


@given(st.integers(1, 1200), st.data())
def test_small_trees_agree_with_the_rfc(size, data):
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = rfc.mth(LEAVES[:size])
    assert root_hash(LEAVES[:size]) == root
    assert prove_inclusion(LEAVES, index, size) == rfc.path(index, LEAVES[:size])
    assert prove_consistency(LEAVES, old, size) == rfc.proof(old, LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, rfc.path(index, LEAVES[:size]), root)
    verify_consistency(old, rfc.mth(LEAVES[:old]), size, root, rfc.proof(old, LEAVES[:size]))


@given(SIZES, st.data(), st.binary(max_size=4))
def test_inclusion_at_any_size_is_what_the_rfc_algorithm_says(size, data, seed):
    size = max(size, 1)
    index = data.draw(st.integers(0, size - 1))
    leaf = leaf_hash(seed)
    proof = hashes(len(inclusion_ranges(index, size)), seed)
    root = rfc.inclusion_root(leaf, index, size, proof)
    verify_inclusion(leaf, index, size, proof, root)
    assert not holds(verify_inclusion, leaf, index, size, [*proof, leaf], root)
    if proof:
        assert not holds(verify_inclusion, leaf, index, size, proof[:-1], root)
        position = data.draw(st.integers(0, len(proof) - 1))
        assert not holds(
            verify_inclusion, leaf, index, size, [*proof[:position], leaf, *proof[position + 1 :]], root
        )
    other = data.draw(SIZES)
    claimed = other > index and rfc.inclusion_root(leaf, index, other, proof) == root
    assert holds(verify_inclusion, leaf, index, other, proof, root) is claimed


@given(SIZES, SIZES, st.data(), st.binary(max_size=4))
def test_consistency_at_any_size_is_what_the_rfc_algorithm_says(one, two, data, seed):
    old, new = max(1, min(one, two)), max(one, two, 1)
    if old == new:
        old, new = (old, new + 1) if new < MAX_TREE_SIZE else (old - 1, new)
    given_root = leaf_hash(seed)
    proof = hashes(len(consistency_ranges(old, new)), seed)
    old_root, new_root = rfc.consistency_roots(old, new, given_root, proof)
    verify_consistency(old, old_root, new, new_root, proof)
    assert not holds(verify_consistency, old, old_root, new, new_root, [*proof, given_root])
    assert not holds(verify_consistency, old, old_root, new, old_root, proof)
    assert not holds(verify_consistency, old, leaf_hash(b"x" + seed), new, new_root, proof)
    if proof:
        position = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:position], sha256(b"x" + seed), *proof[position + 1 :]]
        assert not holds(verify_consistency, old, old_root, new, new_root, changed)
        assert not holds(verify_consistency, old, old_root, new, new_root, proof[:-1])


@given(st.lists(st.integers(0, 200), max_size=6))
def test_a_compact_range_does_not_care_how_its_leaves_arrive(steps):
    edge, taken = CompactRange(), 0
    for step in steps:
        edge.extend(LEAVES[taken : taken + step])
        taken += step
        edge = CompactRange(edge.size, edge.hashes)
        assert edge.root() == root_hash(LEAVES[:taken])


@given(st.integers(1, 1200), st.data())
def test_tiles_of_a_larger_tree_prove_every_smaller_one(size, data):
    tree = TileTree(size, reader_of(tiles_of(LEAVES[:size])))
    smaller = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, smaller - 1))
    old = data.draw(st.integers(0, smaller))
    assert tree.root(smaller) == root_hash(LEAVES[:smaller])
    assert tree.prove_inclusion(index, smaller) == rfc.path(index, LEAVES[:smaller])
    assert tree.prove_consistency(old, smaller) == prove_consistency(LEAVES, old, smaller)
    assert tree.right_edge(smaller).root() == tree.root(smaller)
