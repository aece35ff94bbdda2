"""What is large is read beside the event loop, in a bounded number of threads with a bounded queue."""

import asyncio
import threading

import pytest

from testamur.node.api import aside, requests
from testamur.node.api.ports import NotReady
from testamur.registry.errors import MalformedError


async def test_a_result_and_an_error_come_back():
    assert await aside.aside(lambda a, *, b: a + b, 1, b=2) == 3
    with pytest.raises(MalformedError):
        await aside.aside(requests.parse_json, b"{", subject="body")


async def test_what_waits_is_bounded_and_whoever_comes_later_is_told_so(monkeypatch):
    monkeypatch.setattr(aside, "MAX_WAITING", 3)
    gate = threading.Event()
    waiting = [asyncio.create_task(aside.aside(gate.wait, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(NotReady):
        await aside.aside(int)
    gate.set()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert await aside.aside(int) == 0


@pytest.mark.parametrize("size", [10, 2 * aside.INLINE_BYTES])
async def test_a_large_body_is_read_in_another_thread_and_a_small_one_here(api, monkeypatch, size):
    threads = []
    parse = requests.parse_json

    def parse_json(data, **options):
        threads.append(threading.current_thread())
        return parse(data, **options)

    monkeypatch.setattr(requests, "parse_json", parse_json)
    body = b'{"a": "' + b"x" * size + b'"}'
    await api.ask("POST", "/v1/verify", data=body, headers={"Content-Type": "application/json"})
    assert [thread is threading.main_thread() for thread in threads] == [size < aside.INLINE_BYTES]
