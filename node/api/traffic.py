"""What the interface is doing and has done: requests under way, and counts by route, never by what was asked.

Counting happens on the event loop only, so it needs no lock, and costs a fraction of a microsecond.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram: from a look-up to the largest statement."""


@dataclass(slots=True)
class Counted:
    """Requests of one method on one route with one status; `buckets` are not cumulative."""

    count: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_SECONDS) + 1))


class Traffic:
    """Requests of one server. Only its event loop's thread changes anything."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._idle = asyncio.Event()
        self.is_closing = False
        """Set once: what is under way ends, and new requests are refused."""
        self._counted: dict[tuple[str, str, int], Counted] = {}

    def left(self) -> None:
        """One request is not under way any more."""
        self.in_flight -= 1
        if self.is_closing and not self.in_flight:
            self._idle.set()

    async def close(self) -> None:
        """From now on requests are refused; return when none is under way."""
        self.is_closing = True
        if self.in_flight:
            await self._idle.wait()

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request has its answer. `route` is a template of the table, or "(none)"."""
        counted = self._counted.get((method, route, status))
        if counted is None:
            counted = self._counted[method, route, status] = Counted()
        counted.count += 1
        counted.seconds += seconds
        counted.buckets[bisect_left(BUCKETS_SECONDS, seconds)] += 1

    def samples(self) -> Iterator[tuple[str, str, int, Counted]]:
        """(method, route, status, counts) of everything so far, in a stable order."""
        for (method, route, status), counted in sorted(self._counted.items()):
            yield method, route, status, counted
