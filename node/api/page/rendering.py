"""Templates, style and script of the page, and the headers under which a browser shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from aiohttp import web

from testamur.node.api.page.visible import visible
from testamur.node.api.responses import HTML, NO_STORE
from testamur.registry.hashing import sha256

if TYPE_CHECKING:
    from jinja2 import Environment

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
"""One style sheet and one script, both of this node; whatever else appears by mistake stays text."""

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_PACKAGE = "testamur.node.api.page"
_MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file that the page loads. Its address names its content, so that browsers may keep it for ever."""

    address: str
    data: bytes
    media: str


@cache
def assets() -> Mapping[str, Asset]:
    """By plain name, e.g. `page.css`."""
    found = {}
    for file in resources.files(_PACKAGE).joinpath("assets").iterdir():
        data = file.read_bytes()
        stem, dot, ending = file.name.rpartition(".")
        address = f"{stem}-{sha256(data).hex()[:12]}{dot}{ending}"
        found[file.name] = Asset(address=address, data=data, media=_MEDIA[f".{ending}"])
    return found


@cache
def _environment() -> "Environment":
    # Loaded with the first page: the process that issues or anchors shows none.
    from jinja2 import DictLoader, Environment, StrictUndefined  # noqa: PLC0415

    folder = resources.files(_PACKAGE).joinpath("templates")
    templates = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    environment = Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.globals["asset"] = lambda name: f"/assets/{assets()[name].address}"
    return environment


def html_response(template: str, values: Mapping[str, object], *, status: int = 200) -> web.Response:
    """The template with these values; every one of them is escaped on its way in. Never stored on the way."""
    text = _environment().get_template(template).render(values)
    headers = {**PAGE_HEADERS, "Cache-Control": NO_STORE}
    return web.Response(text=text, status=status, content_type=HTML, charset="utf-8", headers=headers)
