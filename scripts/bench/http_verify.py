"""A verdict over HTTP: `POST /v1/verify` with an anchored dossier (eddsa-jcs), warm, beside its parts.

The server is a process of its own, asked over kept connections; what counts is the CPU time that it spent per
request (Linux: /proc). Warm: the node has seen this dossier's log before.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

import structlog  # noqa: E402
from _report import Row, microseconds, report  # noqa: E402
from aiohttp import web  # noqa: E402
from http_lookup import cpu_seconds, run_server  # noqa: E402

from fakes.whole_registry import NOW, World, trust  # noqa: E402
from testamur.node.api.app import create_app  # noqa: E402
from testamur.node.service.judging import judge  # noqa: E402
from testamur.node.service.port import ServicePort  # noqa: E402
from testamur.node.service.workers import Workers  # noqa: E402
from testamur.registry.canonical import canonicalize  # noqa: E402
from testamur.registry.dossiers import parse_dossier  # noqa: E402

CONNECTIONS = 8
REQUESTS = 400
ROUNDS = 3
GOAL_PER_SECOND = 4_000

DOSSIER = World().dossier()
BODY = canonicalize(DOSSIER)


def interface() -> web.Application:
    """Ours, over the port that a node has; the log is at the level of a node in operation."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    node = SimpleNamespace(
        trust=trust(), clock=lambda: NOW, supplied={}, hostings={}, workers=Workers("bench")
    )
    return create_app(ServicePort(node), registry_name="registry.example", devnet=False)  # type: ignore[arg-type]


async def take(request: web.Request) -> web.Response:
    """The least that aiohttp can do with a body."""
    return web.Response(text=str(len(await request.read())))


def plain_app() -> web.Application:
    """The raw limit of the transport: one route that reads what is sent."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/v1/verify", take)
    return app


async def ask(url: str, requests: int) -> None:
    """`requests` POSTs of the dossier over `CONNECTIONS` kept connections."""
    host, _, port = url.removeprefix("http://").partition(":")
    head = (
        f"POST /v1/verify HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode()

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(requests // CONNECTIONS):
            writer.write(head + BODY)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            if not answer.startswith(b"HTTP/1.1 200") or b'"invalid"' in body[:200]:
                raise SystemExit(f"http_verify: {answer.decode()} {body[:400].decode()}")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))


def main() -> None:
    """Ask both in turns, and compare medians."""
    sides = {"ours": interface, "limit": plain_app}
    cost: dict[str, list[float]] = {name: [] for name in sides}
    servers = {}
    for name, make in sides.items():
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=run_server, args=(make, there), daemon=True)
        process.start()
        servers[name] = (process, here.recv())
        asyncio.run(ask(servers[name][1], CONNECTIONS))  # warm
    for _ in range(ROUNDS):
        for name, (process, url) in servers.items():
            before = cpu_seconds(process.pid or 0)
            asyncio.run(ask(url, REQUESTS))
            cost[name].append((cpu_seconds(process.pid or 0) - before) * 1e6 / REQUESTS)
    for process, _ in servers.values():
        process.terminate()
        process.join()
    trusted = trust()

    def parse_and_judge() -> None:
        for _ in range(50):
            judge(*parse_dossier(BODY), trust=trusted, now=NOW)

    parse_and_judge()
    judged = statistics.median(microseconds(parse_and_judge, 50) for _ in range(ROUNDS))
    ours, limit = (statistics.median(cost[name]) for name in ("ours", "limit"))
    parts = judged + limit
    per_second = 1e6 / ours
    report(
        [
            Row(
                what=f"POST /v1/verify, {len(BODY)} bytes, server CPU per request",
                unit="µs",
                ours=ours,
                beside="POST to aiohttp + parse and verify, in line",
                limit=parts,
                ratio=ours / parts,
                goal="≤ 1.25",
                met=ours <= 1.25 * parts,
            ),
            Row(
                what="verdicts per second and core",
                unit="/s",
                ours=per_second,
                beside="parse and verify alone",
                limit=1e6 / judged,
                ratio=per_second / GOAL_PER_SECOND,
                goal=f"≥ {GOAL_PER_SECOND}/s",
                met=per_second >= GOAL_PER_SECOND,
            ),
        ]
    )


if __name__ == "__main__":
    main()
