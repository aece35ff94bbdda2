"""The issuer service's application: its issuers' routes, each under a path of its own.

For development the verifier's routes can be served beside them, on the same port.
"""

from collections.abc import Sequence

from aiohttp import web

from testamur.node.api.clients import TrustedProxies
from testamur.node.api.limits import RateLimit
from testamur.node.api.middleware import Surroundings
from testamur.node.api.openapi import plain_path
from testamur.node.api.requests import MAX_BUNDLE_BYTES
from testamur.node.api.routing import Handler, Route
from testamur.node.api.traffic import Traffic
from testamur.node.api.vc import issuing
from testamur.node.api.vc.context import VC_CONTEXT, VcContext
from testamur.node.api.vc.ports import IssuerPort, VerifierPort
from testamur.node.api.vc.routes import BODY, VC_ROUTES


def create_issuer_app(
    issuers: Sequence[IssuerPort],
    *,
    verifier: VerifierPort,
    serves_verifier: bool,
    rate_limit: RateLimit | None = None,
    proxies: TrustedProxies | None = None,
) -> web.Application:
    """The interface of the issuer service: each issuer's routes for the holders of its own token."""
    surroundings = Surroundings(
        is_devnet=serves_verifier,
        rate_limit=rate_limit,
        proxies=proxies or TrustedProxies(),
        traffic=Traffic(),
    )
    app = web.Application(client_max_size=MAX_BUNDLE_BYTES)
    app[VC_CONTEXT] = VcContext(verifier=verifier)
    routes = [route for issuer in issuers for route in issuer_routes(issuer)]
    challenging = _with_token(issuers, issuing.make_challenge)
    routes.append(_route("POST", "/challenges", challenging, "A random challenge", needs_token=True))
    if serves_verifier:
        routes += VC_ROUTES
    for route in routes:
        app.router.add_route(route.method, route.path, surroundings.handler_of(route, plain_path(route.path)))
    app.router.add_route("*", "/{everything:(?s:.*)}", surroundings.unrouted(app.router))
    return app


def issuer_routes(issuer: IssuerPort) -> list[Route]:
    """The routes of one issuer."""
    base = issuer.path
    credential = f"{base}/credentials/{{id:.+}}"
    listed = f"{base}/status-lists/{{name:[A-Za-z0-9.-]{{1,100}}}}"
    return [
        _route("POST", f"{base}/credentials/issue", _for(issuer, issuing.issue), "Issue", needs_token=True),
        _route(
            "POST", f"{base}/credentials/status", _for(issuer, issuing.set_status), "Set", needs_token=True
        ),
        _route("GET", credential, _for(issuer, issuing.get_credential), "Find", needs_token=True),
        _route("DELETE", credential, _for(issuer, issuing.delete_credential), "Forget", needs_token=True),
        _route(
            "POST", f"{base}/status-lists", _for(issuer, issuing.create_list), "New list", needs_token=True
        ),
        _route("POST", f"{listed}/publish", _for(issuer, issuing.publish_list), "Publish", needs_token=True),
        _route("GET", listed, _open(issuer, issuing.get_list), "A status list"),
    ]


def _for(issuer: IssuerPort, handler: issuing.IssuerHandler) -> Handler:
    return _with_token((issuer,), _open(issuer, handler))


def _with_token(issuers: Sequence[IssuerPort], handler: Handler) -> Handler:
    """For holders of a token of one of the issuers; before a body is read."""

    async def handle(request: web.Request) -> web.StreamResponse:
        issuing.check_token(request, issuers)
        return await handler(request)

    return handle


def _open(issuer: IssuerPort, handler: issuing.IssuerHandler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request, issuer)

    return handle


def _route(method: str, path: str, handler: Handler, summary: str, *, needs_token: bool = False) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        operation="",
        tag="vc",
        summary=summary,
        problems=BODY,
        needs_token=needs_token,
        is_open=not needs_token,
        takes_any_query=True,
    )
