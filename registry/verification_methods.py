"""From the verification method that a proof names to the key, its controller, and what it may be used for.

https://www.w3.org/TR/cid-1.0/#retrieve-verification-method. DID documents are read as plain JSON; what is
needed and cannot be computed from its name is looked up in the documents that the caller passes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.canonical import Json
from testamur.registry.dids import MAX_DID_URL_CHARACTERS, resolve_did_key
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.jsonld import is_absolute_iri
from testamur.registry.jwk import parse_jwk, resolve_did_jwk
from testamur.registry.keys import Algorithm, PublicKey, parse_multikey, parse_public_key
from testamur.registry.multiformats import decode_multibase
from testamur.registry.shapes import Shape, kind_of
from testamur.registry.timestamps import parse_timestamp

MAX_METHODS = 256
"""Verification methods of one controller, in one list; a university has a handful."""

RELATIONSHIPS = (
    "assertionMethod",
    "authentication",
    "capabilityInvocation",
    "capabilityDelegation",
    "keyAgreement",
)
"""What a key may be authorised for; each list may also hold whole methods."""

_COMPUTED = {"key": resolve_did_key, "jwk": resolve_did_jwk}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationMethod:
    """A key that its controller has authorised for a purpose. `ends_at`: when it expires or was revoked."""

    id: str
    controller: str
    public_key: PublicKey
    ends_at: datetime | None = None


def find_verification_method(
    url: str, documents: Mapping[str, Json], *, purpose: str, subject: str = "verification method"
) -> VerificationMethod:
    """The method `url`, when its controller's document authorises it for `purpose`.

    did:key and did:jwk are computed, whatever `documents` say; other controllers are looked up by DID (or
    URL without fragment). The document's `id` must be that DID, and the method must be controlled by it.

    Raises MalformedError (shape of the URL or of the document) and VerificationError:
    controller-document-missing, verification-method-unknown, verification-method-unauthorised.
    """
    controller = controller_of(url, subject)
    document = resolve_controller(controller, documents)
    where = f"controller document {controller[:200]}"
    shape = Shape(document, where)
    if shape.text("id") != controller:
        raise MalformedError(shape.path("id"), f"is not {controller[:200]}")
    methods = _methods(shape, controller)
    if url not in methods:
        raise VerificationError("verification-method-unknown", method=url[:200])
    if url not in _authorised(shape, purpose, controller):
        raise VerificationError("verification-method-unauthorised", method=url[:200], purpose=purpose[:60])
    return _read(methods[url], url, controller)


def controller_of(url: str, subject: str = "verification method") -> str:
    """The DID or URL whose document has the method: what stands before `#`. Raises MalformedError."""
    if len(url) > MAX_DID_URL_CHARACTERS or not is_absolute_iri(url):
        raise MalformedError(subject, f"must be an absolute URL, not {url[:80]!r}")
    controller, found, fragment = url.partition("#")
    if not found or not fragment:
        raise MalformedError(subject, f"must name a key after '#', as {url[:80]!r} does not")
    return controller.partition("?")[0] if controller.startswith("did:") else controller


def resolve_controller(controller: str, documents: Mapping[str, Json]) -> Json:
    """The controller document: computed, or as the caller supplies it.

    Raises MalformedError, and VerificationError("controller-document-missing").
    """
    scheme, _, rest = controller.partition(":")
    compute = _COMPUTED.get(rest.partition(":")[0]) if scheme == "did" else None
    if compute is not None:
        return compute(controller)
    if controller not in documents:
        raise VerificationError("controller-document-missing", controller=controller[:200])
    return documents[controller]


def _methods(shape: Shape, controller: str) -> dict[str, Shape]:
    """Every verification method by its absolute id, wherever it stands; two under one id are refused."""
    found: dict[str, tuple[Json, Shape]] = {}
    for name in ("verificationMethod", *RELATIONSHIPS):
        for number, item in enumerate(_items(shape, name)):
            if isinstance(item, str):
                continue
            where = f"{shape.path(name)}/{number}"
            method = Shape(item, where)
            url = _absolute(method.text("id"), controller)
            if url in found and found[url][0] != item:
                raise MalformedError(where, f"has the id of another method: {url[:200]}")
            found[url] = (item, method)
    return {url: method for url, (_, method) in found.items()}


def _authorised(shape: Shape, purpose: str, controller: str) -> frozenset[str]:
    if purpose not in RELATIONSHIPS:
        return frozenset()
    urls = set()
    for number, item in enumerate(_items(shape, purpose)):
        where = f"{shape.path(purpose)}/{number}"
        text = item if isinstance(item, str) else Shape(item, where).text("id")
        urls.add(_absolute(text, controller))
    return frozenset(urls)


def _items(shape: Shape, name: str) -> list[Json]:
    """The members of a list; one alone may stand there without it."""
    value = shape.any(name)
    if value is None:
        return []
    items: list[Json] = value if isinstance(value, list) else [value]
    if len(items) > MAX_METHODS:
        raise MalformedError(shape.path(name), f"has {len(items)} methods, more than {MAX_METHODS}")
    for number, item in enumerate(items):
        if not isinstance(item, str | dict):
            raise MalformedError(f"{shape.path(name)}/{number}", f"must be a method, not {kind_of(item)}")
    return items


def _absolute(reference: str, controller: str) -> str:
    return controller + reference if reference.startswith("#") else reference


def _read(method: Shape, url: str, controller: str) -> VerificationMethod:
    if method.text("controller") != controller:
        raise MalformedError(method.path("controller"), f"is not {controller[:200]}")
    ends = [
        parse_timestamp(method.text(name, max_length=64), method.path(name))
        for name in ("expires", "revoked")
        if method.has(name)
    ]
    return VerificationMethod(
        id=url, controller=controller, public_key=_key(method), ends_at=min(ends, default=None)
    )


def _key(method: Shape) -> PublicKey:
    """The one key of the method, in whichever of the three texts it is written."""
    kind = method.text("type", max_length=128)
    given = [name for name in ("publicKeyMultibase", "publicKeyJwk", "publicKeyBase58") if method.has(name)]
    if len(given) != 1:
        raise MalformedError(method.subject, f"has {len(given)} keys that are understood, not 1")
    where = method.path(given[0])
    if given == ["publicKeyJwk"]:
        return parse_jwk(method.any("publicKeyJwk"), where)
    text = method.text(given[0])
    if given == ["publicKeyBase58"]:
        if kind != "Ed25519VerificationKey2018":
            raise MalformedError(where, f"is not understood in a method of type {kind}")
        raw = decode_multibase(f"z{text}", subject=where, allowed="z")
        return parse_public_key(Algorithm.ED25519, raw, subject=where)
    key = parse_multikey(text, subject=where)
    if kind.startswith("Ed25519") and key.algorithm is not Algorithm.ED25519:
        raise MalformedError(where, f"is a key of {key.algorithm}, and its type says {kind}")
    return key
