"""One table from exceptions to problem documents (RFC 9457): whose fault it was, and what to do next.

Nothing of an unexpected exception reaches a client but the id of the request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from testamur.node.api.models import Problem as ProblemDocument
from testamur.node.api.ports import Forbidden, NotFound, NotReady, Stale, TokenRefused
from testamur.node.errors import (
    ChainUnavailable,
    NodeError,
    PeerMisbehaved,
    PeerUnreachable,
    ReorgBeyondFinality,
    SchemaMismatch,
    StoreCorrupt,
    StoreLocked,
    StoreUnavailable,
    WrongChain,
)
from testamur.registry.errors import MalformedError, VerificationError

TYPE_PREFIX = "https://w3id.org/testamur/problems/"
"""Problem types are identifiers; docs/http-api.md has a line for each."""

PROBLEM_JSON = "application/problem+json"

MAX_DETAIL_CHARACTERS = 500
"""A detail may quote what the client sent; it does not echo a whole document."""


class Unauthenticated(NodeError):
    """The request carries no bearer token, or none that is known."""


class UnsupportedMedia(NodeError):
    """The body is not announced as something that this resource takes."""


class TooLarge(NodeError):
    """The request exceeds a bound; `limit` is the bound."""

    def __init__(self, reason: str, *, limit: int) -> None:
        super().__init__(reason)
        self.limit = limit


class TooSlow(NodeError):
    """The body did not arrive in time."""


class TooManyRequests(NodeError):
    """The address or the token (`who`) has used up its share for the moment."""

    def __init__(self, who: str, *, retry_after_seconds: int) -> None:
        super().__init__(f"too many requests {who}; ask again in {retry_after_seconds} seconds")
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One kind of problem. `is_ours` hides the exception's text, which speaks to the operator."""

    name: str
    status: int
    title: str
    is_ours: bool = False
    retry_after_seconds: int | None = None

    @property
    def type(self) -> str:
        """The identifier in the member `type`."""
        return TYPE_PREFIX + self.name


MALFORMED = Problem(
    name="malformed", status=400, title="The request does not have the form that it must have"
)
UNAUTHENTICATED = Problem(name="unauthenticated", status=401, title="This needs an issuer's bearer token")
FORBIDDEN = Problem(name="forbidden", status=403, title="This token does not allow that")
NOT_FOUND = Problem(name="not-found", status=404, title="There is no such thing here")
METHOD_NOT_ALLOWED = Problem(
    name="method-not-allowed", status=405, title="This resource does not take that method"
)
TOO_SLOW = Problem(name="too-slow", status=408, title="The request did not arrive in time")
STALE = Problem(name="stale", status=409, title="This builds on something that is no longer the newest")
TOO_LARGE = Problem(name="too-large", status=413, title="The request exceeds a bound")
UNSUPPORTED_MEDIA = Problem(name="unsupported-media-type", status=415, title="This resource takes JSON")
NOT_PROVEN = Problem(name="not-proven", status=422, title="What the request claims could not be proven")
TOO_MANY_REQUESTS = Problem(
    name="too-many-requests", status=429, title="Too many requests from this address or with this token"
)
INTERNAL = Problem(name="internal", status=500, title="The node made a mistake", is_ours=True)
PEER_MISBEHAVED = Problem(
    name="peer-misbehaved", status=502, title="Another node gave an unusable answer", is_ours=True
)
UNAVAILABLE = Problem(
    name="unavailable", status=503, title="The node cannot do this now", is_ours=True, retry_after_seconds=10
)
OUT_OF_SERVICE = Problem(
    name="out-of-service",
    status=503,
    title="The node has stopped itself and waits for its operator",
    is_ours=True,
    retry_after_seconds=300,
)

PROBLEMS: tuple[Problem, ...] = (
    *(MALFORMED, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED, TOO_SLOW, STALE, TOO_LARGE),
    *(
        UNSUPPORTED_MEDIA,
        NOT_PROVEN,
        TOO_MANY_REQUESTS,
        INTERNAL,
        PEER_MISBEHAVED,
        UNAVAILABLE,
        OUT_OF_SERVICE,
    ),
)

TABLE: tuple[tuple[type[Exception], Problem], ...] = (
    (MalformedError, MALFORMED),
    (VerificationError, NOT_PROVEN),
    (Unauthenticated, UNAUTHENTICATED),
    (TokenRefused, UNAUTHENTICATED),
    (Forbidden, FORBIDDEN),
    (NotFound, NOT_FOUND),
    (TooSlow, TOO_SLOW),
    (Stale, STALE),
    (TooLarge, TOO_LARGE),
    (UnsupportedMedia, UNSUPPORTED_MEDIA),
    (TooManyRequests, TOO_MANY_REQUESTS),
    (NotReady, UNAVAILABLE),
    (ChainUnavailable, UNAVAILABLE),
    (PeerUnreachable, UNAVAILABLE),
    (PeerMisbehaved, PEER_MISBEHAVED),
    (StoreCorrupt, OUT_OF_SERVICE),
    (StoreUnavailable, OUT_OF_SERVICE),
    (StoreLocked, OUT_OF_SERVICE),
    (SchemaMismatch, OUT_OF_SERVICE),
    (WrongChain, OUT_OF_SERVICE),
    (ReorgBeyondFinality, OUT_OF_SERVICE),
)
"""First match wins. What is not listed, other kinds of NodeError included, is `INTERNAL`."""

_FROM_ROUTER = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}


def problem_for(error: Exception) -> Problem:
    """The kind of problem that a client is shown for this exception."""
    if isinstance(error, web.HTTPException):
        return _FROM_ROUTER.get(error.status, MALFORMED if error.status < 500 else INTERNAL)
    return next((problem for kind, problem in TABLE if isinstance(error, kind)), INTERNAL)


def problem_response(error: Exception, request_id: str) -> web.Response:
    """The problem document for an exception, with the headers that belong to its status."""
    problem = problem_for(error)
    members = _extensions(error)
    if isinstance(error, web.HTTPException):
        members["detail"] = "no route has this path" if problem is NOT_FOUND else problem.title
    elif not problem.is_ours or isinstance(error, NotReady):
        members["detail"] = str(error)[:MAX_DETAIL_CHARACTERS]
    return json_problem(problem, request_id, headers=_headers(error, problem), **members)


def json_problem(
    problem: Problem, request_id: str, *, headers: Mapping[str, str], **members: Any
) -> web.Response:
    """A problem document with these members, never cached."""
    document = ProblemDocument(
        type=problem.type, title=problem.title, status=problem.status, request_id=request_id, **members
    )
    body = json.dumps(document.model_dump(by_alias=True, exclude_none=True), ensure_ascii=False)
    return web.Response(
        # What a client sent may hold halves of surrogate pairs, which no encoding of an answer does.
        body=body.encode("utf-8", "replace"),
        status=problem.status,
        content_type=PROBLEM_JSON,
        headers={"Cache-Control": "no-store", **headers},
    )


def _extensions(error: Exception) -> dict[str, Any]:
    """The members beyond RFC 9457 that let a program, and not only a person, go on."""
    if isinstance(error, VerificationError):
        return {"reason": error.reason, "parameters": dict(error.parameters)}
    if isinstance(error, MalformedError):
        return {"subject": error.subject}
    if isinstance(error, Stale):
        return {"current": dict(error.current)}
    if isinstance(error, TooLarge):
        return {"limit": error.limit}
    return {}


def _headers(error: Exception, problem: Problem) -> dict[str, str]:
    headers = {}
    retry_after = getattr(error, "retry_after_seconds", problem.retry_after_seconds)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if problem is UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="issuer"'
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers["Allow"] = error.headers.get("Allow", "")
    return headers
