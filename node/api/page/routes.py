"""The pages for people. They are no part of /openapi.json: a program has the routes that they are made of."""

from testamur.node.api import responses
from testamur.node.api.page import handlers
from testamur.node.api.routing import Route

PAGES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/",
        handler=handlers.get_page,
        operation="getPage",
        tag="node",
        summary="The verifier page",
        media=responses.HTML,
        is_open=False,
    ),
    Route(
        method="POST",
        path="/",
        handler=handlers.post_page,
        operation="postPage",
        tag="node",
        summary="The verdicts on what the page's form brings",
        media=responses.HTML,
        is_open=False,
    ),
    Route(
        method="GET",
        path="/issuers",
        handler=handlers.get_issuers,
        operation="getIssuersPage",
        tag="node",
        summary="All issuers, for people",
        media=responses.HTML,
        is_open=False,
    ),
    Route(
        method="GET",
        path="/assets/{name}",
        handler=handlers.get_asset,
        operation="getAsset",
        tag="node",
        summary="Style, script and mark of the page",
        media=responses.OCTETS,
        is_open=False,
    ),
)
