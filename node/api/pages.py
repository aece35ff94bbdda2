"""What the node says about itself: health, readiness, the OpenAPI document, and a page for people."""

import base64
import html

from aiohttp import web

from testamur.node.api import responses
from testamur.node.api.context import REQUEST_ID, context_of
from testamur.node.api.problems import UNAVAILABLE, json_problem
from testamur.registry.canonical import Json
from testamur.registry.hashing import sha256

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}code{background:#f1f1f1;padding:.1em .3em}strong.devnet{display:block;"
    "border:3px solid #b00020;padding:.6rem 1rem;color:#b00020}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode())).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
)
"""The page runs no script and loads nothing; anything that appears in it by mistake stays text."""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}: a Testamur node</title>
<style>{style}</style>
<h1>{name}</h1>
{devnet}<p>This is a node of a registry of credentials. It keeps digests of what universities award, in
append-only logs that are anchored on a chain. It holds no credential and no personal data.</p>
<p>Nobody has to believe this node. Get the command line, bring a trust file from somewhere else, and run
<code>testamur verify --offline FILE</code>.</p>
<ul>
<li><a href="/v1/issuers">Issuers</a> and their logs</li>
<li><a href="/v1/registry">The trust file</a> that this node uses:
compare its fingerprint before you rely on it</li>
<li><a href="/openapi.json">The whole interface</a> (OpenAPI 3.1)</li>
<li><a href="/readyz">Readiness</a></li>
</ul>
</html>
"""

_DEVNET = """<p><strong class="devnet">Development chain. Nothing here is worth anything outside of this
machine.</strong></p>
"""


async def get_page(request: web.Request) -> web.Response:
    """A plain page: what this is, and where to look."""
    context = context_of(request)
    page = _PAGE.format(
        name=html.escape(context.registry_name), style=_STYLE, devnet=_DEVNET if context.is_devnet else ""
    )
    headers = {
        "Cache-Control": responses.REVALIDATE,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=page, content_type=responses.HTML, headers=headers)


async def get_openapi(request: web.Request) -> web.Response:
    """This interface as OpenAPI 3.1."""
    return responses.json_response(context_of(request).openapi, cache=responses.REVALIDATE)


async def get_health(request: web.Request) -> web.Response:  # noqa: ARG001  (a handler takes a request)
    """The process answers; nothing else is asked."""
    return responses.json_response({"status": "alive"})


async def get_readiness(request: web.Request) -> web.Response:
    """Whether the node does its whole job: 200, or a problem that names the parts that don't."""
    readiness = await context_of(request).node.readiness()
    if readiness.is_ready:
        return responses.json_response({"status": "ready", "parts": dict(readiness.parts)})
    body: dict[str, Json] = {
        "type": UNAVAILABLE.type,
        "title": UNAVAILABLE.title,
        "status": UNAVAILABLE.status,
        "parts": dict(readiness.parts),
        "requestId": request[REQUEST_ID],
    }
    return json_problem(UNAVAILABLE, body, {"Retry-After": str(UNAVAILABLE.retry_after_seconds)})
