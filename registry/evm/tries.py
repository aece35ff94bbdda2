"""Merkle Patricia tries: what stands under a key, or that nothing does, proven by the nodes on the way to it.

Yellow Paper, appendix D;
https://ethereum.org/developers/docs/data-structures-and-encoding/patricia-merkle-trie/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.evm import rlp
from testamur.registry.hashing import keccak256

EMPTY_TRIE_ROOT: Final = keccak256(b"\x80")
"""Root of a trie without keys."""

MAX_NODE_BYTES = 1024
"""A full branch has 532 bytes and an account leaf about 110; the values of other tries are none of ours."""

MAX_WALK_NODES = 64
"""A hashed key has 64 nibbles, and every node below the root takes at least one of them."""

MAX_NODES = 8192
"""A thousand slots with eight nodes each; evidence is at most 1 MiB anyway."""

_BRANCH_ITEMS = 17
_HASH_BYTES = 32
_FULL: Final = b"\xf9\x02\x11"
_FULL_PREFIXES: Final = bytes((0x80 + _HASH_BYTES,)) * 16 + b"\x80"
_FULL_BYTES: Final = len(_FULL) + 16 * (1 + _HASH_BYTES) + 1
"""A list of 529 bytes: sixteen strings of 32 bytes and an empty one."""

_FROM_HEX_DIGIT: Final = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class _Extension:
    path: bytes
    child: "_Reference"


@dataclass(frozen=True, slots=True)
class _Branch:
    children: "tuple[_Reference | None, ...]"
    value: bytes


_Node: TypeAlias = _Leaf | _Extension | _Branch
_Reference: TypeAlias = bytes | _Leaf | _Extension | _Branch
"""A child: the hash of its bytes, or the node itself when its bytes are shorter than a hash."""


class TrieNodes:
    """The nodes that somebody supplied as a proof, by their hash; remembers which of them a walk needed.

    One set serves many keys and several tries. Raises MalformedError for a node that is not one, a
    duplicate, or a set beyond the limits.
    """

    __slots__ = ("_nodes", "_visited")

    def __init__(self, nodes: Sequence[bytes]) -> None:
        if len(nodes) > MAX_NODES:
            raise MalformedError("trie nodes", f"are {len(nodes)}, more than {MAX_NODES}")
        self._nodes: dict[bytes, _Node] = {}
        self._visited: set[bytes] = set()
        for number, data in enumerate(nodes):
            subject = f"trie node {number}"
            node = _full_branch(data) or _parse(
                rlp.decode_list(data, subject=subject, max_bytes=MAX_NODE_BYTES), subject
            )
            if self._nodes.setdefault(keccak256(data), node) is not node:
                raise MalformedError(subject, "occurs twice")

    def visit(self, node_hash: bytes) -> _Node:
        """The node with this hash. Raises VerificationError("storage-proof-incomplete") if it is not here."""
        node = self._nodes.get(node_hash)
        if node is None:
            raise VerificationError("storage-proof-incomplete", node=f"0x{node_hash.hex()}")
        self._visited.add(node_hash)
        return node

    def are_visited(self) -> list[bool]:
        """Of each node, in the order in which they were given, whether a walk needed it."""
        return [node_hash in self._visited for node_hash in self._nodes]

    def refuse_unvisited(self) -> None:
        """Every node was needed: padding would let one proof have many forms, and carry whatever one likes.

        Raises VerificationError("storage-proof-excess").
        """
        excess = len(self._nodes) - len(self._visited)
        if excess:
            raise VerificationError("storage-proof-excess", nodes=excess)


def verify_value(root: bytes, key: bytes, nodes: TrieNodes) -> bytes | None:
    """What the trie with `root` holds under `key`; None is as proven as a value.

    Keys are taken as they are: a caller hashes them first for Ethereum's own tries.
    Raises VerificationError("storage-proof-incomplete" | "storage-proof-too-long").
    """
    if root == EMPTY_TRIE_ROOT:
        return None
    path = _nibbles(key)
    node = nodes.visit(root)
    for _ in range(MAX_WALK_NODES):
        child: _Reference | None
        if isinstance(node, _Branch):
            if not path:
                return node.value or None
            child, path = node.children[path[0]], path[1:]
            if child is None:
                return None
        else:
            if not path.startswith(node.path):
                return None
            path = path[len(node.path) :]
            if isinstance(node, _Leaf):
                return None if path else node.value
            child = node.child
        node = nodes.visit(child) if isinstance(child, bytes) else child
    raise VerificationError("storage-proof-too-long", limit=MAX_WALK_NODES)


def _nibbles(data: bytes) -> bytes:
    """One byte for each half byte, the upper half first."""
    return data.hex().encode().translate(_FROM_HEX_DIGIT)


def _full_branch(data: bytes) -> _Branch | None:
    """The branch with sixteen hashes that `data` is, byte for byte, or None; most nodes near a root are one.

    Compared with its only form at once: seventeen items taken apart cost more than all of the hashing.
    """
    if data[: len(_FULL)] != _FULL or data[len(_FULL) :: 1 + _HASH_BYTES] != _FULL_PREFIXES:
        return None
    if len(data) != _FULL_BYTES:
        return None
    starts = range(len(_FULL) + 1, _FULL_BYTES - 1, 1 + _HASH_BYTES)
    return _Branch(tuple(data[start : start + _HASH_BYTES] for start in starts), b"")


def _parse(items: list[rlp.RlpItem], subject: str) -> _Node:
    if len(items) == _BRANCH_ITEMS:
        value = items[16]
        if not isinstance(value, bytes):
            raise MalformedError(subject, "has a branch value that is a list")
        # Nearly every child is a hash or nothing: no call for each of sixteen in each of dozens of nodes.
        children = tuple(
            None
            if item == b""
            else item
            if type(item) is bytes and len(item) == 32
            else _reference(item, subject)
            for item in items[:16]
        )
        return _Branch(children, value)
    if len(items) != 2:
        raise MalformedError(subject, f"has {len(items)} items, neither 2 nor {_BRANCH_ITEMS}")
    path, is_leaf = _hex_prefix(items[0], subject)
    if not is_leaf:
        if not path:
            raise MalformedError(subject, "is an extension by nothing")
        return _Extension(path, _reference(items[1], subject))
    value = items[1]
    if not isinstance(value, bytes) or not value:
        raise MalformedError(subject, "is a leaf without a value")
    return _Leaf(path, value)


def _reference(item: rlp.RlpItem, subject: str) -> _Reference:
    if isinstance(item, bytes):
        if len(item) != _HASH_BYTES:
            raise MalformedError(subject, f"refers to a child by {len(item)} bytes")
        return item
    # A node of 32 bytes or more is referred to by its hash; embedding it would be a second form of the same
    # trie.
    if len(rlp.encode(item)) >= _HASH_BYTES:
        raise MalformedError(subject, "embeds a child that is too long to be embedded")
    return _parse(item, subject)


def _hex_prefix(item: rlp.RlpItem, subject: str) -> tuple[bytes, bool]:
    """The nibbles of a path, and whether it ends in a leaf."""
    if not isinstance(item, bytes) or not item:
        raise MalformedError(subject, "has no path")
    flag = item[0] >> 4
    is_odd = flag & 1
    if flag > 3 or (not is_odd and item[0] & 0x0F):
        raise MalformedError(subject, f"has a path that starts with 0x{item[0]:02x}")
    return _nibbles(item)[2 - is_odd :], flag >= 2
