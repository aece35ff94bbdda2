"""Around every request: an id, the rate limit, problem documents, CORS, counts, a line without digests."""

import logging
import time
import traceback
from collections.abc import Mapping

import structlog
from aiohttp import web

from testamur.node.api.clients import TrustedProxies
from testamur.node.api.context import REQUEST_ID
from testamur.node.api.limits import RateLimit
from testamur.node.api.page.mistakes import is_for_people, mistake_page
from testamur.node.api.parameters import Parameter, check_query
from testamur.node.api.ports import NotReady
from testamur.node.api.problems import TooManyRequests, problem_for, problem_response
from testamur.node.api.request_ids import request_id_from
from testamur.node.api.responses import prepared
from testamur.node.api.routing import Handler, Route
from testamur.node.api.traffic import Traffic

DEVNET_HEADER = "Testamur-Devnet"

EVERYTHING = "/{everything}"

UNROUTED = "(none)"
"""The route of requests that no line of the table takes, in logs and metrics."""

SLOW_SECONDS = 2.0
"""A request that takes longer is worth a line in the log at its usual level."""

CLOSING_RETRY_SECONDS = 5

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"})

# `Server` would tell the versions of what runs here to whoever looks for one with a hole.
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Server": "testamur"}
_OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": f"ETag, Retry-After, X-Request-Id, {DEVNET_HEADER}",
}


class Surroundings:
    """What is around every handler. aiohttp's middlewares would cost each request more than they do."""

    def __init__(
        self,
        *,
        is_devnet: bool,
        rate_limit: RateLimit | None,
        proxies: TrustedProxies,
        traffic: Traffic,
    ) -> None:
        closed = {**_ALWAYS, DEVNET_HEADER: "true"} if is_devnet else _ALWAYS
        self._closed, self._opened = prepared(closed), prepared({**closed, **_OPEN})
        self._rate_limit = rate_limit
        self._proxies = proxies
        self._traffic = traffic
        # Bound once: the configuration of the process that makes the application holds for all requests.
        self._logger = structlog.get_logger("testamur.api").bind()
        self._tells_reads = self._logger.is_enabled_for(logging.DEBUG)

    def handler_of(self, route: Route, template: str) -> Handler:
        """The handler of a line of the table, with everything around it."""
        takes_any = route.takes_any_query or route.is_for_people
        known = tuple(item for item in route.parameters if f"{{{item.name}}}" not in template)
        return self._around(
            route.handler,
            template=template,
            parameters=None if takes_any else known,
            headers=self._opened if route.is_open else self._closed,
            is_write=route.needs_token,
            is_page=route.is_for_people,
        )

    def preflight_of(self, route: Route, template: str) -> Handler:
        """The answer to a browser that asks whether another page may use this line of the table."""
        methods = "GET, HEAD" if route.method == "GET" else route.method
        return self._around(_preflight(methods), template=template, headers=self._closed)

    def unrouted(self, router: web.UrlDispatcher) -> Handler:
        """For what no line of the table takes: NotFound, or what the path does take."""

        async def refuse(request: web.Request) -> web.StreamResponse:
            allowed: set[str] = set()
            for resource in router.resources():
                if resource.canonical != EVERYTHING:
                    _, methods = await resource.resolve(request)
                    allowed |= methods
            if allowed:
                raise web.HTTPMethodNotAllowed(request.method, sorted(allowed))
            raise web.HTTPNotFound

        return self._around(refuse, template=UNROUTED, headers=self._opened, is_page=True)

    def _around(
        self,
        handler: Handler,
        *,
        template: str,
        headers: Mapping[str, str],
        parameters: tuple[Parameter, ...] | None = None,
        is_write: bool = False,
        is_page: bool = False,
    ) -> Handler:
        traffic, logger, tells_reads = self._traffic, self._logger, self._tells_reads
        is_limited = self._rate_limit is not None

        async def around(request: web.Request) -> web.StreamResponse:
            started = time.monotonic()
            request_id = request[REQUEST_ID] = request_id_from(request.headers.get("X-Request-Id"))
            traffic.in_flight += 1
            try:
                if is_limited or traffic.is_closing:
                    self._admit(request)
                if parameters is not None and "?" in request.raw_path:
                    check_query(request, parameters)
                response = await handler(request)
            except Exception as error:  # noqa: BLE001  (the last line before the client)
                response = self._refusal(request, error, request_id, is_page=is_page)
            finally:
                traffic.left()
            response.headers.update(headers)
            response.headers["X-Request-Id"] = request_id
            if traffic.is_closing:
                response.force_close()
            seconds = time.monotonic() - started
            status = response.status
            method = request.method if request.method in _METHODS else "other"
            traffic.ended(method, template, status, seconds)
            # Reads are many, and metrics count them; what changes something, fails or is slow has a line.
            is_told = is_write or status >= 500 or seconds > SLOW_SECONDS
            if is_told or tells_reads:
                # The template and not the path: paths carry digests, and nobody's look-up is written down.
                (logger.info if is_told else logger.debug)(
                    "http.request",
                    method=method,
                    route=template,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                    request_id=request_id,
                )
            return response

        return around

    def _admit(self, request: web.Request) -> None:
        if self._traffic.is_closing:
            raise NotReady("the node is shutting down", retry_after_seconds=CLOSING_RETRY_SECONDS)
        if self._rate_limit is not None:
            wait = self._rate_limit.seconds_to_wait(self._proxies.key_of(request))
            if wait:
                raise TooManyRequests("from this address", retry_after_seconds=wait)

    def _refusal(
        self, request: web.Request, error: Exception, request_id: str, *, is_page: bool
    ) -> web.StreamResponse:
        if problem_for(error).is_ours and not isinstance(error, NotReady):
            # Not `exception`: a traceback would carry the error's text.
            self._logger.error("http.failure", request_id=request_id, **_failure(error))
        response = problem_response(error, request_id)
        return mistake_page(request, response) if is_page and is_for_people(request) else response


def _preflight(methods: str) -> Handler:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "Content-Type, If-None-Match, X-Request-Id",
        "Access-Control-Max-Age": "86400",
    }

    async def preflight(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler takes a request)
        return web.Response(status=204, headers=headers)

    return preflight


def _failure(error: Exception) -> dict[str, object]:
    """Kind and place of a failure. Not its text: that may quote what a client sent."""
    frames = traceback.extract_tb(error.__traceback__)
    place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return {"kind": type(error).__name__, "place": place}
