"""Decentralised identifiers: their syntax, and did:key, whose document is computed from the name alone."""

import re
from dataclasses import dataclass
from typing import Final

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.keys import PublicKey, parse_multikey

MAX_DID_CHARACTERS: Final = 1024
"""Longer than the DID of any university; P-521, the longest did:key that is understood, takes 103."""

MAX_DID_URL_CHARACTERS: Final = 2048
"""The customary bound of URLs."""

_ID_CHARACTER = r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})"
_DID: Final = re.compile(rf"did:(?P<method>[a-z0-9]+):(?P<identifier>(?:{_ID_CHARACTER}*:)*{_ID_CHARACTER}+)")
_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_DID_URL_REST: Final = re.compile(
    rf"(?P<path>(?:/{_PCHAR}*)*)(?:\?(?P<query>(?:{_PCHAR}|[/?])*))?(?:#(?P<fragment>(?:{_PCHAR}|[/?])*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """A DID without path, query or fragment (DID Core §3.1)."""

    method: str
    identifier: str

    def __str__(self) -> str:
        return f"did:{self.method}:{self.identifier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DidUrl:
    """A DID and what follows it (DID Core §3.2); `path` includes its slash, absent parts are None."""

    did: Did
    path: str
    query: str | None
    fragment: str | None

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.did}{self.path}{query}{fragment}"


def parse_did(text: str, *, subject: str = "DID") -> Did:
    """The DID that is the whole of `text`. Raises MalformedError(`subject`)."""
    if len(text) > MAX_DID_CHARACTERS:
        raise MalformedError(subject, f"is longer than {MAX_DID_CHARACTERS} characters")
    match = _DID.fullmatch(text)
    if match is None:
        raise MalformedError(subject, "is not did:<method>:<identifier>")
    return Did(method=match["method"], identifier=match["identifier"])


def parse_did_url(text: str, *, subject: str = "DID URL") -> DidUrl:
    """The DID URL that is the whole of `text`; a bare DID is one. Raises MalformedError(`subject`)."""
    if len(text) > MAX_DID_URL_CHARACTERS:
        raise MalformedError(subject, f"is longer than {MAX_DID_URL_CHARACTERS} characters")
    end = min((position for mark in "/?#" if (position := text.find(mark)) >= 0), default=len(text))
    did = parse_did(text[:end], subject=subject)
    rest = _DID_URL_REST.fullmatch(text, end)
    if rest is None:
        raise MalformedError(subject, "has a path, query or fragment that is not URL syntax")
    return DidUrl(did=did, path=rest["path"], query=rest["query"], fragment=rest["fragment"])


def did_key(public: PublicKey) -> str:
    """The did:key identifier of `public` (W3C CCG did:key method §2)."""
    return f"did:key:{public.to_multikey()}"


def did_key_verification_method(public: PublicKey) -> str:
    """The DID URL of the one verification method in the document of `did_key(public)`."""
    multikey = public.to_multikey()
    return f"did:key:{multikey}#{multikey}"


def resolve_did_key_public(did: str) -> PublicKey:
    """The key that a did:key identifier is made of.

    Raises MalformedError for another method, a key type that does not sign, and a point off its curve.
    """
    parsed = parse_did(did)
    if parsed.method != "key":
        raise MalformedError("DID", f"is of the method {parsed.method}, not key")
    return parse_multikey(parsed.identifier, subject="did:key")


def resolve_did_key(did: str) -> dict[str, Json]:
    """The DID document of a did:key identifier: one Multikey, for every signing relationship.

    There is no `keyAgreement`: nothing here encrypts to a key that signs.
    Raises MalformedError as `resolve_did_key_public`. W3C CCG did:key method §3.
    """
    public = resolve_did_key_public(did)
    method = did_key_verification_method(public)
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [
            {"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": public.to_multikey()}
        ],
        "authentication": [method],
        "assertionMethod": [method],
        "capabilityInvocation": [method],
        "capabilityDelegation": [method],
    }
