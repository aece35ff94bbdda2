"""A hosted log with its worker thread, its captures, and how its issuer stands on the chain."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from testamur.node.api.ports import NotReady
from testamur.node.errors import StoreCorrupt, StoreUnavailable
from testamur.node.files import DamagedFile
from testamur.node.service.hosting import HostedLog, Placed
from testamur.node.service.log_evidence import CaptureStore
from testamur.registry.evm.anchors import ProvenAnchor
from testamur.registry.evm.layout import Lifecycle

MAX_WAITING_SUBMISSIONS = 256
"""Requests that wait for one log: with the largest ones 34 MB, and a second or two of work."""

MAX_GROUP_DIGESTS = 16_384
"""What is written with one sync: four of the largest submissions, or any number of small ones."""

CROWDED_SECONDS = 2
"""When to come again: what waits now is done by then."""

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
        self.refusal: StoreUnavailable | StoreCorrupt | None = None
        """What disk or index said when they refused; the node ends with it, and its next start recovers."""
        self._waiting: deque[tuple[Sequence[bytes], asyncio.Future[Placed]]] = deque()
        self._is_grouping = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"log-{log.origin.slug}")

    def learn(self, proven: ProvenAnchor) -> None:
        """What the contract says of the issuer in the newest block that this node has proven."""
        self.lifecycle = proven.issuer.lifecycle
        self.log.learn_key_chains(proven.key_chains)
        self.log.is_superseded |= proven.log.superseded

    async def run(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """The result of a blocking call, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, partial(function, *args, **kwargs))
        except DamagedFile as error:
            # Whoever finds it: from here on the log serves, and signs nothing.
            self.log.health.report(error)
            raise
        except StoreUnavailable as error:
            self._refuse(error)
            raise

    async def submit(self, digests: Sequence[bytes]) -> Placed:
        """Log credential digests, durable on return; submissions that come together share one sync.

        Raises NotReady when too many wait already, or too many entries for the next seal.
        """
        if len(self._waiting) >= MAX_WAITING_SUBMISSIONS:
            reason = f"{len(self._waiting)} submissions to this log are waiting"
            raise NotReady(reason, retry_after_seconds=CROWDED_SECONDS)
        answer: asyncio.Future[Placed] = asyncio.get_running_loop().create_future()
        self._waiting.append((digests, answer))
        self._start_group()
        return await answer

    def _start_group(self) -> None:
        """Hand what waits to the worker, unless it has a group; what comes meanwhile is the next one."""
        if self._is_grouping or not self._waiting:
            return
        group = [self._waiting.popleft()]
        size = len(group[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= MAX_GROUP_DIGESTS:
            group.append(self._waiting.popleft())
            size += len(group[-1][0])
        self._is_grouping = True
        work = asyncio.get_running_loop().run_in_executor(
            self._worker, self.log.submit_all, [digests for digests, _ in group]
        )
        # Not awaited by any of them: a client that hangs up takes nobody's answer away.
        work.add_done_callback(partial(self._finish_group, [answer for _, answer in group]))

    def _finish_group(
        self, answers: list[asyncio.Future[Placed]], work: asyncio.Future[list[Placed | NotReady]]
    ) -> None:
        self._is_grouping = False
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        if isinstance(error, DamagedFile):
            self.log.health.report(error)
        elif isinstance(error, StoreUnavailable | StoreCorrupt):
            self._refuse(error)
        outcomes = work.result() if error is None else [error] * len(answers)
        for answer, outcome in zip(answers, outcomes, strict=True):
            if answer.done():
                continue
            if isinstance(outcome, Placed):
                answer.set_result(outcome)
            else:
                answer.set_exception(outcome)
        self._start_group()

    def _refuse(self, error: StoreUnavailable | StoreCorrupt) -> None:
        """What was not written is not promised; nothing is written on top of it, by this process."""
        self.refusal = self.refusal or error
        self.wake.set()

    def close(self) -> None:
        """Let the running call end, then give the log's folder back."""
        self._worker.shutdown(wait=True)
        self.log.writer.close()
