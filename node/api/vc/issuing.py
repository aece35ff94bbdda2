"""The issuer service's requests, for one issuer each; writes by whoever has the service's token."""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import unquote

from aiohttp import web

from testamur.node.api import requests, responses
from testamur.node.api.ports import NotFound
from testamur.node.api.problems import Unauthenticated
from testamur.node.api.vc.models import CredentialToIssue, ListToCreate, StatusToSet
from testamur.node.api.vc.ports import IssuerPort
from testamur.node.api.vc.verifying import MAX_CREDENTIAL_BODY_BYTES
from testamur.registry.hashing import sha256

MAX_SMALL_BODY_BYTES = 16_384
"""A status entry, or the purpose of a list."""

CHALLENGE_BYTES = 16

_BEARER = re.compile(r"[Bb]earer +([!-~]{16,512})")

IssuerHandler = Callable[[web.Request, IssuerPort], Awaitable[web.Response]]


async def issue(request: web.Request, issuer: IssuerPort) -> web.Response:
    """Check and sign a credential."""
    body = await requests.read_json(
        request, subject="body", max_bytes=MAX_CREDENTIAL_BODY_BYTES, holds="one credential"
    )
    asked = requests.parse_model(CredentialToIssue, body, "body")
    signed = await issuer.issue(asked.credential, asked.options)
    return responses.json_response({"verifiableCredential": signed}, status=201)


async def set_status(request: web.Request, issuer: IssuerPort) -> web.Response:
    """Set or clear a status."""
    body = await requests.read_json(request, subject="body", max_bytes=MAX_SMALL_BODY_BYTES)
    asked = requests.parse_model(StatusToSet, body, "body")
    changed = await issuer.set_status(asked.credential_id, asked.credential_status, asked.status)
    return responses.json_response({"credentialStatus": list(changed)})


async def create_list(request: web.Request, issuer: IssuerPort) -> web.Response:
    """Make a status list."""
    body = await requests.read_json(request, subject="body", max_bytes=MAX_SMALL_BODY_BYTES)
    url, credential = await issuer.create_list(
        requests.parse_model(ListToCreate, body, "body").status_purpose
    )
    answer = responses.json_response({"id": url, "verifiableCredential": credential}, status=201)
    answer.headers["Location"] = url
    return answer


async def get_list(request: web.Request, issuer: IssuerPort) -> web.Response:
    """A status list, bare and open to everybody."""
    found = await issuer.status_list(request.match_info["name"])
    if found is None:
        raise NotFound("this issuer has no such status list")
    media, varying = responses.credential_headers(request)
    answer = responses.json_response(found, cache=responses.REVALIDATE, media=media)
    answer.headers.update(varying)
    return answer


async def publish_list(request: web.Request, issuer: IssuerPort) -> web.Response:
    """Every change is published when it is made; this says so to those who ask for it."""
    if await issuer.status_list(request.match_info["name"]) is None:
        raise NotFound("this issuer has no such status list")
    return web.Response(status=204)


async def get_credential(request: web.Request, issuer: IssuerPort) -> web.Response:
    """What was issued under an id."""
    found = await issuer.credential(_id_in(request, issuer))
    if found is None:
        raise NotFound("this issuer has issued no credential with this id, or has forgotten it")
    return responses.json_response({"verifiableCredential": found})


async def delete_credential(request: web.Request, issuer: IssuerPort) -> web.Response:
    """Forget a credential."""
    if not await issuer.delete(_id_in(request, issuer)):
        raise NotFound("this issuer has issued no credential with this id, or has forgotten it")
    return responses.json_response({}, status=202)


async def make_challenge(request: web.Request) -> web.Response:
    """A random challenge; whoever asked compares it with the presentation that comes."""
    await requests.expect_no_body(request)
    return responses.json_response({"challenge": f"z{secrets.token_hex(CHALLENGE_BYTES)}"})


def check_token(request: web.Request, issuers: Sequence[IssuerPort]) -> None:
    """The request carries the token of one of these issuers, if they ask for one. Raises Unauthenticated."""
    wanted = [issuer.token_digest for issuer in issuers]
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    given = sha256(found[1].encode()) if found is not None else b""
    if not any(digest is None or hmac.compare_digest(given, digest) for digest in wanted):
        raise Unauthenticated("send Authorization: Bearer with the token of this issuer")


def _id_in(request: web.Request, issuer: IssuerPort) -> str:
    path = request.raw_path.partition("?")[0]
    return unquote(path.partition(f"{issuer.path}/credentials/")[2], errors="replace")
