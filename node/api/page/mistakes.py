"""A problem as a page, for a person who looks at it in a browser. Programs get the problem document."""

import json

from aiohttp import web

from testamur.node.api.context import CONTEXT, context_of
from testamur.node.api.page.handlers import frame
from testamur.node.api.page.rendering import html_response
from testamur.node.api.problems import TYPE_PREFIX
from testamur.node.api.responses import HTML

NEXT_STEPS = {
    "not-found": "Start again on the first page.",
    "too-many-requests": "Wait a moment, then send it again. Nothing is wrong with your file.",
    "unavailable": "Wait a moment, then try again. Nothing is wrong with your file.",
    "internal": "Nothing is wrong with your file. Ask another node, or tell the operator the number below.",
}

_KEPT_HEADERS = ("Allow", "Retry-After")


def is_for_people(request: web.Request) -> bool:
    """Whether a browser asked, where there are pages. Programs rarely accept HTML, and those can read it."""
    return CONTEXT in request.app and HTML in request.headers.get("Accept", "")


def mistake_page(request: web.Request, problem: web.Response) -> web.Response:
    """A problem document as a page, with its status and its words."""
    members = json.loads(problem.body if isinstance(problem.body, bytes) else b"{}")
    detail = str(members.get("detail", ""))
    name = str(members.get("type", "")).removeprefix(TYPE_PREFIX)
    values = {
        **frame(context_of(request), title=str(members.get("title", "Something went wrong"))),
        "status": problem.status,
        "detail": detail[:1].upper() + detail[1:],
        "next_step": NEXT_STEPS.get(name, "Go back and try again."),
        "request_id": str(members.get("requestId", "")),
    }
    response = html_response("mistake.html", values, status=problem.status)
    response.headers.update({key: problem.headers[key] for key in _KEPT_HEADERS if key in problem.headers})
    return response
