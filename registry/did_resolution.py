"""DID resolution and dereferencing: what is asked, and the answer in the W3C's form. Nothing is looked up.

https://www.w3.org/TR/did-resolution/. `read_request` says which document is needed; `answer` makes the result
of it. Error codes are those that the W3C's test suites ask for (docs/spec/dids.md).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from testamur.registry.canonical import Json
from testamur.registry.did_keys import FORMATS, KeyProblem, in_format
from testamur.registry.dids import Did, DidUrl, parse_did, parse_did_url
from testamur.registry.errors import MalformedError
from testamur.registry.timestamps import parse_timestamp
from testamur.registry.verification_methods import RELATIONSHIPS

RESOLUTION_CONTEXT: Final = "https://w3id.org/did-resolution/v1"
DID_JSON: Final = "application/did+json"

_BLOCK_NUMBER: Final = re.compile(r"[0-9]{1,18}")

METHODS: Final = ("key", "jwk", "web", "ethr")
"""The DID methods that are understood."""

STATUSES: Final[Mapping[str, int]] = {
    "invalidDid": 400,
    "invalidDidUrl": 400,
    "invalidOptions": 400,
    "invalidPublicKey": 400,
    "invalidPublicKeyLength": 400,
    "invalidPublicKeyType": 400,
    "unsupportedPublicKeyType": 400,
    "notFound": 404,
    "representationNotSupported": 406,
    "deactivated": 410,
    "methodNotSupported": 501,
}
"""Error codes, with the HTTP status that belongs to each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A well-formed request: the DID whose document is needed, as of when, and what of it in which form."""

    did: Did
    url: DidUrl
    is_url: bool
    version_time: datetime | None = None
    version_id: int | None = None
    key_format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The result. `document` is the DID document, or what a DID URL means in it; empty with an `error`."""

    document: dict[str, Json]
    is_url: bool
    error: str | None = None
    message: str | None = None
    document_metadata: dict[str, Json] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status."""
        if self.error is not None:
            return STATUSES[self.error]
        return STATUSES["deactivated"] if self.document_metadata.get("deactivated") is True else 200

    def to_json(self) -> dict[str, Json]:
        """`didDocument` is always an object, as the did:key test suite demands of errors too."""
        metadata: dict[str, Json] = {"contentType": DID_JSON}
        if self.error is not None:
            metadata = {"error": self.error, "message": self.message or self.error}
        return {
            "@context": RESOLUTION_CONTEXT,
            "didDocument": self.document,
            "didDocumentMetadata": self.document_metadata,
            "didDereferencingMetadata" if self.is_url else "didResolutionMetadata": metadata,
        }


def failed(error: str, message: str, *, is_url: bool) -> Resolution:
    """The result that says what is wrong."""
    return Resolution(document={}, is_url=is_url, error=error, message=message[:500])


def read_request(text: str, options: Mapping[str, str]) -> Wanted | Resolution:
    """What is needed for a DID or DID URL, or the result when nothing is.

    `options` are `versionTime`, `versionId`, `publicKeyFormat` and `enableExperimentalPublicKeyTypes`; others
    are not for us. A version in the DID URL itself counts where none is given beside it. Only versions of a
    did:ethr have an id: one that is asked for elsewhere is not found, and never the newest in its place.
    """
    is_url = any(mark in text for mark in "/?#")
    syntax = "invalidDidUrl" if is_url else "invalidDid"
    try:
        url = parse_did_url(text) if is_url else None
        did = url.did if url is not None else parse_did(text)
    except MalformedError as error:
        return failed(syntax, str(error), is_url=is_url)
    key_format = options.get("publicKeyFormat")
    problem = _format_problem(key_format, options, is_url=is_url)
    if problem is not None:
        return problem
    if did.method not in METHODS:
        known = ", ".join(f"did:{name}" for name in METHODS)
        return failed("methodNotSupported", f"did:{did.method} is none of {known}", is_url=is_url)
    given = dict(parse_qsl(url.query)) if url is not None and url.query else {}
    strange = sorted(set(given) - {"versionTime", "versionId"})
    if strange or (url is not None and url.path):
        what = f"the parameter {strange[0][:80]!r}" if strange else "a path"
        return failed("notFound", f"{what} leads to nothing that is served here", is_url=is_url)
    moment = options.get("versionTime", given.get("versionTime"))
    try:
        version_time = parse_timestamp(moment, "versionTime") if moment is not None else None
    except MalformedError as error:
        return failed("invalidOptions", str(error), is_url=is_url)
    version = options.get("versionId", given.get("versionId"))
    if version is not None and did.method != "ethr":
        return failed("notFound", f"versions of a did:{did.method} have no ids here", is_url=is_url)
    if version is not None and (moment is not None or not _BLOCK_NUMBER.fullmatch(version)):
        message = "versionId must be the number of a block, and stand without versionTime"
        return failed("invalidOptions", message, is_url=is_url)
    return Wanted(
        did=did,
        url=url or DidUrl(did=did, path="", query=None, fragment=None),
        is_url=is_url,
        version_time=version_time,
        version_id=int(version) if version is not None else None,
        key_format=key_format,
    )


def computed(wanted: Wanted) -> dict[str, Json] | Resolution | None:
    """The document of a DID that is made of its key; None for a method whose documents are looked up."""
    found = in_format(str(wanted.did), wanted.key_format)
    if isinstance(found, KeyProblem):
        return failed(found.code, found.message, is_url=wanted.is_url)
    return found


def answer(wanted: Wanted, document: Json, *, metadata: Mapping[str, Json] | None = None) -> Resolution:
    """The result for the looked-up or computed DID document: all of it, or what the fragment names in it."""
    if not isinstance(document, dict) or document.get("id") != str(wanted.did):
        message = f"the document that was found is not that of {wanted.did}"
        return failed("notFound", message, is_url=wanted.is_url)
    known = dict(metadata or {})
    if not wanted.is_url or wanted.url.fragment is None:
        return Resolution(document=document, is_url=wanted.is_url, document_metadata=known)
    found = _part(document, str(wanted.did), wanted.url.fragment)
    if found is None:
        message = f"the document of {wanted.did} has nothing with the fragment #{wanted.url.fragment}"
        return failed("notFound", message, is_url=True)
    context = document.get("@context")
    part = found if context is None else {"@context": context, **found}
    return Resolution(document=part, is_url=True, document_metadata=known)


def _part(document: dict[str, Json], did: str, fragment: str) -> dict[str, Json] | None:
    wanted = (f"{did}#{fragment}", f"#{fragment}")
    for name in ("verificationMethod", *RELATIONSHIPS, "service"):
        value = document.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and item.get("id") in wanted:
                return item
    return None


def _format_problem(key_format: str | None, options: Mapping[str, str], *, is_url: bool) -> Resolution | None:
    if key_format is None:
        return None
    if key_format not in FORMATS:
        known = ", ".join(FORMATS)
        return failed("unsupportedPublicKeyType", f"publicKeyFormat must be one of {known}", is_url=is_url)
    if FORMATS[key_format] and options.get("enableExperimentalPublicKeyTypes") != "true":
        message = f"{key_format} is superseded; ask for it with enableExperimentalPublicKeyTypes=true"
        return failed("invalidPublicKeyType", message, is_url=is_url)
    return None
