"""The application: route table, middleware and context around a node; and the server that runs it."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from testamur.node.api.clients import TrustedProxies
from testamur.node.api.connections import HEAD_SECONDS, KEEPALIVE_SECONDS, Runner
from testamur.node.api.context import CONTEXT, Context
from testamur.node.api.limits import RateLimit
from testamur.node.api.middleware import Surroundings
from testamur.node.api.openapi import openapi_document, plain_path
from testamur.node.api.page.routes import PAGES
from testamur.node.api.ports import NodePort
from testamur.node.api.requests import MAX_BUNDLE_BYTES
from testamur.node.api.routes import ROUTES
from testamur.node.api.traffic import Traffic
from testamur.node.api.vc.context import VC_CONTEXT, VcContext
from testamur.node.api.vc.ports import VerifierPort
from testamur.node.api.vc.routes import VC_ROUTES
from testamur.node.errors import ConfigError

Application: TypeAlias = web.Application
"""What `create_app` makes and `serve` takes."""

SHUTDOWN_SECONDS = 10.0
"""How long requests that are under way may take to end when the server closes."""

LINGERING_SECONDS = 1.0
"""How long a refused body is still drained before the connection is cut, so that its sender can read why."""


def create_app(
    node: NodePort,
    *,
    registry_name: str,
    devnet: bool,
    version: str = "0",
    rate_limit: RateLimit | None = None,
    token_limit: RateLimit | None = None,
    proxies: TrustedProxies | None = None,
    traffic: Traffic | None = None,
    verifier: VerifierPort | None = None,
) -> web.Application:
    """The HTTP interface over `node`, not yet listening. Holds no state but limits and counts.

    With a `verifier` it has the VC API and DID resolution too. `rate_limit` is per address, `token_limit` per
    token; `traffic` is where requests are counted.
    """
    traffic = traffic or Traffic()
    surroundings = Surroundings(
        is_devnet=devnet, rate_limit=rate_limit, proxies=proxies or TrustedProxies(), traffic=traffic
    )
    app = web.Application(client_max_size=MAX_BUNDLE_BYTES)
    routes = ROUTES if verifier is None else (*ROUTES, *VC_ROUTES)
    openapi = openapi_document(registry_name=registry_name, version=version, is_devnet=devnet, routes=routes)
    app[CONTEXT] = Context(
        node=node,
        registry_name=registry_name,
        is_devnet=devnet,
        openapi=openapi,
        traffic=traffic,
        token_limit=token_limit,
    )
    if verifier is not None:
        app[VC_CONTEXT] = VcContext(verifier=verifier)
    for route in (*routes, *PAGES):
        template = plain_path(route.path)
        handler = surroundings.handler_of(route, template)
        if route.method == "GET":
            app.router.add_get(route.path, handler)
        else:
            app.router.add_route(route.method, route.path, handler)
        if route.is_open:
            app.router.add_route("OPTIONS", route.path, surroundings.preflight_of(route, template))
    app.router.add_route("*", "/{everything:(?s:.*)}", surroundings.unrouted(app.router))
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A listening application. `url` has the port that was really bound."""

    url: str
    _runner: web.AppRunner
    _traffic: Traffic

    async def close(self) -> None:
        """Let what is under way end, refuse what is new, then stop listening. Harmless when repeated.

        Requests that come meanwhile are answered with 503 and when to ask again, so that a proxy can go to
        another node. After `SHUTDOWN_SECONDS` what is left is cut.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._traffic.close(), SHUTDOWN_SECONDS)
        await self._runner.cleanup()


async def serve(
    app: web.Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    head_seconds: float = HEAD_SECONDS,
) -> Server:
    """Listen on `host` and `port` (0: any free one) and return once connections are accepted.

    Raises ConfigError("listen") when the address cannot be bound.
    """
    # No access log of aiohttp's: it would write paths, and paths name credentials.
    runner = Runner(
        app,
        head_seconds=head_seconds,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
        lingering_time=LINGERING_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as exc:
        await runner.cleanup()
        raise ConfigError("listen", f"cannot listen on {host} port {port} ({exc.strerror or exc})") from exc
    address: Any = runner.addresses[0]
    shown = f"[{host}]" if ":" in host else host
    context = app.get(CONTEXT)  # an application that is not ours has none
    traffic = Traffic() if context is None else context.traffic
    return Server(url=f"http://{shown}:{address[1]}", _runner=runner, _traffic=traffic)
