"""What a line of the route table says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from testamur.node.api import responses
from testamur.node.api.schemas import Schema

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A path parameter when the path names it, else a query parameter."""

    name: str
    schema: Schema
    description: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path.

    `answers` is a schema name for JSON, else None with `media`; `takes` the schema name of the body.
    `problems` are names of `problems.PROBLEMS` beside those that every route can have. Any web page may use a
    route that `is_open`.
    """

    method: str
    path: str
    handler: Handler
    operation: str
    tag: str
    summary: str
    answers: str | None = None
    media: str = responses.JSON
    takes: str | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[str, ...] = ()
    is_open: bool = True
    needs_token: bool = False
    can_be_unchanged: bool = False
