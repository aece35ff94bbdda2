"""What the handlers of the VC API share, under one typed key of the application."""

from dataclasses import dataclass

from aiohttp import web

from testamur.node.api.vc.ports import VerifierPort


@dataclass(frozen=True, slots=True, kw_only=True)
class VcContext:
    """The verifier behind the interface; SHA-256 of the issuer service's token, None if it asks for none."""

    verifier: VerifierPort
    token_digest: bytes | None = None


VC_CONTEXT = web.AppKey("vc", VcContext)


def vc_of(request: web.Request) -> VcContext:
    """The context of the application that serves this request."""
    return request.app[VC_CONTEXT]
