"""RFC 6962/9162 Merkle trees over SHA-256: roots, proofs, and the refusal of every wrong proof.

A tree is given by its *leaf hashes* (32 bytes each), in order. `leaf_hash` and `node_hash` carry different
prefixes, so that no inner node can be passed off as an entry.
"""

import hashlib
from collections.abc import Iterable, Sequence

from testamur.registry.errors import VerificationError
from testamur.registry.hashing import DIGEST_BYTES, sha256

MAX_TREE_SIZE = (1 << 63) - 1
"""Largest tree: other implementations carry sizes as signed 64-bit integers."""

MAX_PROOF_HASHES = 63
"""Longest inclusion proof of a tree of `MAX_TREE_SIZE` leaves; consistency proofs have at most one more."""

EMPTY_ROOT = sha256(b"")
"""Root of the tree without leaves (RFC 9162 §2.1.1)."""

LeafRange = tuple[int, int]
"""Leaf indexes from `start` up to, not including, `end`; stands for the Merkle tree hash of these leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a log entry: SHA-256(0x00 || entry) (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each entry, in order; for many of them."""
    digest_of = hashlib.sha256
    return [digest_of(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of the parent of two subtrees: SHA-256(0x01 || left || right) (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root of the tree over `leaf_hashes`, in order; `EMPTY_ROOT` when there are none.

    One pass, O(log n) memory.
    """
    edge = CompactRange()
    edge.extend(leaf_hashes)
    return edge.root()


def subtree_hash(hashes: Sequence[bytes]) -> bytes:
    """`root_hash` of a power of two of hashes, faster. Raises ValueError for another number of them."""
    if len(hashes).bit_count() != 1:
        raise ValueError(f"{len(hashes)} hashes make no complete subtree")
    digest_of = hashlib.sha256
    while len(hashes) > 1:
        rest = iter(hashes)
        hashes = [digest_of(b"\x01" + left + right).digest() for left, right in zip(rest, rest, strict=True)]
    return hashes[0]


# ---------------------------------------------------------------------------------------------------- proving


def inclusion_ranges(leaf_index: int, tree_size: int) -> list[LeafRange]:
    """The subtrees whose hashes are the inclusion proof of leaf `leaf_index`, the leaf's sibling first.

    Raises ValueError unless 0 <= leaf_index < tree_size <= MAX_TREE_SIZE. RFC 9162 §2.1.3.1.
    """
    if not 0 <= leaf_index < tree_size <= MAX_TREE_SIZE:
        raise ValueError(f"no leaf {leaf_index} in a tree of {tree_size}")
    start, end = 0, tree_size
    path: list[LeafRange] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if leaf_index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    path.reverse()
    return path


def consistency_ranges(old_size: int, new_size: int) -> list[LeafRange]:
    """The subtrees whose hashes are the consistency proof from `old_size` to `new_size`, in proof order.

    Empty when the sizes are equal or the old tree is empty. Raises ValueError unless
    0 <= old_size <= new_size <= MAX_TREE_SIZE. RFC 9162 §2.1.4.1.
    """
    if not 0 <= old_size <= new_size <= MAX_TREE_SIZE:
        raise ValueError(f"no consistency proof leads from size {old_size} to {new_size}")
    if old_size == 0:
        return []
    start, end = 0, new_size
    path: list[LeafRange] = []
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    # When the old tree is a complete subtree of the new one, the verifier already holds its root.
    if start > 0:
        path.append((start, end))
    path.reverse()
    return path


def prove_inclusion(leaf_hashes: Sequence[bytes], leaf_index: int, tree_size: int) -> list[bytes]:
    """Inclusion proof of `leaf_index` in the tree over the first `tree_size` of `leaf_hashes`.

    Starts with the leaf's sibling. For trees in memory; `tiles.TileTree` proves from disk. Raises ValueError
    for an index or a size outside of the leaves. RFC 9162 §2.1.3.1.
    """
    if tree_size > len(leaf_hashes):
        raise ValueError(f"{len(leaf_hashes)} leaves cannot make a tree of {tree_size}")
    return [root_hash(leaf_hashes[start:end]) for start, end in inclusion_ranges(leaf_index, tree_size)]


def prove_consistency(leaf_hashes: Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """Proof that the tree over the first `new_size` of `leaf_hashes` extends that over the first `old_size`.

    Raises ValueError for sizes outside of the leaves. RFC 9162 §2.1.4.1.
    """
    if new_size > len(leaf_hashes):
        raise ValueError(f"{len(leaf_hashes)} leaves cannot make a tree of {new_size}")
    return [root_hash(leaf_hashes[start:end]) for start, end in consistency_ranges(old_size, new_size)]


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (> 1): where RFC 9162 cuts a tree in two."""
    return 1 << ((size - 1).bit_length() - 1)


# -------------------------------------------------------------------------------------------------- verifying


def verify_inclusion(
    leaf: bytes, leaf_index: int, tree_size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Prove that the leaf hash `leaf` is leaf `leaf_index` of the tree with this size and root.

    `proof` starts with the leaf's sibling. RFC 9162 §2.1.3.2.
    Raises VerificationError("inclusion-mismatch"), also for an index outside of the tree, a proof that is too
    long or too short, and hashes that are not 32 bytes.
    """
    failure = VerificationError("inclusion-mismatch", leaf_index=leaf_index, tree_size=tree_size)
    # Shape before maths: a path has exactly one length, so nothing is hashed for any other.
    if not 0 <= leaf_index < tree_size <= MAX_TREE_SIZE or not _are_digests((leaf, root, *proof)):
        raise failure
    inner, border = _path_shape(leaf_index, tree_size)
    if len(proof) != inner + border:
        raise failure
    computed = leaf
    for height, sibling in enumerate(proof):
        if height >= inner or leaf_index >> height & 1:
            computed = node_hash(sibling, computed)
        else:
            computed = node_hash(computed, sibling)
    if computed != root:
        raise failure


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Prove that the tree (new_size, new_root) extends the tree (old_size, old_root) by appending only.

    From an empty tree and between equal sizes the proof must be empty. An empty tree has `EMPTY_ROOT`, and
    every tree extends it, so that a first checkpoint is no special case (C2SP tlog-witness).
    RFC 9162 §2.1.4.2. Raises VerificationError("consistency-mismatch"), also for sizes that fall or do not
    fit, a proof that is too long or too short, and hashes that are not 32 bytes.
    """
    failure = VerificationError("consistency-mismatch", old_size=old_size, new_size=new_size)
    if not 0 <= old_size <= new_size <= MAX_TREE_SIZE or (old_size == 0 and old_root != EMPTY_ROOT):
        raise failure
    if old_size == new_size:
        if proof or old_root != new_root:
            raise failure
        return
    if not _are_digests((old_root, new_root, *proof)):
        raise failure
    if old_size == 0:
        if proof:
            raise failure
        return

    # The proof is the inclusion path, in the new tree, of the last complete subtree of the old one. When that
    # subtree is the whole old tree, its hash is the old root, which the proof leaves out.
    shift = (old_size & -old_size).bit_length() - 1
    inner, border = _path_shape(old_size - 1, new_size)
    inner -= shift
    leading = [old_root] if old_size == 1 << shift else []
    if len(leading) + len(proof) != 1 + inner + border:
        raise failure
    seed, *path = (*leading, *proof)

    # Siblings on the left belong to both trees, those on the right to the new one only.
    subtree_index = (old_size - 1) >> shift
    old_computed = new_computed = seed
    for height, sibling in enumerate(path):
        if height >= inner or subtree_index >> height & 1:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
        else:
            new_computed = node_hash(new_computed, sibling)
    if old_computed != old_root or new_computed != new_root:
        raise failure


def _are_digests(values: Iterable[bytes]) -> bool:
    """Whether every value has the length of a digest: a longer "hash" could smuggle two nodes in one."""
    return all(len(value) == DIGEST_BYTES for value in values)


def _path_shape(leaf_index: int, tree_size: int) -> tuple[int, int]:
    """How many siblings lie below the right edge (on either side), how many along it (all on the left)."""
    inner = (leaf_index ^ (tree_size - 1)).bit_length()
    return inner, (leaf_index >> inner).bit_count()


# -------------------------------------------------------------------------------------------------- streaming


class CompactRange:
    """The right edge of a growing tree: everything that is needed to append to it and to know its root.

    Holds one hash per set bit of the size (at most 63), however large the tree.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """`hashes` are the roots of the complete subtrees that make up the tree, from left to right.

        Raises ValueError when their number does not fit the size.
        """
        if not 0 <= size <= MAX_TREE_SIZE or len(hashes) != size.bit_count() or not _are_digests(hashes):
            raise ValueError(f"a right edge of {len(hashes)} hashes does not fit a tree of {size}")
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        """Number of leaves so far."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Roots of the complete subtrees, from left to right: what the constructor takes."""
        return tuple(self._hashes)

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf hash. Amortised one node hash."""
        hashes = self._hashes
        carry = leaf_hash
        size = self._size
        while size & 1:
            carry = hashlib.sha256(b"\x01" + hashes.pop() + carry).digest()
            size >>= 1
        hashes.append(carry)
        self._size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaf hashes in order; the same as appending each, and faster."""
        hashes = self._hashes
        pop, push, digest_of = hashes.pop, hashes.append, hashlib.sha256
        size = self._size
        for carry in leaf_hashes:
            bits = size
            while bits & 1:
                carry = digest_of(b"\x01" + pop() + carry).digest()  # noqa: PLW2901  (a leaf becomes its subtree)
                bits >>= 1
            push(carry)
            size += 1
        self._size = size

    def root(self) -> bytes:
        """Root of the tree so far; `EMPTY_ROOT` before the first leaf."""
        if not self._hashes:
            return EMPTY_ROOT
        computed = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            computed = node_hash(left, computed)
        return computed
