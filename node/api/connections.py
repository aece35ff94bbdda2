"""Connections that cannot be held for nothing: a head has to arrive in time, and an answer has to be read.

aiohttp bounds idle connections; a head that comes byte by byte, and a reader who does not read, it does not.
"""

import asyncio
import json
import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from testamur.node.api.problems import MALFORMED, PROBLEM_JSON, TOO_SLOW, Problem
from testamur.node.api.request_ids import new_request_id

HEAD_SECONDS = 10.0
"""A request line and its headers are one packet or two; the slowest honest line needs a second."""

READING_SECONDS = 60.0
"""A client takes the largest answer within this time, or loses it."""

LARGE_BODY_BYTES = 64 * 1024
"""Smaller answers go to the operating system's buffers whole: nobody waits for their reader."""

KEEPALIVE_SECONDS = 75.0
"""Longer than proxies keep a silent connection (60 s), so that it is they who close."""

# aiohttp would write what could not be parsed, which may be anything, to standard error.
_SILENT = logging.getLogger("testamur.aiohttp")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class Runner(web.AppRunner):
    """An application's runner whose connections are `Connection`s."""

    def __init__(self, app: web.Application, *, head_seconds: float, **options: Any) -> None:
        super().__init__(app, logger=_SILENT, **options)
        self._head_seconds = head_seconds

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        options = plain._kwargs  # noqa: SLF001  aiohttp has no way to be told of another protocol
        return _Server(
            plain.request_handler,
            request_factory=plain.request_factory,
            head_seconds=self._head_seconds,
            **options,
        )


class _Server(web.Server):
    def __init__(self, *args: Any, head_seconds: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_seconds = head_seconds

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, head_seconds=self._head_seconds, **self._kwargs)


class Connection(RequestHandler):
    """One connection."""

    __slots__ = ("_complete_heads", "_head_seconds", "_head_timer")

    def __init__(self, manager: web.Server, *, head_seconds: float, **options: Any) -> None:
        super().__init__(manager, **options)
        self._head_seconds = head_seconds
        self._complete_heads = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first head is waited for from now on."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Parse; whoever has begun a head has so long to end it."""
        super().data_received(data)
        if self._request_count != self._complete_heads:
            self._complete_heads = self._request_count
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None and not self._request_in_progress:
            self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is waited for any more."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer, within `READING_SECONDS` when it is large."""
        if isinstance(resp, web.HTTPException):  # nothing of ours saw the request: its target is no path
            resp = _raw_response(resp.status)
        if (resp.content_length or 0) <= LARGE_BODY_BYTES:
            return await super().finish_response(request, resp, start_time)
        try:
            async with asyncio.timeout(READING_SECONDS):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.force_close()
            return resp, True

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  what could not be parsed is quoted to nobody
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """A problem document also for what is not HTTP."""
        return _raw_response(status)

    def _expect_head(self) -> None:
        self._head_timer = self._loop.call_later(self._head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        if self.transport is None or self._request_in_progress:
            return
        status, body = _raw_problem(TOO_SLOW, TOO_SLOW.status)
        head = (
            f"HTTP/1.1 {status} Request Timeout\r\nContent-Type: {PROBLEM_JSON}\r\nServer: testamur\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.force_close()


def _raw_response(status: int) -> web.Response:
    problem = MALFORMED if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    status, body = _raw_problem(problem, status)
    headers = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store", "Server": "testamur"}
    response = web.Response(status=status, body=body, headers=headers)
    response.force_close()
    return response


def _raw_problem(problem: Problem | None, status: int) -> tuple[int, bytes]:
    members: dict[str, object] = {"type": "about:blank", "title": "The node made a mistake", "status": status}
    if problem is not None:
        status = problem.status
        members = {"type": problem.type, "title": problem.title, "status": status}
        members["detail"] = (
            "this is not HTTP/1.1" if problem is MALFORMED else "the head did not arrive in time"
        )
    return status, json.dumps({**members, "requestId": new_request_id()}).encode()
