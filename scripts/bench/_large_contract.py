"""A contract with as many slots as wanted, of which only the walks that a proof needs are built.

Not a benchmark itself. The proofs are real: what lies beside a walk enters a branch as
the 32 bytes of its hash, whatever it is, so that a million other slots cost a sorted list and no hashing.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from dataclasses import dataclass, fields
from typing import Any

from fakes.chain_state import RegistryState
from fakes.tries import Trie, packed
from fakes.whole_registry import World
from testamur.registry.evm import rlp
from testamur.registry.hashing import keccak256, sha256

PLACE_BITS = 64
"""Sixteen digits of a key: more than a walk among 10^12 slots reads."""

ACCOUNTS = 1_000
"""Accounts beside the contract: a consortium's chain. A public one adds about four branches of 532 B."""


class CrowdedTrie(Trie):
    """The trie over `items` and a crowd of others at chance places, which cannot be proven themselves."""

    def __init__(self, items: dict[bytes, bytes], others: int) -> None:
        places = array("Q", random.Random(1).randbytes(8 * others))
        self._crowd = sorted(places)
        super().__init__(items)

    def _others(self, prefix: bytes) -> int:
        start = 0
        for digit in prefix:
            start = 16 * start + digit
        width = PLACE_BITS - 4 * len(prefix)
        return bisect_left(self._crowd, (start + 1) << width) - bisect_left(self._crowd, start << width)

    def _build(self, items: list[tuple[bytes, bytes]], depth: int) -> Any:
        if not items or not self._others(items[0][0][:depth]):
            return super()._build(items, depth)
        prefix = items[0][0][:depth]
        below = [prefix + bytes((digit,)) for digit in range(16)]
        mine = [[item for item in items if item[0].startswith(path)] for path in below]
        taken = [bool(found) or self._others(path) > 0 for path, found in zip(below, mine, strict=True)]
        if sum(taken) == 1:
            return self._extension(items, depth)
        children: list[Any] = []
        for path, found, is_taken in zip(below, mine, taken, strict=True):
            child = self._reference(self._build(found, depth + 1)) if found else sha256(path) * is_taken
            children.append(child)
        return [*children, b""]

    def _extension(self, items: list[tuple[bytes, bytes]], depth: int) -> Any:
        """The digits that all share from here on, as far as they do."""
        path, shared = items[0][0], depth
        everything = len(items) + self._others(path[:depth])
        while True:
            within = [item for item in items if item[0].startswith(path[: shared + 1])]
            if len(within) + self._others(path[: shared + 1]) < everything:
                return [
                    packed(path[depth:shared], is_leaf=False),
                    self._reference(self._build(items, shared)),
                ]
            shared += 1


@dataclass
class LargeState(RegistryState):  # type: ignore[misc]
    """The contract among many others, with many slots that are not its issuer's."""

    others: int = 0

    def tries(self) -> tuple[Trie, Trie]:
        """(storage trie, state trie)."""
        items = {
            keccak256(slot): rlp.encode(rlp.encode_integer(value)) for slot, value in self.storage.items()
        }
        storage = CrowdedTrie(items, self.others)
        account = rlp.encode([b"\x01", b"", storage.root, keccak256(b"code")])
        return storage, CrowdedTrie({keccak256(self.contract): account}, ACCOUNTS)


@dataclass
class LargeWorld(World):  # type: ignore[misc]
    """A whole registry whose contract holds `slots` slots."""

    slots: int = 0

    def chain(self) -> LargeState:
        """The contract's state in the anchoring block."""
        state = super().chain()
        values = {item.name: getattr(state, item.name) for item in fields(RegistryState)}
        return LargeState(**values, others=self.slots)
