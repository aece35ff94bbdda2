"""Verifications wait in a bounded queue, off the event loop."""

import asyncio
import threading

import pytest

from testamur.node.api.ports import NotReady
from testamur.node.service.workers import Workers


def test_what_is_too_much_is_refused_and_what_ended_makes_room() -> None:
    async def scenario() -> None:
        workers = Workers("test", workers=1, max_waiting=2)
        gate = threading.Event()
        waiting = [asyncio.ensure_future(workers.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(NotReady) as refused:
            await workers.run(gate.wait)
        assert refused.value.retry_after_seconds > 0
        gate.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await workers.run(max, 1, 2) == 2
        workers.close()

    asyncio.run(scenario())


def test_the_event_loop_goes_on_while_a_worker_is_busy() -> None:
    async def scenario() -> None:
        workers = Workers("test", workers=1)
        gate = threading.Event()
        busy = asyncio.ensure_future(workers.run(gate.wait, 30))
        answered = 0
        for _ in range(100):
            await asyncio.sleep(0)
            answered += 1
        assert (answered, busy.done()) == (100, False)
        gate.set()
        assert await busy is True
        workers.close()

    asyncio.run(scenario())


def test_a_client_that_goes_away_still_counts_until_its_work_has_ended() -> None:
    async def scenario() -> None:
        workers = Workers("test", workers=1, max_waiting=1)
        gate = threading.Event()
        gone = asyncio.ensure_future(workers.run(gate.wait, 30))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        with pytest.raises(NotReady):
            await workers.run(max, 1, 2)
        gate.set()
        workers.close()

    asyncio.run(scenario())


def test_an_error_reaches_whoever_waits_for_it() -> None:
    async def scenario() -> None:
        workers = Workers("test")
        with pytest.raises(ZeroDivisionError):
            await workers.run(divmod, 1, 0)
        workers.close()

    asyncio.run(scenario())
