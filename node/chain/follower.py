"""Follows a chain's headers as a pure state machine: connect, disconnect, finalise. No I/O and no clock.

Whoever drives it fetches headers and applies what it returns, in order, to whatever depends on blocks.
"""

import enum
from dataclasses import dataclass
from typing import Final

from testamur.node.errors import ChainUnavailable, ReorgBeyondFinality
from testamur.registry.evm.headers import Header

MAX_UNFINALISED: Final = 4096
"""Half a day of a public chain without finality; beyond it something is wrong that waiting will not mend."""


class Step(enum.Enum):
    """What happened to a block from the follower's point of view."""

    CONNECTED = enum.auto()
    DISCONNECTED = enum.auto()
    FINALISED = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """One step, to be applied before the next one."""

    step: Step
    header: Header


class Follower:
    """The chain from the newest final block to the head.

    Steps obey: a block connects to the head and to nothing else; only the head disconnects; a block is
    finalised once, in order, after it connected, and never disconnects afterwards.
    """

    def __init__(self, final: Header) -> None:
        """`final` is where to begin: a block known to be final, such as the genesis or one on disk."""
        self._chain = [final]

    @property
    def final(self) -> Header:
        """The newest final block."""
        return self._chain[0]

    @property
    def head(self) -> Header:
        """The newest connected block."""
        return self._chain[-1]

    def wants(self, header: Header) -> bool:
        """Whether the parent of `header` has to be connected first."""
        return self._find(header.parent_hash) is None and self._find(header.hash) is None

    def connect(self, header: Header) -> list[ChainStep]:
        """Make `header` the head; blocks that are not below it are disconnected first, newest first.

        Nothing happens for a block that is connected already. Raises ReorgBeyondFinality when the block
        replaces a final one, ValueError when its parent is not connected (`wants`), ChainUnavailable beyond
        MAX_UNFINALISED.
        """
        if self._find(header.hash) is not None:
            return []
        if header.number <= self.final.number:
            raise self._contradiction(header)
        parent = self._find(header.parent_hash)
        if parent is None or header.number != self._chain[parent].number + 1:
            raise ValueError(f"block {header.number} does not follow a connected block")
        if parent + 1 > MAX_UNFINALISED:
            raise ChainUnavailable(f"{MAX_UNFINALISED} blocks are connected and none of them is final")
        steps = [ChainStep(step=Step.DISCONNECTED, header=old) for old in reversed(self._chain[parent + 1 :])]
        del self._chain[parent + 1 :]
        self._chain.append(header)
        return [*steps, ChainStep(step=Step.CONNECTED, header=header)]

    def finalise(self, header: Header) -> list[ChainStep]:
        """Everything up to `header` is final. Nothing happens for a block below the newest final one.

        Raises ReorgBeyondFinality when another block of that height was final, ValueError when `header`
        itself is not connected: connect it first.
        """
        if header.number < self.final.number or header.hash == self.final.hash:
            return []
        if header.number == self.final.number:
            raise self._contradiction(header)
        position = header.number - self.final.number
        if position >= len(self._chain) or self._chain[position].hash != header.hash:
            raise ValueError(f"block {header.number} is not connected")
        steps = [ChainStep(step=Step.FINALISED, header=block) for block in self._chain[1 : position + 1]]
        del self._chain[:position]
        return steps

    def _contradiction(self, header: Header) -> ReorgBeyondFinality:
        final = self.final
        return ReorgBeyondFinality(
            f"the chain has block {header.number} as 0x{header.hash.hex()}, but block {final.number} was "
            f"final as 0x{final.hash.hex()}: do not trust this endpoint until somebody has found out why"
        )

    def _find(self, block_hash: bytes) -> int | None:
        """Where the block stands in the chain. The newest is looked at first: it is asked for most."""
        for position in range(len(self._chain) - 1, -1, -1):
            if self._chain[position].hash == block_hash:
                return position
        return None
