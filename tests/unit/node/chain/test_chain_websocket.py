"""JSON-RPC over a WebSocket before a server that does whatever it likes."""

import asyncio
import contextlib
import json
import struct

import pytest
from aiohttp import WSMsgType, web

from testamur.node.chain.client import ChainClient
from testamur.node.chain.news import BlockNews
from testamur.node.chain.refusals import RpcRefused
from testamur.node.chain.websocket import LONGEST_REST_SECONDS, Disconnected, WebSocketTransport
from testamur.node.errors import ChainUnavailable, ConfigError

LIMIT = 4_096


class Server:
    """Answers each question by what `answers` has for the method: a result, or a function of the socket."""

    def __init__(self, **answers):
        self.answers = {"eth_subscribe": "0x1", "eth_chainId": "0x7a69", **answers}
        self.asked = []
        self.connections = 0
        self.socket = None

    async def __aenter__(self):
        application = web.Application()
        application.router.add_get("/{key:.*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"ws://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info):
        await self._runner.cleanup()

    async def announce(self, subscription="0x1"):
        await self.socket.send_json(
            {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": subscription}}
        )

    async def _serve(self, request):
        self.connections += 1
        self.socket = web.WebSocketResponse(compress=False)
        await self.socket.prepare(request)
        async for message in self.socket:
            question = json.loads(message.data)
            assert message.type is WSMsgType.TEXT
            self.asked.append(question["method"])
            answer = self.answers[question["method"]]
            if callable(answer):
                await answer(self.socket, question)
            else:
                await self.socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": answer})
        return self.socket


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@contextlib.asynccontextmanager
async def transport_to(url, *, greeting=None, clock=None, news=None):
    async def nothing(_ask):
        pass

    made = WebSocketTransport(
        url,
        max_answer_bytes=LIMIT,
        greeting=greeting or nothing,
        news=news or BlockNews(),
        clock=clock or Clock(),
    )
    try:
        yield made
    finally:
        await made.disconnect()


async def chain_id(transport):
    return (await transport.make_request("eth_chainId", []))["result"]


async def test_questions_share_one_connection_and_get_their_own_answers():
    waiting = []

    async def answered_backwards(socket, question):
        waiting.append(question)
        if len(waiting) == 3:
            for one in reversed(waiting):
                await socket.send_json({"jsonrpc": "2.0", "id": one["id"], "result": one["params"]})

    async with Server(echo=answered_backwards) as server, transport_to(server.url) as transport:
        answers = await asyncio.gather(*(transport.make_request("echo", [number]) for number in range(3)))
        assert [answer["result"] for answer in answers] == [[0], [1], [2]]
        assert (server.connections, server.asked[0]) == (1, "eth_subscribe")


async def test_an_announced_block_wakes_whoever_waits_and_one_that_was_missed_wakes_at_once():
    news = BlockNews()
    async with Server() as server, transport_to(server.url, news=news) as transport:
        await chain_id(transport)
        seen = news.count
        waiting = asyncio.create_task(news.wait(60, seen))
        await server.announce()
        assert await asyncio.wait_for(waiting, 5) == seen + 1
        await asyncio.wait_for(news.wait(60, seen), 5)
        assert await news.wait(0.01, seen + 1) == seen + 1


async def test_announcements_without_end_wake_at_a_bounded_rate():
    news, turns, seen = BlockNews(), 0, 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            while True:
                news.announce()
                seen = await news.wait(60, seen)
                turns += 1
    assert 0 < turns <= 10


async def test_an_endpoint_without_subscriptions_is_polled():
    async def refuse(socket, question):
        error = {"code": -32601, "message": "the method does not exist"}
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "error": error})

    async with Server(eth_subscribe=refuse) as server, transport_to(server.url) as transport:
        assert await chain_id(transport) == "0x7a69"


async def huge(socket, question):
    await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": "0" * LIMIT})


async def announced_as_huge(socket, _question):
    """A frame that says it will have an exabyte."""
    socket._req.transport.write(b"\x81\x7f" + struct.pack(">Q", 1 << 60) + b"{")


async def truncated(socket, _question):
    """Ten bytes of a frame of a hundred, then the connection ends."""
    socket._req.transport.write(b"\x81\x64" + b"0123456789")
    socket._req.transport.close()


async def of_another_id(socket, question):
    await socket.send_json({"jsonrpc": "2.0", "id": question["id"] + 1, "result": "0x1"})


async def of_an_id_that_is_no_number(socket, question):
    await socket.send_json({"jsonrpc": "2.0", "id": str(question["id"]), "result": "0x1"})


async def of_no_id(socket, _question):
    await socket.send_json({"jsonrpc": "2.0", "result": "0x1"})


async def no_object(socket, _question):
    await socket.send_json([[], 7])


async def no_json(socket, _question):
    await socket.send_str("<html>")


async def nested(socket, _question):
    await socket.send_str("[" * 4_000)


async def binary(socket, question):
    await socket.send_bytes(json.dumps({"id": question["id"], "result": "0x1"}).encode())


async def no_text(socket, _question):
    """A text frame that is no UTF-8."""
    socket._req.transport.write(b"\x81\x02\xff\xff")


async def compressed(socket, _question):
    """Compression was not agreed upon."""
    socket._req.transport.write(b"\xc1\x02{}")


async def closing(socket, _question):
    await socket.close(code=1013, message=b"try again later")


HOSTILE = {
    huge: "more|exceeds|1009",
    announced_as_huge: "exceeds|1009",
    truncated: "closed the connection",
    of_another_id: "was not asked",
    of_an_id_that_is_no_number: "was not asked",
    of_no_id: "was not asked",
    no_object: "was not asked",
    no_json: "not JSON",
    nested: "not JSON",
    binary: "binary",
    no_text: "closed the connection",
    compressed: "closed the connection",
    closing: "1013",
}


@pytest.mark.parametrize(
    ("behaviour", "said"), HOSTILE.items(), ids=lambda item: getattr(item, "__name__", "")
)
async def test_a_connection_that_breaks_the_rules_is_left_and_the_next_one_works(behaviour, said):
    async with Server(bad=behaviour) as server, transport_to(server.url) as transport:
        with pytest.raises(Disconnected, match=said):
            await asyncio.wait_for(transport.make_request("bad", []), 5)
        assert await chain_id(transport) == "0x7a69"
        assert (server.connections, server.asked.count("eth_subscribe")) == (2, 2)


async def test_everybody_who_waits_is_told_when_the_connection_breaks():
    asked = asyncio.Semaphore(0)

    async def silent(_socket, _question):
        asked.release()

    async with Server(silent=silent, bad=no_json) as server, transport_to(server.url) as transport:
        waiting = [asyncio.create_task(transport.make_request("silent", [])) for _ in range(3)]
        for _ in waiting:
            await asked.acquire()
        with pytest.raises(Disconnected):
            await transport.make_request("bad", [])
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in told] == [Disconnected] * 3


async def test_a_late_answer_to_a_question_that_was_given_up_is_no_fault():
    late = asyncio.get_running_loop().create_future()

    async def slow(_socket, question):
        late.set_result(question["id"])

    async def both(socket, question):
        await socket.send_json({"jsonrpc": "2.0", "id": late.result(), "result": "late"})
        await socket.send_json({"jsonrpc": "2.0", "id": question["id"], "result": "0x2"})

    async with Server(slow=slow, both=both) as server, transport_to(server.url) as transport:
        given_up = asyncio.create_task(transport.make_request("slow", []))
        await asyncio.wait([late])
        await chain_id(transport)  # something was heard: the peer is not gone
        given_up.cancel()
        await asyncio.wait([given_up])
        assert (await transport.make_request("both", []))["result"] == "0x2"
        assert server.connections == 1


async def test_a_server_that_hangs_times_out_and_is_connected_to_anew():
    async def hang(_socket, _question):
        pass

    async with Server(eth_chainId=hang) as server:
        client = ChainClient(f"{server.url}/secret-key", chain_id=31337, call_seconds=0.1)
        with pytest.raises(ChainUnavailable, match=r"did not answer eth_chainId within 0\.1 s") as caught:
            await client.check()
        assert "secret-key" not in str(caught.value)
        server.answers["eth_chainId"] = "0x7a69"
        assert await client.request("eth_chainId", []) == "0x7a69"
        assert server.connections == 2
        await client.close()


async def test_an_error_is_an_error_and_the_connection_stays():
    async def refuse(socket, question):
        await socket.send_json(
            {"jsonrpc": "2.0", "id": question["id"], "error": {"code": 3, "message": "execution reverted"}}
        )

    async with Server(eth_call=refuse) as server:
        client = ChainClient(server.url, chain_id=31337)
        with pytest.raises(RpcRefused, match="execution reverted"):
            await client.call(bytes(20), b"")
        assert await client.request("eth_chainId", []) == "0x7a69"
        assert server.connections == 1
        await client.close()


async def test_attempts_to_connect_rest_longer_and_longer_and_start_anew_after_an_answer():
    clock, rests = Clock(), []

    async def attempt(transport):
        with pytest.raises(Disconnected) as caught:
            await chain_id(transport)
        return "in a moment" in str(caught.value)

    async with Server() as server:
        nobody = server.url
    async with transport_to(nobody, clock=clock) as transport:
        for _ in range(10):
            assert not await attempt(transport)
            assert await attempt(transport)
            rests.append(transport._rest_until - clock.now)
            clock.now = transport._rest_until
    assert rests[:4] == [0.25, 0.5, 1.0, 2.0]
    assert rests[-1] == LONGEST_REST_SECONDS
    async with Server() as server, transport_to(server.url, clock=clock) as transport:
        transport._failures = 9
        assert await chain_id(transport) == "0x7a69"
        assert transport._failures == 0


async def test_a_greeting_that_refuses_keeps_every_question_from_the_connection():
    async def refuse(ask):
        await ask("eth_chainId", [])
        raise ChainUnavailable("another chain")

    async with Server() as server, transport_to(server.url, greeting=refuse) as transport:
        with pytest.raises(ChainUnavailable, match="another chain"):
            await transport.make_request("eth_sendRawTransaction", [])
        assert server.asked == ["eth_chainId"]


async def test_what_is_no_websocket_is_no_answer():
    async with Server() as server:
        client = ChainClient(server.url.replace("ws:", "http:"), chain_id=31337)
        with pytest.raises(ChainUnavailable):
            await client.check()
        await client.close()


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="http, https, ws or wss"):
        ChainClient("ipc:///run/geth", chain_id=1)
