"""The node's clock beside the chain's: consensus bounds block times to seconds, so the chain is right.

Nothing that is proven rests on a node's clock: what was anchored when is the chain's time, and pauses are
measured by a clock that nobody sets. But seals, statements and cosignatures say the node's time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from testamur.node.chain.ports import Chain
from testamur.registry.evm.headers import Header

TOLERATED_SECONDS: Final = 60
"""Producers may date a block some seconds ahead, slow chains deliver it seconds later."""

FRESH_SECONDS: Final = 10.0
"""A block that was not there this long ago is new, so its time should be now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """By how much the node's clock is ahead of the chain's (negative: behind), when that can be told.

    It cannot while no new block comes: an old block says nothing about a clock that is later.
    """

    ahead_seconds: int | None

    def to_text(self) -> str:
        """In a word, or a sentence that names the cure."""
        if self.ahead_seconds is None or abs(self.ahead_seconds) <= TOLERATED_SECONDS:
            return "ok"
        way = "ahead of" if self.ahead_seconds > 0 else "behind"
        return (
            f"this machine's clock is {abs(self.ahead_seconds)} s {way} the chain's: set it; anchors have "
            "the chain's time, but what is sealed and signed meanwhile says a wrong one"
        )


class ClockWatch:
    """Compares clocks whenever a block allows it. Pure: headers and times are given to it."""

    def __init__(self) -> None:
        self.skew = ClockSkew(ahead_seconds=None)
        self._last: tuple[int, float] | None = None

    def observe(self, head: Header, *, now: float, elapsed: float) -> bool:
        """Take note of the newest block; whether that told something.

        `now` is the node's clock in seconds since 1970, `elapsed` seconds of a clock that nobody sets.
        """
        ahead = int(now) - head.timestamp
        last, self._last = self._last, (head.number, elapsed)
        is_new = last is not None and head.number > last[0] and elapsed - last[1] <= FRESH_SECONDS
        if is_new or ahead < -TOLERATED_SECONDS:
            self.skew = ClockSkew(ahead_seconds=ahead)
            return True
        if self.skew.ahead_seconds is not None and self.skew.ahead_seconds < -TOLERATED_SECONDS:
            self.skew = ClockSkew(ahead_seconds=None)  # it was behind, and no block is in its future any more
            return True
        return False


async def clock_skew(
    chain: Chain,
    *,
    now: Callable[[], float],
    elapsed: Callable[[], float],
    wait_seconds: float = 15.0,
    poll_seconds: float = 1.0,
) -> ClockSkew:
    """Look at new blocks for `wait_seconds` at most, until one tells. Raises ChainUnavailable."""
    watch = ClockWatch()
    until = elapsed() + wait_seconds
    while True:
        seen = chain.news.count
        if watch.observe(await chain.head(), now=now(), elapsed=elapsed()) or elapsed() >= until:
            return watch.skew
        await chain.news.wait(poll_seconds, seen)
