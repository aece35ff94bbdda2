"""A Merkle Patricia trie that is built at once from all its keys, and proves any of them."""

from testamur.registry.evm import rlp
from testamur.registry.hashing import keccak256


class Trie:
    """The trie over `items` (key → value, no empty value). Keys are taken as they are."""

    def __init__(self, items):
        self.nodes = {}
        self._tree = self._build(sorted((_nibbles(key), value) for key, value in items.items()), 0)
        data = rlp.encode(self._tree)
        self.root = keccak256(data)
        self.nodes[self.root] = data

    def prove(self, key):
        """The nodes from the root towards `key`, as far as the trie goes."""
        path, item, found = _nibbles(key), self.root if self._tree else b"", []
        while True:
            if isinstance(item, bytes):
                if item == b"":
                    return found
                found.append(self.nodes[item])
                item = rlp.decode_list(self.nodes[item], max_bytes=1 << 20)
            if len(item) == 17:
                if not path:
                    return found
                item, path = item[path[0]], path[1:]
                continue
            part, is_leaf = _unpacked(item[0])
            if is_leaf or path[: len(part)] != part:
                return found
            item, path = item[1], path[len(part) :]

    def _build(self, items, depth):
        """The node over items that agree up to `depth`, as an RLP structure."""
        if not items:
            return b""
        if len(items) == 1:
            path, value = items[0]
            return [packed(path[depth:], is_leaf=True), value]
        first, last = items[0][0], items[-1][0]
        shared = depth
        while shared < min(len(first), len(last)) and first[shared] == last[shared]:
            shared += 1
        if shared > depth:
            return [packed(first[depth:shared], is_leaf=False), self._reference(self._build(items, shared))]
        children = [
            self._reference(
                self._build(
                    [item for item in items if item[0][depth : depth + 1] == bytes((digit,))], depth + 1
                )
            )
            for digit in range(16)
        ]
        return [*children, next((value for path, value in items if len(path) == depth), b"")]

    def _reference(self, node):
        data = rlp.encode(node)
        if node == b"" or len(data) < 32:
            return node
        self.nodes[keccak256(data)] = data
        return keccak256(data)


def _nibbles(key):
    return bytes(digit for byte in key for digit in (byte >> 4, byte & 15))


def packed(path, *, is_leaf):
    digits = [2 * is_leaf + 1, *path] if len(path) % 2 else [2 * is_leaf, 0, *path]
    return bytes(16 * high + low for high, low in zip(digits[::2], digits[1::2], strict=True))


def _unpacked(data):
    digits = _nibbles(data)
    return digits[2 - digits[0] % 2 :], digits[0] >= 2
