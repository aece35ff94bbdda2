"""Connections: nobody holds one by sending slowly, and a server that closes ends what is under way."""

import asyncio
import contextlib
import io
import json
import time

import aiohttp
import pytest

from fakes.api_node import TOKEN, FakeNode
from testamur.node.api import requests
from testamur.node.api.app import create_app, serve
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_digest


@contextlib.asynccontextmanager
async def running(node=None, **options):
    app = create_app(node or FakeNode(), registry_name="registry.example", devnet=False)
    server = await serve(app, **options)
    try:
        yield server
    finally:
        await server.close()


async def connect(server):
    host, _, port = server.url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


async def answer(reader):
    """Status and body of one raw answer that ends the connection."""
    raw = await asyncio.wait_for(reader.read(), timeout=20)
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body, head


@pytest.mark.parametrize(
    "sent", [b"", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "]
)
async def test_a_head_that_does_not_end_ends_the_connection(sent):
    async with running(head_seconds=0.1) as server:
        reader, writer = await connect(server)
        writer.write(sent)
        status, body, _ = await answer(reader)
        writer.close()
    assert status == 408
    assert json.loads(body)["type"].endswith("/too-slow")


async def test_a_head_that_drips_is_not_given_more_time_for_each_byte():
    async with running(head_seconds=0.3) as server:
        reader, writer = await connect(server)

        async def drip():
            with contextlib.suppress(ConnectionError):
                for byte in b"GET /healthz HTTP/1.1\r\nX-A: " + b"x" * 2000:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        started = time.monotonic()
        status, _, _ = await answer(reader)
        assert (status, time.monotonic() - started < 10) == (408, True)
        dripping.cancel()
        writer.close()


async def test_a_second_head_on_a_kept_connection_is_waited_for_as_long():
    async with running(head_seconds=0.2) as server:
        reader, writer = await connect(server)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")
        writer.write(b"GET /heal")
        assert (await answer(reader))[0] == 408
        writer.close()


async def test_a_silent_connection_that_has_asked_before_is_kept():
    async with running(head_seconds=0.05) as server, aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/healthz") as response:
            assert response.status == 200
        await asyncio.sleep(0.2)
        async with session.get(f"{server.url}/healthz") as response:
            assert response.status == 200


async def test_a_body_that_drips_is_refused_in_time(monkeypatch):
    monkeypatch.setattr(requests, "MAX_BODY_SECONDS", 0.2)
    async with running() as server:
        reader, writer = await connect(server)
        writer.write(
            b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        )
        status, body, _ = await answer(reader)
        writer.close()
    assert status == 408
    assert json.loads(body)["type"].endswith("/too-slow")


@pytest.mark.parametrize("size", [100 * 1024 * 1024, 47_000_000])
async def test_a_huge_body_is_refused_before_it_is_sent(size):
    async with running() as server:
        for path, limit in (("/v1/verify", 2 << 20), ("/v1/logs/ada/entries", 256 * 1024)):
            reader, writer = await connect(server)
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode())
            status, body, _ = await answer(reader)
            writer.close()
            assert (status, json.loads(body)["limit"]) == (413, limit)
            assert str(size) in json.loads(body)["detail"]


async def test_a_million_digests_are_refused_with_the_number_that_is_taken():
    digests = json.dumps({"digests": [encode_digest(sha256(b"x"))] * 1_000_000}).encode()
    async with running() as server, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with session.post(
                f"{server.url}/v1/logs/ada/entries", data=io.BytesIO(digests), headers=headers
            ) as response:
                assert response.status == 413
                assert "4096 digests at once" in (await response.json(content_type=None))["detail"]


@pytest.mark.parametrize(
    "line", [b"nonsense", b"GET / HTTP/9.9", b"OPTIONS * HTTP/1.1", b"GET /\x01 HTTP/1.1"]
)
async def test_what_is_not_http_gets_a_problem_document_too(line):
    async with running() as server:
        reader, writer = await connect(server)
        writer.write(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        status, body, head = await answer(reader)
        writer.close()
    assert 400 <= status < 500
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


class SlowNode(FakeNode):
    """A node whose submissions wait until they are let go."""

    def __init__(self):
        super().__init__()
        self.entered, self.go = asyncio.Event(), asyncio.Event()

    async def submit(self, slug, digests):
        self.entered.set()
        await self.go.wait()
        return await super().submit(slug, digests)


async def test_a_server_that_closes_ends_what_is_under_way_and_refuses_what_is_new():
    node = SlowNode()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with running(node) as server, aiohttp.ClientSession() as session:
        url = f"{server.url}/v1/logs/ada/entries"
        body = {"digests": [encode_digest(sha256(b"x"))]}
        under_way = asyncio.create_task(session.post(url, json=body, headers=headers))
        await node.entered.wait()
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        async with session.get(f"{server.url}/healthz") as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            assert "shutting down" in (await refused.json(content_type=None))["detail"]
            assert refused.headers.get("Connection", "").lower() == "close"
        assert not closing.done()
        node.go.set()
        async with await under_way as response:
            assert response.status == 200
        await closing
        assert len(node.leaves) == 1
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{server.url}/healthz")


async def test_nothing_that_a_server_of_ours_cannot_parse_is_written_to_standard_error(capfd):
    async with running() as server:
        reader, writer = await connect(server)
        writer.write(b"GET /v1/credentials/topsecretdigest HTTP/1.1\r\nBad Header\r\n\r\n")
        await answer(reader)
        writer.close()
    out, err = capfd.readouterr()
    assert "topsecretdigest" not in out + err
