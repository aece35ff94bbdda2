"""Around every request: an id, the rate limit, problem documents, CORS, a log line without digests."""

import secrets
import time
import traceback
from collections.abc import Callable, Mapping

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from testamur.node.api.context import REQUEST_ID
from testamur.node.api.limits import RateLimit
from testamur.node.api.problems import TooManyRequests, problem_for, problem_response
from testamur.node.api.routing import Route

DEVNET_HEADER = "Testamur-Devnet"

_READING = frozenset({"GET", "HEAD"})

# `Server` would tell the versions of what runs here to whoever looks for one with a hole.
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Server": "testamur"}
_OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": f"ETag, Retry-After, X-Request-Id, {DEVNET_HEADER}",
}


def make_middleware(
    routes: Mapping[tuple[str, str], Route],
    *,
    is_devnet: bool,
    rate_limit: RateLimit | None,
    new_request_id: Callable[[], str] = lambda: secrets.token_hex(8),
) -> Middleware:
    """One middleware for all of it. `routes` are the table's entries by (method, router's path template)."""
    closed_headers = {**_ALWAYS, DEVNET_HEADER: "true"} if is_devnet else _ALWAYS
    open_headers = {**closed_headers, **_OPEN}
    # Bound once: the configuration of the process that makes the application holds for all of its requests.
    logger = structlog.get_logger("testamur.api").bind()

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        request_id = request[REQUEST_ID] = new_request_id()
        try:
            _enforce(rate_limit, request)
            response = await handler(request)
        except Exception as error:  # noqa: BLE001  (the last line before the client)
            response = problem_response(error, request_id)
            if problem_for(error).is_ours:
                # Not `exception`: a traceback would carry the error's text.
                logger.error("http.failure", request_id=request_id, **_failure(error))  # noqa: TRY400
        template = _template(request)
        route = routes.get((request.method, template))
        is_open = request.method in _READING or (route is not None and route.is_open)
        response.headers.update(open_headers if is_open else closed_headers)
        response.headers["X-Request-Id"] = request_id
        # The template and not the path: paths carry digests, and nobody's look-up belongs in a log file.
        logger.info(
            "http.request",
            method=request.method,
            route=template,
            status=response.status,
            milliseconds=round((time.monotonic() - started) * 1000, 1),
            request_id=request_id,
        )
        return response

    return around


def make_preflight(methods: str) -> Handler:
    """The answer to a browser that asks whether another page may read this path."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "Content-Type, If-None-Match",
        "Access-Control-Max-Age": "86400",
    }

    async def preflight(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler takes a request)
        return web.Response(status=204, headers=headers)

    return preflight


def _enforce(rate_limit: RateLimit | None, request: web.Request) -> None:
    wait = 0 if rate_limit is None else rate_limit.seconds_to_wait(request.remote or "")
    if wait:
        raise TooManyRequests(retry_after_seconds=wait)


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "(none)" if resource is None else resource.canonical


def _failure(error: Exception) -> dict[str, object]:
    """Kind and place of a failure. Not its text: that may quote what a client sent."""
    frames = traceback.extract_tb(error.__traceback__)
    place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return {"kind": type(error).__name__, "place": place}
