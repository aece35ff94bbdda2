"""The pages for people. They are no part of /openapi.json: a program has the routes that they are made of."""

from functools import partial

from testamur.node.api import responses
from testamur.node.api.page import handlers
from testamur.node.api.routing import Route

_page = partial(Route, tag="node", media=responses.HTML, is_open=False)

PAGES: tuple[Route, ...] = (
    _page(
        method="GET",
        path="/",
        handler=handlers.get_page,
        operation="getPage",
        summary="The verifier page",
    ),
    _page(
        method="POST",
        path="/",
        handler=handlers.post_page,
        operation="postPage",
        summary="The verdicts on what the page's form brings",
    ),
    _page(
        method="GET",
        path="/issuers",
        handler=handlers.get_issuers,
        operation="getIssuersPage",
        summary="All issuers, for people",
    ),
    _page(
        method="GET",
        path="/assets/{name}",
        handler=handlers.get_asset,
        operation="getAsset",
        summary="Style, script and mark of the page",
        media=responses.OCTETS,
    ),
)
