"""A look-up by digest over HTTP: the interface beside an aiohttp application that only says hello.

Each server is a process of its own, asked over kept connections; what is compared is the CPU time that the
server spent per request (Linux: /proc), so that the load generator does not count.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import statistics
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog
from _report import Row, report
from aiohttp import web

from testamur.node.api.app import create_app, serve
from testamur.node.api.ports import LoggedAt

CONNECTIONS = 16
REQUESTS = 4_000
ROUNDS = 5
DIGESTS = [hashlib.sha256(str(number).encode()).digest() for number in range(256)]


class Index:
    """The one method of a node that a look-up needs, over a dictionary."""

    def __init__(self) -> None:
        self._leaves = {digest: number for number, digest in enumerate(DIGESTS)}

    async def find_credential(self, digest: bytes) -> list[LoggedAt]:
        """As `NodePort.find_credential`."""
        return [LoggedAt(origin="registry.example/ada/1", leaf_index=self._leaves[digest], state="anchored")]


async def hello(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler takes a request)
    """The least that aiohttp can do."""
    return web.Response(text="hello")


def plain_app() -> web.Application:
    """The raw limit: one route, no middleware."""
    app = web.Application()
    app.router.add_get("/{digest}", hello)
    return app


def interface() -> web.Application:
    """Ours, with its middleware; the log is at the level of a node in operation."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    return create_app(Index(), registry_name="registry.example", devnet=False)  # type: ignore[arg-type]


def run_server(make: Callable[[], web.Application], pipe: Connection) -> None:
    """Serve until the process is ended; tells its URL through the pipe."""

    async def forever() -> None:
        server = await serve(make())
        pipe.send(server.url)
        await asyncio.Event().wait()

    asyncio.run(forever())


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ask(url: str, path: str, requests: int) -> None:
    """`requests` GETs over `CONNECTIONS` kept connections."""
    host, _, port = url.removeprefix("http://").partition(":")

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in range(requests // CONNECTIONS):
            digest = DIGESTS[number % len(DIGESTS)].hex()
            writer.write(f"GET {path}{digest} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"http_lookup: {head.decode()}")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()

    clients: list[Coroutine[Any, Any, None]] = [one_connection() for _ in range(CONNECTIONS)]
    await asyncio.gather(*clients)


def main() -> None:
    """Ask both in turns, and compare medians."""
    sides = {"ours": (interface, "/v1/credentials/"), "limit": (plain_app, "/")}
    cost: dict[str, list[float]] = {name: [] for name in sides}
    servers = {}
    for name, (make, path) in sides.items():
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=run_server, args=(make, there), daemon=True)
        process.start()
        servers[name] = (process, here.recv(), path)
    for _ in range(ROUNDS):
        for name, (process, url, path) in servers.items():
            before = cpu_seconds(process.pid or 0)
            asyncio.run(ask(url, path, REQUESTS))
            cost[name].append((cpu_seconds(process.pid or 0) - before) * 1e6 / REQUESTS)
    for process, _, _ in servers.values():
        process.terminate()
        process.join()
    ours, limit = (statistics.median(cost[name]) for name in ("ours", "limit"))
    row = Row(
        what="look-up by digest, server CPU per request",
        unit="µs",
        ours=ours,
        beside="aiohttp hello",
        limit=limit,
        ratio=limit / ours,
        goal="limit/ours ≥ 0.7",
        met=limit / ours >= 0.7,
    )
    report([row])


if __name__ == "__main__":
    main()
