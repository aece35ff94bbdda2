"""did:web: where the document lies, and that it is the right one. Fetching is the caller's business.

https://w3c-ccg.github.io/did-method-web/#read-resolve.
"""

import re
from urllib.parse import unquote

from testamur.registry.canonical import Json, parse_json
from testamur.registry.dids import parse_did
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import kind_of

_HOST = re.compile(r"(?=.{1,253}(?::|\Z))[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
                   r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[1-9][0-9]{0,4})?")  # fmt: skip
"""A name or an address of version 4, and perhaps a port."""


def did_web_url(did: str, *, scheme: str = "https") -> str:
    """The URL of the document of a did:web.

    Raises MalformedError for another method, for a host that is none, and for a path that leads elsewhere.
    """
    parsed = parse_did(did)
    if parsed.method != "web":
        raise MalformedError("DID", f"is of the method {parsed.method}, not web")
    host, *path = parsed.identifier.split(":")
    host = unquote(host)
    if not _HOST.fullmatch(host):
        raise MalformedError("DID", f"names no host: {host[:80]!r}")
    for part in path:
        plain = unquote(part)
        if plain in {"", ".", ".."} or any(mark in plain for mark in "/\\?#") or not plain.isprintable():
            raise MalformedError("DID", f"has a part that is no folder: {part[:80]!r}")
    folder = "/".join(path) if path else ".well-known"
    return f"{scheme}://{host}/{folder}/did.json"


def parse_did_document(data: bytes, did: str) -> dict[str, Json]:
    """The DID document of `did`. Raises MalformedError when it is not JSON, or somebody else's."""
    document = parse_json(data, subject="DID document")
    if not isinstance(document, dict):
        raise MalformedError("DID document", f"must be an object, not {kind_of(document)}")
    if document.get("id") != did:
        raise MalformedError("DID document /id", f"is {str(document.get('id'))[:200]!r}, not {did[:200]}")
    return document
