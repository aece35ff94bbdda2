"""POST /credentials/verify and /presentations/verify: the whole result, with 200 or 400.

A verification that fails answers 400, as the W3C's test suites demand; the query `vcalm=true` asks for the
newest reading of the specification, in which 200 says only that the verification was done.
"""

from aiohttp import web

from testamur.node.api import requests, responses
from testamur.node.api.parameters import Parameter
from testamur.node.api.vc.context import vc_of
from testamur.node.api.vc.models import (
    CredentialToVerify,
    PresentationOptions,
    PresentationToVerify,
    VerifyOptions,
)
from testamur.registry.canonical import MAX_DOCUMENT_BYTES, Json

MAX_CREDENTIAL_BODY_BYTES = MAX_DOCUMENT_BYTES + 16_384
"""A credential of the largest size that is parsed at all, and the options."""

VCALM = Parameter(
    name="vcalm",
    schema={"type": "boolean", "default": False},
    description="true: 200 also when the answer is `verified: false`, as VCALM has it",
)


async def verify_credential(request: web.Request) -> web.Response:
    """The result for a credential."""
    body = await requests.read_json(
        request, subject="body", max_bytes=MAX_CREDENTIAL_BODY_BYTES, holds="one credential"
    )
    asked = requests.parse_model(CredentialToVerify, body, "body")
    options = asked.options or VerifyOptions()
    result = await vc_of(request).verifier.verify_credential(asked.verifiable_credential, options.checks)
    answer = _chosen(result.to_json(), options)
    if options.return_credential and result.credential is not None:
        answer["credential"] = result.credential.json
    return _answer(request, answer, verified=result.verified)


async def verify_presentation(request: web.Request) -> web.Response:
    """The result for a presentation and the credentials in it."""
    body = await requests.read_json(
        request, subject="body", max_bytes=MAX_CREDENTIAL_BODY_BYTES, holds="one presentation"
    )
    asked = requests.parse_model(PresentationToVerify, body, "body")
    options = asked.options or PresentationOptions()
    result = await vc_of(request).verifier.verify_presentation(
        asked.verifiable_presentation,
        domain=options.domain,
        challenge=options.challenge,
        checks=options.checks,
    )
    answer = _chosen(result.to_json(), options)
    if options.return_presentation and result.presentation is not None:
        answer["verifiablePresentation"] = result.presentation.json
    return _answer(request, answer, verified=result.verified)


def _chosen(answer: dict[str, Json], options: VerifyOptions) -> dict[str, Json]:
    if not options.return_problem_details:
        answer.pop("problemDetails")
    if not options.return_results:
        answer.pop("results")
    return answer


def _answer(request: web.Request, answer: dict[str, Json], *, verified: bool) -> web.Response:
    is_vcalm = VCALM.get(request) == "true"
    return responses.json_response(answer, status=200 if verified or is_vcalm else 400)
