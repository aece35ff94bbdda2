"""A hosted log with its worker thread, its captures, and how its issuer stands on the chain."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from testamur.node.service.hosting import HostedLog
from testamur.node.service.log_evidence import CaptureStore
from testamur.registry.evm.layout import Lifecycle

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Hosting:
    """One issuer on this node. `run` gives blocking calls to the log's own thread, one after the other."""

    def __init__(self, *, log: HostedLog, captures: CaptureStore, name: str) -> None:
        self.log = log
        self.captures = captures
        self.name = name
        self.lifecycle = Lifecycle.ACTIVE
        """As of the newest capture; an issuer is active when it is admitted."""
        self.wake = asyncio.Event()
        self.sealing = asyncio.Lock()
        self.uncaptured_block: int | None = None
        """The block of an anchor that is final and not captured yet."""
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"log-{log.origin.slug}")

    async def run(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """The result of a blocking call, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Let the running call end, then give the log's folder back."""
        self._worker.shutdown(wait=True)
        self.log.writer.close()
