"""Our own JSON-LD contexts, served by every node: what a term means does not depend on one address."""

import json
from collections.abc import Mapping
from functools import cache

from aiohttp import web

from testamur.node.api import responses
from testamur.node.api.parameters import Parameter
from testamur.node.api.routing import Route
from testamur.registry.contexts import JOINT_AWARD_V1, MICRO_CREDENTIAL_V1, find_context

LD_JSON = "application/ld+json"

OWN_CONTEXTS: Mapping[str, str] = {
    "joint-award-v1": JOINT_AWARD_V1,
    "micro-credential-v1": MICRO_CREDENTIAL_V1,
}
"""Name in the path → the URL that documents name. None ever changes: a later version has another name."""

CONTEXT_NAME = Parameter(
    name="name",
    schema={"type": "string", "enum": sorted(OWN_CONTEXTS)},
    description="of a context of this project",
    missing="no context has this name here",
)


async def get_context(request: web.Request) -> web.Response:
    """A context of ours, for ever the same."""
    data = _context(OWN_CONTEXTS[CONTEXT_NAME.in_path(request)])
    return responses.bytes_response(request, data, media=LD_JSON, cache=responses.IMMUTABLE)


@cache
def _context(url: str) -> bytes:
    return json.dumps(find_context(url), ensure_ascii=False, indent=1).encode() + b"\n"


ROUTE = Route(
    method="GET",
    path="/contexts/{name}",
    handler=get_context,
    operation="getContext",
    tag="registry",
    summary="A JSON-LD context of this project, which never changes",
    parameters=(CONTEXT_NAME,),
    media=LD_JSON,
    problems=("malformed", "not-found"),
    can_be_unchanged=True,
)
