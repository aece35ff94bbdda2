"""Answers with their cache rules: what never changes is immutable, what names a credential is not stored."""

from collections.abc import Mapping

from aiohttp import web
from multidict import CIMultiDict
from pydantic import BaseModel
from pydantic_core import to_json

from testamur.node.api.models import LoggedCredential, PrefixAnswer
from testamur.registry.canonical import Json
from testamur.registry.hashing import sha256
from testamur.registry.multiformats import encode_multibase

NO_STORE = "no-store"
"""About one credential: no cache on the way keeps a trace of which one was asked for."""

REVALIDATE = "no-cache"
"""Grows or changes: a cache may keep it, and asks each time whether it is still the newest."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Content-addressed or append-only: the same path never has other content."""

JSON = "application/json"
JSON_LD = "application/ld+json"
TEXT = "text/plain"
HTML = "text/html"
OCTETS = "application/octet-stream"
CREDENTIAL = "application/vc"
CREDENTIAL_MEDIA = (CREDENTIAL, JSON_LD, JSON)
"""What a bare credential may be called: see credential_headers."""

METRICS = "text/plain; version=0.0.4; charset=utf-8"

ETAG_BYTES = 16
"""Half a digest: an entity tag tells versions apart, it is no proof."""

_NEVER_STORED = CIMultiDict({"Cache-Control": NO_STORE, "Content-Type": JSON})


def prepared(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The same headers in the form in which answers hold them: adding them to one is then a copy."""
    return CIMultiDict(headers)


def model_response(body: BaseModel) -> web.Response:
    """An answer of our own that no cache keeps."""
    return _fresh(to_json(body, by_alias=True))


def typed_response(body: LoggedCredential | PrefixAnswer) -> web.Response:
    """The same for an answer whose type is a dictionary's."""
    return _fresh(to_json(body))


def _fresh(data: bytes) -> web.Response:
    return web.Response(body=data, headers=_NEVER_STORED)


def page_response(request: web.Request, body: BaseModel | Mapping[str, Json]) -> web.Response:
    """An answer of our own that changes now and then: a client asks whether it has the newest."""
    data = to_json(body, by_alias=True)
    return bytes_response(request, data, media=JSON, cache=REVALIDATE)


def json_response(
    body: Mapping[str, Json], *, cache: str = NO_STORE, status: int = 200, media: str = JSON
) -> web.Response:
    """A JSON object made here."""
    headers = {"Cache-Control": cache, "Content-Type": media}
    return web.Response(body=to_json(body), status=status, headers=headers)


def credential_headers(request: web.Request) -> tuple[str, dict[str, str]]:
    """What a bare credential is called, and that it depends on the request.

    That is its own name, except for clients that ask for JSON or JSON-LD and not for it: many read no other.
    """
    accept = request.headers.get("Accept", "*/*").lower().split(",")
    wanted = [item.partition(";")[0].strip() for item in accept]
    media = CREDENTIAL
    if not {CREDENTIAL, "application/*", "*/*"}.intersection(wanted):
        media = next((item for item in wanted if item in {JSON, JSON_LD}), CREDENTIAL)
    return media, {"Vary": "Accept"}


def bytes_response(request: web.Request, data: bytes, *, media: str, cache: str) -> web.Response:
    """Stored bytes, verbatim, with a strong entity tag; 304 without them when the client has them already."""
    tag = f'"{encode_multibase("u", sha256(data)[:ETAG_BYTES])}"'
    headers = {"Cache-Control": cache, "ETag": tag}
    # The header is a list, and weak tags (a proxy may weaken ours) name the same bytes.
    known = request.headers.get("If-None-Match", "")
    if known and (
        known.strip() == "*" or tag in (item.strip().removeprefix("W/") for item in known.split(","))
    ):
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if media == TEXT else None
    return web.Response(body=data, content_type=media, charset=charset, headers=headers)
