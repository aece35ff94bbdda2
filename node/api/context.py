"""What every handler shares, under one typed key of the application."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from testamur.node.api.limits import RateLimit
from testamur.node.api.ports import NodePort
from testamur.node.api.traffic import Traffic
from testamur.registry.canonical import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The node behind the interface, and what the interface says about it."""

    node: NodePort
    registry_name: str
    is_devnet: bool
    openapi: Mapping[str, Json]
    traffic: Traffic
    token_limit: RateLimit | None = None


CONTEXT = web.AppKey("context", Context)
REQUEST_ID = web.RequestKey("request_id", str)


def context_of(request: web.Request) -> Context:
    """The context of the application that serves this request."""
    return request.app[CONTEXT]
