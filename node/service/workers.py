"""Work that keeps a processor busy: off the event loop, in few threads, with a bounded queue."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from testamur.node.api.ports import NotReady

WORKERS = 4
"""Verifications at once. They share the interpreter with the event loop, which gets its turn every 5 ms."""

LOOKING_UP = 16
"""Look-ups at once: they wait for web servers, and compute nothing."""

MAX_WAITING = 64
"""Verifications under way and waiting together: some seconds of work, and a client may ask again."""

RETRY_SECONDS = 2

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A small pool with a bounded queue."""

    def __init__(self, name: str, *, workers: int = WORKERS, max_waiting: int = MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def run(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """What `function` returns, called in a worker. Raises NotReady when too much waits already.

        A client that goes away does not stop what has begun: it still counts until it has ended.
        """
        if self._waiting >= self._max_waiting:
            reason = "too many verifications wait already"
            raise NotReady(reason, retry_after_seconds=RETRY_SECONDS)
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            future = self._pool.submit(function, *arguments, **options)
        except BaseException:
            self._waiting -= 1
            raise
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """What waits is given up, what runs ends in its own time."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ended(self) -> None:
        self._waiting -= 1
