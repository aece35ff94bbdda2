"""New blocks as endpoints announce them: a hint to look at once, never a fact to rely on."""

import asyncio
from typing import Final

SHORTEST_SECONDS: Final = 0.05
"""An endpoint that announces without end makes a node look twenty times a second, and no more."""


class BlockNews:
    """Announcements of one endpoint, or of all endpoints of a pool. Belongs to one event loop.

    An endpoint that is polled announces nothing: then a wait is as long as it was asked to be.
    """

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def announce(self) -> None:
        """There is a new block, or reason to look whether there is one. Cheap and repeatable."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seconds: float, seen: int) -> int:
        """Return `count` after `seconds`, or soon after it is no longer `seen`.

        `seen` is from before the last look, so that a block announced during the look is not missed.
        """
        coming = self._next
        if self.count == seen:
            try:
                async with asyncio.timeout(seconds):
                    await coming.wait()
            except TimeoutError:
                return self.count
        await asyncio.sleep(min(seconds, SHORTEST_SECONDS))
        return self.count
