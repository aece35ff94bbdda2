"""What a line of the route table says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from testamur.node.api import responses
from testamur.node.api.parameters import Parameter

__all__ = ["Handler", "Parameter", "Route"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path.

    `answers` is a schema name for JSON, else None with `media`; `takes` the schema name of the body.
    `problems` are names of `problems.PROBLEMS` beside those that every route can have. Any web page may use a
    route that `is_open`. Where it `takes_nothing`, the body may be left out. A query parameter that the route
    does not name is refused, unless `takes_any_query`. `status` is that of success; with one of `refusals`
    the body has the form of `answers` as well, and says what is wrong.
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
    takes_nothing: bool = False
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[str, ...] = ()
    is_open: bool = True
    needs_token: bool = False
    can_be_unchanged: bool = False
    takes_any_query: bool = False
    status: int = 200
    refusals: tuple[int, ...] = ()

    @property
    def is_for_people(self) -> bool:
        """A page: its query may hold anything that a link has, and its errors are pages or problems."""
        return self.media == responses.HTML
