"""Taking requests apart: bounded bodies, strict JSON, digests, tokens. Raises what `problems.py` knows."""

import asyncio
import re
from datetime import datetime

from aiohttp import web

from testamur.node.api.ports import Forbidden, NodePort, NotFound
from testamur.node.api.problems import TooLarge, TooSlow, Unauthenticated, UnsupportedMedia
from testamur.registry.canonical import MAX_DOCUMENT_BYTES, Json, parse_json
from testamur.registry.entries import check_slug
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import DIGEST_BYTES
from testamur.registry.multiformats import decode_digest
from testamur.registry.shapes import Shape, kind_of
from testamur.registry.timestamps import parse_timestamp

MAX_SUBMITTED_DIGESTS = 4096
"""One request is one durable write; more come as further requests, each as idempotent as the first."""

MAX_SUBMISSION_BYTES = 256 * 1024
"""`MAX_SUBMITTED_DIGESTS` digests of 44 characters with quotes, commas and generous white space."""

MAX_DOSSIER_BYTES = 2 * MAX_DOCUMENT_BYTES
"""A credential and its evidence, each of the largest size that is parsed at all."""

MAX_BUNDLE_BYTES = 8 << 20
"""A statement with hundreds of status lists and documents; a large issuer's first one is the largest."""

MAX_EMPTY_BODY_BYTES = 64
"""Room for `{}` and white space, where clients that always send JSON have nothing to say."""

MAX_BODY_SECONDS = 30
"""A sender that needs longer than this for a bounded body is holding a connection, not sending."""

_HEX_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_PREFIX = re.compile(r"[0-9a-fA-F]{0,64}")
_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{16,256})")
_COUNTER = re.compile(r"0|[1-9][0-9]{0,8}")


_JSON_TYPES = frozenset({"application/json", "application/vc", "application/vp"})


async def read_json(request: web.Request, *, subject: str, max_bytes: int) -> Json:
    """The body as strict JSON.

    Raises UnsupportedMedia, TooLarge (before more than the bound is kept), TooSlow or MalformedError.
    """
    media = request.content_type
    if "Content-Type" not in request.headers or not (media.endswith("+json") or media in _JSON_TYPES):
        raise UnsupportedMedia("send the body as application/json")
    # A compressed body could be a thousand times larger than what was counted.
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMedia("send the body without Content-Encoding")
    return parse_json(await _read_body(request, max_bytes), subject=subject, max_bytes=max_bytes)


async def expect_no_body(request: web.Request) -> None:
    """The request has no body, or an empty JSON object. Raises like `read_json`."""
    if request.body_exists:
        body = await read_json(request, subject="body", max_bytes=MAX_EMPTY_BODY_BYTES)
        Shape(body, "body").refuse_unknown()


async def _read_body(request: web.Request, max_bytes: int) -> bytes:
    if request.content_length is not None and request.content_length > max_bytes:
        raise TooLarge(f"the body has {request.content_length} bytes, more than {max_bytes}", limit=max_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > max_bytes:
                    raise TooLarge(f"the body has more than {max_bytes} bytes", limit=max_bytes)
    except TimeoutError as exc:
        raise TooSlow(f"the body did not arrive within {MAX_BODY_SECONDS} seconds") from exc
    except (web.RequestPayloadError, ConnectionError) as exc:
        raise MalformedError("body", "ended before it was complete") from exc
    return bytes(body)


async def authorise(request: web.Request, node: NodePort) -> str:
    """The slug in the path, once the bearer token is known to be that issuer's.

    Raises Unauthenticated without a known token and Forbidden with another issuer's, before any body is
    read, and without telling whether the slug exists.
    """
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        raise Unauthenticated("send Authorization: Bearer with the token that the node gave the issuer")
    owner = await node.authenticate(found[1])
    if owner is None:
        raise Unauthenticated("the node does not know this token")
    if owner != request.match_info["slug"]:
        raise Forbidden("this token belongs to another issuer")
    return owner


def slug_in_path(request: web.Request) -> str:
    """The path's `slug`. Something that cannot be a slug is nothing that exists: NotFound."""
    try:
        return check_slug(request.match_info["slug"])
    except MalformedError as exc:
        raise NotFound("no issuer has this slug") from exc


def digest_in_path(request: web.Request) -> bytes:
    """The path's `digest`: multibase `u`, or 64 hex digits. Raises MalformedError."""
    text = request.match_info["digest"]
    if _HEX_DIGEST.fullmatch(text):
        return bytes.fromhex(text)
    return decode_digest(text, "digest")


def log_id_in_path(request: web.Request) -> bytes:
    """The path's `log_id` in lower-case hex, one form only so that caches agree. Raises MalformedError."""
    text = request.match_info["log_id"]
    if len(text) != 2 * DIGEST_BYTES or text != text.lower() or not _HEX_DIGEST.fullmatch(text):
        raise MalformedError("log id", f"is not {2 * DIGEST_BYTES} lower-case hex digits")
    return bytes.fromhex(text)


def number_in_path(request: web.Request) -> int:
    """The path's `number`, a decimal without leading zeros. Nothing else exists: NotFound."""
    text = request.match_info["number"]
    if not _COUNTER.fullmatch(text):
        raise NotFound("no status list has this number")
    return int(text)


def prefix_in_query(request: web.Request) -> str:
    """The query's `prefix`: 0 to 64 hex digits, lower-cased. Raises MalformedError."""
    text = request.query.get("prefix")
    if text is None or not _PREFIX.fullmatch(text):
        raise MalformedError("prefix", "must be a query parameter of 0 to 64 hex digits")
    return text.lower()


def epoch_in_query(request: web.Request) -> int | None:
    """The query's `epoch`, or None. Raises MalformedError."""
    text = request.query.get("epoch")
    if text is None:
        return None
    if not _COUNTER.fullmatch(text) or text == "0":
        raise MalformedError("epoch", "must be a positive decimal number")
    return int(text)


def flag_in_query(request: web.Request, name: str) -> bool:
    """The query's flag `name`: "true" or "false"; False when absent. Raises MalformedError."""
    text = request.query.get(name, "false")
    if text not in {"true", "false"}:
        raise MalformedError(name, "must be true or false")
    return text == "true"


def as_of_in_query(request: web.Request) -> datetime | None:
    """The query's `asOf`, an XML dateTimeStamp, or None. Raises MalformedError."""
    text = request.query.get("asOf")
    return None if text is None else parse_timestamp(text, "asOf")


def submitted_digests(body: Json) -> list[bytes]:
    """The digests of a submission, in order. Raises TooLarge naming the bound, or MalformedError."""
    shape = Shape(body, "submission")
    items = shape.any("digests")
    shape.refuse_unknown()
    if not isinstance(items, list):
        raise MalformedError(shape.path("digests"), f"must be a list, not {kind_of(items)}")
    if len(items) > MAX_SUBMITTED_DIGESTS:
        reason = f"{len(items)} digests in one request, more than {MAX_SUBMITTED_DIGESTS}"
        raise TooLarge(reason, limit=MAX_SUBMITTED_DIGESTS)
    if not items:
        raise MalformedError(shape.path("digests"), "is empty")
    digests = []
    for number, item in enumerate(items):
        where = f"{shape.path('digests')}/{number}"
        if not isinstance(item, str):
            raise MalformedError(where, f"must be a string, not {kind_of(item)}")
        digests.append(decode_digest(item, where))
    return digests
