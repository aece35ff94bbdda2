"""What the node says about itself: health, readiness, metrics and the OpenAPI document."""

from aiohttp import web

from testamur.node.api import models, responses
from testamur.node.api.context import REQUEST_ID, context_of
from testamur.node.api.ports import PartBehind
from testamur.node.api.problems import UNAVAILABLE, json_problem
from testamur.registry.timestamps import format_timestamp


async def get_openapi(request: web.Request) -> web.Response:
    """This interface as OpenAPI 3.1."""
    return responses.page_response(request, context_of(request).openapi)


async def get_health(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler takes a request)
    """The process answers; nothing else is asked."""
    return responses.model_response(models.Health(status="alive"))


async def get_readiness(request: web.Request) -> web.Response:
    """Whether the node does its whole job: 200, or a problem that names what is behind."""
    readiness = await context_of(request).node.readiness()
    behind = [_behind(item) for item in readiness.behind]
    parts = dict(readiness.parts)
    if readiness.is_ready:
        return responses.model_response(models.Ready(status="ready", parts=parts, behind=behind))
    headers = {"Retry-After": str(UNAVAILABLE.retry_after_seconds)}
    named = ", ".join(item.part for item in behind)
    detail = f"not all parts are ready: {named}" if named else "not all parts are ready"
    return json_problem(
        UNAVAILABLE, request[REQUEST_ID], headers=headers, detail=detail, parts=parts, behind=behind
    )


async def get_metrics(request: web.Request) -> web.Response:
    """Counters and gauges for Prometheus."""
    context = context_of(request)
    data = await context.node.metrics(context.traffic)
    headers = {"Content-Type": responses.METRICS, "Cache-Control": responses.NO_STORE}
    return web.Response(body=data, headers=headers)


def _behind(item: PartBehind) -> models.Behind:
    since = None if item.since is None else format_timestamp(item.since)
    return models.Behind(part=item.part, state=item.state, since=since, cure=item.cure)
