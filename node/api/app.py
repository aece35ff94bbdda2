"""The application: route table, middleware and context around a node; and the server that runs it."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from testamur.node.api.context import CONTEXT, Context
from testamur.node.api.limits import RateLimit
from testamur.node.api.middleware import make_middleware, make_preflight
from testamur.node.api.openapi import openapi_document, plain_path
from testamur.node.api.ports import NodePort
from testamur.node.api.requests import MAX_BUNDLE_BYTES
from testamur.node.api.routes import ROUTES
from testamur.node.errors import ConfigError

Application: TypeAlias = web.Application
"""What `create_app` makes and `serve` takes."""

SHUTDOWN_SECONDS = 5.0
"""How long open requests may take to end when the server closes."""

LINGERING_SECONDS = 1.0
"""How long a refused body is still drained before the connection is cut, so that its sender can read why."""


def create_app(
    node: NodePort,
    *,
    registry_name: str,
    devnet: bool,
    version: str = "0",
    rate_limit: RateLimit | None = None,
) -> web.Application:
    """The HTTP interface over `node`, not yet listening. Holds no state but the rate limit."""
    by_template = {(route.method, plain_path(route.path)): route for route in ROUTES}
    app = web.Application(
        middlewares=[make_middleware(by_template, is_devnet=devnet, rate_limit=rate_limit)],
        client_max_size=MAX_BUNDLE_BYTES,
    )
    openapi = openapi_document(registry_name=registry_name, version=version, is_devnet=devnet)
    app[CONTEXT] = Context(node=node, registry_name=registry_name, is_devnet=devnet, openapi=openapi)
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler)
        if route.is_open:
            methods = "GET, HEAD" if route.method == "GET" else route.method
            app.router.add_route("OPTIONS", route.path, make_preflight(methods))
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A listening application. `url` has the port that was really bound."""

    url: str
    _runner: web.AppRunner

    async def close(self) -> None:
        """Stop listening, let open requests end, then return. Harmless when repeated."""
        await self._runner.cleanup()


async def serve(app: web.Application, *, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Listen on `host` and `port` (0: any free one) and return once connections are accepted.

    Raises ConfigError("listen") when the address cannot be bound.
    """
    # No access log of aiohttp's: it would write paths, and paths name credentials.
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, lingering_time=LINGERING_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as exc:
        await runner.cleanup()
        raise ConfigError("listen", f"cannot listen on {host} port {port} ({exc.strerror or exc})") from exc
    address: Any = runner.addresses[0]
    shown = f"[{host}]" if ":" in host else host
    return Server(url=f"http://{shown}:{address[1]}", _runner=runner)
