"""What the handlers of the VC API share, under one typed key of the application."""

from dataclasses import dataclass

from aiohttp import web

from testamur.node.api.vc.ports import VerifierPort


@dataclass(frozen=True, slots=True, kw_only=True)
class VcContext:
    """The verifier behind the interface."""

    verifier: VerifierPort


VC_CONTEXT = web.AppKey("vc", VcContext)


def vc_of(request: web.Request) -> VcContext:
    """The context of the application that serves this request."""
    return request.app[VC_CONTEXT]
