"""JSON-RPC over a WebSocket: one connection, opened when it is needed and again after it broke.

New blocks are announced on it (`eth_subscribe` newHeads). What was subscribed, and which chain answers, is
forgotten with a connection: each new one is greeted, that is checked and subscribed, before it carries a
question. Blocks that were mined meanwhile are fetched by whoever follows the chain.
"""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from testamur.node.chain.news import BlockNews
from testamur.node.chain.transport import parse_answer
from testamur.node.errors import NodeError

if TYPE_CHECKING:
    from aiohttp import ClientSession, ClientWebSocketResponse

Ask: TypeAlias = Callable[[str, list[Any]], Awaitable[Mapping[str, Any]]]
"""A question, to the JSON-RPC response, which may be an error."""

Greeting: TypeAlias = Callable[[Ask], Awaitable[None]]
"""Given a way to ask on a new connection, raises when the connection is no use."""

PING_SECONDS: Final = 20.0
"""Proxies cut connections that are silent for a minute; a peer that is gone without a word is noticed."""

FIRST_REST_SECONDS: Final = 0.25
LONGEST_REST_SECONDS: Final = 30.0
"""Between attempts to connect, doubling: an endpoint that is back is noticed within half a minute."""

CLOSE_SECONDS: Final = 1.0
"""A peer that does not answer a close is left alone: there is nothing more to hear from it."""


class Disconnected(Exception):
    """There is no connection, or it broke before the answer came; the text says why."""


class Connection:
    """One open WebSocket. Answers find their questions by id; whatever breaks the rules breaks it."""

    def __init__(self, socket: "ClientWebSocketResponse", news: BlockNews) -> None:
        self._socket = socket
        self._news = news
        self._ids = itertools.count(1)
        self._newest_id = 0
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._heard = 0
        self.broken = ""
        self._reader = asyncio.create_task(self._read())

    async def ask(self, method: str, params: list[Any]) -> Mapping[str, Any]:
        """The response with this question's id. Raises Disconnected.

        When it is given up, and nothing at all was heard since it was asked, the peer counts as gone.
        """
        if self.broken:
            raise Disconnected(self.broken)
        number = self._newest_id = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        heard = self._heard
        try:
            question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            await self._socket.send_str(json.dumps(question))
            response: Mapping[str, Any] = await answer
        except asyncio.CancelledError:
            if self._heard == heard:
                self._break("the endpoint was silent for too long")
            raise
        except (OSError, RuntimeError) as exc:  # aiohttp's words for a connection that is closing
            self._break(str(exc))
            raise Disconnected(self.broken) from exc
        finally:
            self._waiting.pop(number, None)
        return response

    async def close(self) -> None:
        """End the connection; who waits for an answer is told."""
        self._break("the connection was closed")
        await asyncio.wait([self._reader])

    async def _read(self) -> None:
        from aiohttp import WSMsgType  # noqa: PLC0415  aiohttp takes a third of a second to import

        try:
            while not self.broken:
                message = await self._socket.receive()
                if message.type is not WSMsgType.TEXT:
                    self._break(_ending(message.type.name, message.data, self._socket.close_code))
                    break
                self._heard += 1
                self._take(message.data)
        finally:
            self._break("the connection was closed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._socket.close()

    def _take(self, text: str) -> None:
        try:
            message = parse_answer(text)
        except ValueError:
            self._break("the endpoint sent something that is not JSON")
            return
        if isinstance(message, dict) and message.get("method") == "eth_subscription":
            self._news.announce()
            return
        number = message.get("id") if isinstance(message, dict) else None
        if type(number) is not int or not 0 < number <= self._newest_id:
            # Not the answer to anything: what else it says about other questions cannot be told.
            self._break("the endpoint answered what it was not asked")
            return
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.done():  # else it was given up, and the answer is late
            waiting.set_result(message)

    def _break(self, reason: str) -> None:
        if self.broken:
            return
        self.broken = reason
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Disconnected(reason))
        self._waiting.clear()
        if asyncio.current_task() is not self._reader:
            self._reader.cancel()
        self._news.announce()  # whoever follows the chain looks, and so connects again


class WebSocketTransport:
    """An endpoint's answers over whatever connection there is. For concurrent calls on one event loop."""

    def __init__(
        self,
        url: str,
        *,
        max_answer_bytes: int,
        greeting: Greeting,
        news: BlockNews,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`greeting` is told of every new connection first, the first one included."""
        self._url = url
        self._max_answer_bytes = max_answer_bytes
        self._greeting = greeting
        self._news = news
        self._clock = clock
        self._turn = asyncio.Lock()
        self._session: ClientSession | None = None
        self._connection: Connection | None = None
        self._failures = 0
        self._rest_until = 0.0
        self._last_failure = ""

    async def make_request(self, method: str, params: list[Any]) -> Mapping[str, Any]:
        """One answer. Raises Disconnected and what `greeting` raises; the next call connects again."""
        connection = await self._connected()
        answer = await connection.ask(method, params)
        self._failures = 0
        return answer

    async def disconnect(self) -> None:
        """Close everything; the next call connects again."""
        async with self._turn:
            connection, self._connection = self._connection, None
            session, self._session = self._session, None
        if connection is not None:
            await connection.close()
        if session is not None:
            await session.close()

    async def _connected(self) -> Connection:
        async with self._turn:
            if self._connection is not None and not self._connection.broken:
                return self._connection
            was, self._connection = self._connection, None
            if was is not None:
                self._last_failure = was.broken
            if self._clock() < self._rest_until:
                raise Disconnected(f"{self._last_failure}; connecting again in a moment")
            self._last_failure = "the endpoint did not answer in time"
            try:
                self._connection = await self._open()
            except (Disconnected, NodeError) as exc:
                self._last_failure = str(exc)
                raise
            finally:
                if self._connection is None:
                    rest = FIRST_REST_SECONDS * 2 ** min(self._failures, 16)
                    self._failures += 1
                    self._rest_until = self._clock() + min(rest, LONGEST_REST_SECONDS)
            return self._connection

    async def _open(self) -> Connection:
        from aiohttp import ClientError, ClientSession  # noqa: PLC0415

        if self._session is None:
            self._session = ClientSession()
        try:
            # No compression: a small message could be a huge one.
            socket = await self._session.ws_connect(
                self._url, max_msg_size=self._max_answer_bytes, heartbeat=PING_SECONDS, compress=0
            )
        except (ClientError, OSError) as exc:
            raise Disconnected(str(exc) or type(exc).__name__) from exc
        connection = Connection(socket, self._news)
        try:
            await self._greeting(connection.ask)
            await connection.ask("eth_subscribe", ["newHeads"])  # refused: then there is polling
        except BaseException:
            await connection.close()
            raise
        self._news.announce()  # there may be blocks that no connection announced
        return connection


def _ending(kind: str, data: object, code: int | None) -> str:
    if kind == "BINARY":
        return "the endpoint sent binary data"
    reason = f": {data}" if isinstance(data, Exception) else ""
    return f"the endpoint closed the connection ({code or kind.lower()}){reason}"
