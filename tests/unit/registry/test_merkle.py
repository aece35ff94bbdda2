import pytest

from fakes import merkle_reference as rfc
from testamur.registry.errors import VerificationError
from testamur.registry.hashing import sha256
from testamur.registry.merkle import (
    EMPTY_ROOT,
    MAX_TREE_SIZE,
    CompactRange,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    leaf_hashes,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root_hash,
    subtree_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([number])) for number in range(40)]
OTHER = sha256(b"something else")


def test_leaves_and_nodes_are_hashed_apart():
    assert leaf_hash(b"") == sha256(b"\0")
    assert node_hash(LEAVES[0], LEAVES[1]) == sha256(b"\x01" + LEAVES[0] + LEAVES[1])
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def test_roots_are_those_of_the_rfc():
    assert root_hash([]) == EMPTY_ROOT == rfc.mth([])
    for size in range(1, 41):
        assert root_hash(LEAVES[:size]) == rfc.mth(LEAVES[:size])


def test_many_leaves_are_hashed_as_one_is():
    entries = [bytes([number]) for number in range(40)]
    assert leaf_hashes(entries) == LEAVES
    assert leaf_hashes([]) == []


def test_a_complete_subtree_has_its_own_way_to_the_same_root():
    for height in range(6):
        assert subtree_hash(LEAVES[: 1 << height]) == root_hash(LEAVES[: 1 << height])
    for size in (0, 3, 5, 33):
        with pytest.raises(ValueError, match=f"{size} hashes make no complete subtree"):
            subtree_hash(LEAVES[:size])


def test_every_inclusion_proof_is_that_of_the_rfc_and_holds():
    for size in range(1, 41):
        root = rfc.mth(LEAVES[:size])
        for index in range(size):
            proof = prove_inclusion(LEAVES, index, size)
            assert proof == rfc.path(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, proof, root)


def test_every_consistency_proof_is_that_of_the_rfc_and_holds():
    for new in range(41):
        for old in range(new + 1):
            proof = prove_consistency(LEAVES, old, new)
            assert proof == (rfc.proof(old, LEAVES[:new]) if old else [])
            verify_consistency(old, rfc.mth(LEAVES[:old]), new, rfc.mth(LEAVES[:new]), proof)


def refuses_inclusion(*claim):
    with pytest.raises(VerificationError) as caught:
        verify_inclusion(*claim)
    return caught.value.reason == "inclusion-mismatch"


def refuses_consistency(*claim):
    with pytest.raises(VerificationError) as caught:
        verify_consistency(*claim)
    return caught.value.reason == "consistency-mismatch"


def test_any_change_of_an_inclusion_proof_is_refused():
    for size in range(1, 20):
        root = root_hash(LEAVES[:size])
        for index in range(size):
            leaf, proof = LEAVES[index], prove_inclusion(LEAVES, index, size)
            assert refuses_inclusion(OTHER, index, size, proof, root)
            assert refuses_inclusion(leaf, index, size, proof, OTHER)
            assert refuses_inclusion(leaf, index, size, [*proof, OTHER], root)
            assert refuses_inclusion(leaf, index, size, [OTHER, *proof], root)
            for other in set(range(-2, 22)) - {index}:
                assert refuses_inclusion(leaf, other, size, proof, root)
            for position in range(len(proof)):
                assert refuses_inclusion(leaf, index, size, proof[:position] + proof[position + 1 :], root)
                changed = [*proof[:position], OTHER, *proof[position + 1 :]]
                assert refuses_inclusion(leaf, index, size, changed, root)


def test_a_size_under_which_the_path_has_another_length_is_refused():
    # Some sizes share a path's shape; for those the RFC's algorithm, too, accepts the same hashes.
    for size in range(1, 20):
        root = root_hash(LEAVES[:size])
        for index in range(size):
            proof = prove_inclusion(LEAVES, index, size)
            for other in range(-1, 22):
                claimed = (
                    0 <= index < other and rfc.inclusion_root(LEAVES[index], index, other, proof) == root
                )
                if claimed:
                    verify_inclusion(LEAVES[index], index, other, proof, root)
                else:
                    assert refuses_inclusion(LEAVES[index], index, other, proof, root)


def test_any_change_of_a_consistency_proof_is_refused():
    for new in range(1, 20):
        new_root = root_hash(LEAVES[:new])
        for old in range(1, new):
            old_root, proof = root_hash(LEAVES[:old]), prove_consistency(LEAVES, old, new)
            assert refuses_consistency(old, OTHER, new, new_root, proof)
            assert refuses_consistency(old, old_root, new, OTHER, proof)
            assert refuses_consistency(new, new_root, old, old_root, proof)
            assert refuses_consistency(old, old_root, new, new_root, [*proof, OTHER])
            assert refuses_consistency(old, old_root, new, new_root, [OTHER, *proof])
            assert refuses_consistency(old, old_root, new, new_root, [])
            assert refuses_consistency(0, old_root, new, new_root, proof)
            for position in range(len(proof)):
                shorter = proof[:position] + proof[position + 1 :]
                changed = [*proof[:position], OTHER, *proof[position + 1 :]]
                assert refuses_consistency(old, old_root, new, new_root, shorter)
                assert refuses_consistency(old, old_root, new, new_root, changed)


def test_the_empty_tree_has_one_root_and_every_tree_extends_it():
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    verify_consistency(0, EMPTY_ROOT, 3, root_hash(LEAVES[:3]), [])
    assert refuses_consistency(0, OTHER, 0, OTHER, [])
    assert refuses_consistency(0, OTHER, 3, root_hash(LEAVES[:3]), [])
    assert refuses_consistency(0, EMPTY_ROOT, 3, root_hash(LEAVES[:3]), [OTHER])
    assert refuses_consistency(0, EMPTY_ROOT, 3, b"not a hash", [])


def test_equal_sizes_need_equal_roots_and_no_proof():
    root = root_hash(LEAVES[:5])
    verify_consistency(5, root, 5, root, [])
    assert refuses_consistency(5, root, 5, OTHER, [])
    assert refuses_consistency(5, root, 5, root, [OTHER])


def test_a_hash_that_is_not_32_bytes_is_refused_before_it_can_stand_for_two():
    # Moving bytes from one hash to the next would leave the hashed concatenation unchanged.
    left, right = LEAVES[0], LEAVES[1]
    root = node_hash(left, right)
    verify_inclusion(left, 0, 2, [right], root)
    assert refuses_inclusion(left + right[:1], 0, 2, [right[1:]], root)
    assert refuses_inclusion(left[:31], 0, 2, [left[31:] + right], root)
    assert refuses_consistency(1, left + right[:1], 2, root, [right[1:]])


def test_sizes_up_to_2_to_63_minus_1_are_trees_and_larger_ones_are_not():
    largest = MAX_TREE_SIZE
    proof = [sha256(bytes([number])) for number in range(len(inclusion_ranges(largest - 1, largest)))]
    root = rfc.inclusion_root(OTHER, largest - 1, largest, proof)
    verify_inclusion(OTHER, largest - 1, largest, proof, root)
    assert refuses_inclusion(OTHER, largest - 1, largest + 1, proof, root)
    assert refuses_inclusion(OTHER, 0, largest + 1, [OTHER] * 63, root)
    assert refuses_consistency(largest, OTHER, largest + 1, OTHER, [])


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (inclusion_ranges, (-1, 3)),
        (inclusion_ranges, (3, 3)),
        (inclusion_ranges, (0, MAX_TREE_SIZE + 1)),
        (consistency_ranges, (4, 3)),
        (consistency_ranges, (-1, 3)),
        (consistency_ranges, (1, MAX_TREE_SIZE + 1)),
        (prove_inclusion, (LEAVES, 0, 41)),
        (prove_consistency, (LEAVES, 1, 41)),
    ],
)
def test_asking_for_a_proof_that_cannot_be_is_a_programming_mistake(function, arguments):
    with pytest.raises(ValueError, match=r".+"):
        function(*arguments)


def test_a_compact_range_has_the_root_of_every_prefix():
    one_by_one, at_once = CompactRange(), CompactRange()
    for size in range(41):
        assert one_by_one.size == size
        assert one_by_one.root() == rfc.mth(LEAVES[:size])
        assert len(one_by_one.hashes) == size.bit_count()
        if size < 40:
            one_by_one.append(LEAVES[size])
    at_once.extend(iter(LEAVES))
    assert (at_once.size, at_once.hashes) == (one_by_one.size, one_by_one.hashes)


def test_a_compact_range_goes_on_from_its_edge():
    edge = CompactRange()
    edge.extend(LEAVES[:23])
    again = CompactRange(edge.size, edge.hashes)
    again.extend(LEAVES[23:])
    assert again.root() == root_hash(LEAVES)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [(1, []), (0, [OTHER]), (3, [OTHER]), (-1, [OTHER]), (1, [b"short"]), (1 << 63, [OTHER])],
)
def test_an_edge_that_does_not_fit_its_size_is_a_programming_mistake(size, hashes):
    with pytest.raises(ValueError, match="right edge"):
        CompactRange(size, hashes)
