"""Taking bodies and tokens: bounded in size and time, strict JSON, and of the form that is described.

Raises what `problems.py` knows.
"""

import asyncio
import re
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from testamur.node.api.aside import INLINE_BYTES, aside
from testamur.node.api.context import Context, context_of
from testamur.node.api.models import MAX_SUBMITTED_DIGESTS, Nothing, Submission
from testamur.node.api.ports import Forbidden
from testamur.node.api.problems import TooLarge, TooManyRequests, TooSlow, Unauthenticated, UnsupportedMedia
from testamur.registry.canonical import MAX_DOCUMENT_BYTES, Json, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import decode_digest
from testamur.registry.shapes import kind_of

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

MAX_REASON_CHARACTERS = 200

_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/=-]{16,256})")
_JSON_TYPES = frozenset({"application/json", "application/vc", "application/vp"})

AnyModel = TypeVar("AnyModel", bound=BaseModel)


async def read_json(request: web.Request, *, subject: str, max_bytes: int, holds: str = "") -> Json:
    """The body as strict JSON. `holds` says what fits into it, for the answer to one that is too large.

    Raises UnsupportedMedia, TooLarge (before more than the bound is kept), TooSlow, NotReady when too many
    large ones come at once, or MalformedError.
    """
    media = request.content_type
    if "Content-Type" not in request.headers or not (media.endswith("+json") or media in _JSON_TYPES):
        raise UnsupportedMedia("send the body as application/json")
    # A compressed body could be a thousand times larger than what was counted.
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMedia("send the body without Content-Encoding")
    body = await _read_body(request, max_bytes, holds)
    if body.lstrip()[:1] == b"<":
        raise MalformedError(subject, "is HTML or XML, not JSON; send the file itself, not the page about it")
    if len(body) <= INLINE_BYTES:
        return parse_json(body, subject=subject, max_bytes=max_bytes)
    return await aside(parse_json, body, subject=subject, max_bytes=max_bytes)


async def expect_no_body(request: web.Request) -> None:
    """The request has no body, or an empty JSON object. Raises like `read_json`."""
    if request.body_exists:
        body = await read_json(request, subject="body", max_bytes=MAX_EMPTY_BODY_BYTES)
        parse_model(Nothing, body, "body")


def parse_model(model: type[AnyModel], body: Json, subject: str) -> AnyModel:
    """The body as the value that its schema describes. Raises MalformedError naming the first bad member."""
    try:
        return model.model_validate(body)
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        where = "".join(f"/{part}" for part in error["loc"])[:MAX_REASON_CHARACTERS]
        reason = error["msg"][:1].lower() + error["msg"][1:MAX_REASON_CHARACTERS]
        raise MalformedError(f"{subject} {where}".rstrip(), reason) from None


async def _read_body(request: web.Request, max_bytes: int, holds: str) -> bytes:
    most = f"{max_bytes} bytes" + (f" ({holds})" if holds else "")
    if request.content_length is not None and request.content_length > max_bytes:
        raise TooLarge(f"the body has {request.content_length} bytes, more than {most}", limit=max_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > max_bytes:
                    raise TooLarge(f"the body has more than {most}", limit=max_bytes)
    except TimeoutError as exc:
        raise TooSlow(f"the body did not arrive within {MAX_BODY_SECONDS} seconds") from exc
    except (web.RequestPayloadError, ConnectionError) as exc:
        raise MalformedError("body", "ended before it was complete") from exc
    return bytes(body)


async def authorise(request: web.Request) -> str:
    """The slug in the path, once the bearer token is known to be that issuer's and has not used up its share.

    Raises Unauthenticated without a known token, TokenRefused with one that has ended and Forbidden with
    another issuer's, before any body is read, and without telling whether the slug exists; TooManyRequests.
    """
    context: Context = context_of(request)
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        raise Unauthenticated("send Authorization: Bearer with the token that the node gave the issuer")
    holder = await context.node.authenticate(found[1])
    if holder is None:
        raise Unauthenticated("the node does not know this token")
    limit = context.token_limit
    wait = 0 if limit is None else limit.seconds_to_wait(holder.token_id)
    if wait:
        raise TooManyRequests("with this token", retry_after_seconds=wait)
    if holder.slug != request.match_info["slug"]:
        raise Forbidden("this token belongs to another issuer")
    return holder.slug


def submitted_digests(body: Json) -> list[bytes]:
    """The digests of a submission, in order. Raises TooLarge naming the bound, or MalformedError."""
    items = body.get("digests") if isinstance(body, dict) else None
    if isinstance(items, list) and len(items) > MAX_SUBMITTED_DIGESTS:
        reason = f"{len(items)} digests in one request, more than {MAX_SUBMITTED_DIGESTS}"
        raise TooLarge(reason, limit=MAX_SUBMITTED_DIGESTS)
    if not isinstance(body, dict):
        raise MalformedError("submission", f"must be an object, not {kind_of(body)}")
    submission = parse_model(Submission, body, "submission")
    return [
        # The pattern leaves one thing open: the last character has bits to spare.
        decode_digest(item, f"submission /digests/{number}")
        for number, item in enumerate(submission.digests)
    ]
