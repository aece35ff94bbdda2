"""Challenges for employers, and the verdict on presentations that answer them."""

from aiohttp import web

from testamur.node.api import requests, responses
from testamur.node.api.context import context_of
from testamur.node.api.models import ChallengeRequest
from testamur.node.api.parameters import Parameter
from testamur.node.api.routing import Route
from testamur.node.api.schemas import text
from testamur.registry.dossiers import MAX_PRESENTATION_BYTES
from testamur.registry.errors import MalformedError
from testamur.registry.presentations import MAX_CHALLENGE_CHARACTERS

MAX_CHALLENGE_BODY_BYTES = 2048
"""A domain in a JSON object."""

CHALLENGE = Parameter(
    name="challenge",
    schema=text(minLength=1, maxLength=MAX_CHALLENGE_CHARACTERS),
    description="what the caller gave the holder; default: one that this node gave, which is used up",
)
DOMAIN = Parameter(
    name="domain",
    schema=text(minLength=1, maxLength=MAX_CHALLENGE_CHARACTERS),
    description="for whom it must have been made; default: the one that this node's challenge was given for",
)


async def give_challenge(request: web.Request) -> web.Response:
    """A challenge, for a domain of the caller's."""
    asked = ChallengeRequest()
    if request.body_exists:
        body = await requests.read_json(request, subject="body", max_bytes=MAX_CHALLENGE_BODY_BYTES)
        asked = requests.parse_model(ChallengeRequest, body, "body")
    return responses.model_response(await context_of(request).node.challenge(asked.domain))


async def verify_presentation(request: web.Request) -> web.Response:
    """The verdict about a presentation; invalid is an answer, not an error."""
    challenge, domain = CHALLENGE.find(request), DOMAIN.find(request)
    body = await requests.read_json(request, subject="presentation", max_bytes=MAX_PRESENTATION_BYTES)
    if not isinstance(body, dict):
        raise MalformedError("presentation", "must be an object")
    return responses.json_response(await context_of(request).node.present(body, challenge, domain))


_BODY = ("malformed", "too-large", "unsupported-media-type", "too-slow")

PRESENTATION_ROUTES = (
    Route(
        method="POST",
        path="/v1/challenges",
        handler=give_challenge,
        operation="giveChallenge",
        tag="credentials",
        summary="A challenge for a holder to answer: good once, for ten minutes",
        takes="ChallengeRequest",
        takes_nothing=True,
        answers="Challenge",
        problems=_BODY,
    ),
    Route(
        method="POST",
        path="/v1/presentations",
        handler=verify_presentation,
        operation="verifyPresentation",
        tag="credentials",
        summary="The verdict about a presentation: who shows what, now; invalid is not an error",
        parameters=(CHALLENGE, DOMAIN),
        takes="Presentation",
        answers="PresentationVerdict",
        problems=_BODY,
    ),
)
