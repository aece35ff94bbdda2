"""GET /1.0/identifiers/{did}: DID resolution and dereferencing over HTTP, every answer a JSON document.

https://www.w3.org/TR/did-resolution/#bindings-https.
"""

from urllib.parse import unquote

from aiohttp import web

from testamur.node.api import responses
from testamur.node.api.vc.context import vc_of
from testamur.registry.did_resolution import Resolution, failed

PREFIX = "/1.0/identifiers/"
RESULT = 'application/ld+json;profile="https://w3id.org/did-resolution"'

_DOCUMENT_MEDIA = ("application/did+json", "application/did+ld+json", "application/did")
_RESULT_MEDIA = (
    "application/ld+json",
    "application/json",
    "application/did-resolution",
    "application/*",
    "*/*",
)


async def resolve_did(request: web.Request) -> web.Response:
    """The resolution result, or the bare document for who accepts only that."""
    # From the raw target: a fragment or a query of the DID URL itself is percent-encoded in it. By counting,
    # because the prefix may be encoded as well.
    raw = request.raw_path.partition("?")[0]
    text = unquote(raw.split("/", PREFIX.count("/"))[-1], errors="replace")
    media = _preferred(request.headers.get("Accept", "*/*"))
    if media is None:
        message = f"ask for {RESULT}, application/did+json or application/did+ld+json"
        is_url = any(mark in text for mark in "/?#")
        return _result(failed("representationNotSupported", message, is_url=is_url))
    resolution = await vc_of(request).verifier.resolve_did(text, dict(request.query))
    if media in _DOCUMENT_MEDIA and resolution.status == 200:
        return responses.json_response(resolution.document, cache=responses.REVALIDATE, media=media)
    return _result(resolution)


def _result(resolution: Resolution) -> web.Response:
    return responses.json_response(
        resolution.to_json(), cache=responses.REVALIDATE, status=resolution.status, media=RESULT
    )


def _preferred(accept: str) -> str | None:
    """The first acceptable kind of answer: RESULT's own wins over the bare document where both are."""
    wanted = [item.partition(";")[0].strip().lower() for item in accept.split(",") if not _is_refused(item)]
    if not wanted or any(item in _RESULT_MEDIA for item in wanted):
        return RESULT
    return next((item for item in wanted if item in _DOCUMENT_MEDIA), None)


def _is_refused(item: str) -> bool:
    return any(part.strip().replace(" ", "") in {"q=0", "q=0.0"} for part in item.split(";")[1:])
