"""Work on what strangers send, in threads of its own: neither event loop nor the node's threads wait for it.

Megabytes of strict JSON take a second, and a form brings a hundred of them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from testamur.node.api.ports import NotReady

THREADS = 2
"""They share one interpreter: more of them would only make each other wait."""

MAX_WAITING = 64
"""Bodies of megabytes wait in memory; whoever comes later is told to come again."""

INLINE_BYTES = 64 * 1024
"""What is smaller is read in a millisecond, which is less than a thread costs."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_THREADS = ThreadPoolExecutor(THREADS, thread_name_prefix="aside")
_waiting = 0


async def aside(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """What `function` returns or raises. Raises NotReady when too much waits already."""
    global _waiting  # noqa: PLW0603  counted in the one event loop of a process
    if _waiting >= MAX_WAITING:
        raise NotReady("too much is being read at once; try again in a moment")
    _waiting += 1
    try:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(_THREADS, call)
    finally:
        _waiting -= 1
