"""The documents that one verification needs: supplied ones, this node's own, and DIDs from the web."""

import time
from collections.abc import Mapping
from typing import Protocol

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.rdf.compiled_contexts import ContextSet
from testamur.registry.revocation_lists import REVOCATION_LIST
from testamur.registry.verification_methods import controller_of

MAX_LOOKED_UP = 8
"""Documents that are looked up for one request; a credential of a joint project names a handful."""

MAX_LOOKUP_SECONDS = 6.0
"""After which nothing more is looked up for a request: slow machines hold up those who name them."""

MAX_DEPTH = 12
"""How deep credentials lie in what is sent: presentation, record, credential."""


class Lookups(Protocol):
    """Where documents come from that nobody supplied."""

    def did_document(self, did: str) -> Json | None:
        """The DID document, or None."""

    def status_list(self, url: str, issuer: str) -> Json | None:
        """The status list credential for credentials of this issuer, or None.

        Anybody with a log can publish a list under anybody's address, so the issuer decides.
        """


class Enlarged(ContextSet):
    """Supplied documents and further ones, for one request; contexts stay those that were compiled once."""

    __slots__ = ()

    def __init__(self, base: ContextSet, more: Mapping[str, Json]) -> None:
        self._documents = {**more, **dict(base)}
        self.space = base.space


Names = tuple[tuple[str, str, str], ...]
"""("did", DID, "") and ("list", URL, issuer) of what is needed, and neither computed nor supplied."""


def names_in(document: Json, supplied: ContextSet) -> Names:
    """What `document` names and somebody has to look up, at most `MAX_LOOKED_UP`."""
    names = dict.fromkeys(item for item in _named(document) if item[1] not in supplied)
    return tuple(names)[:MAX_LOOKED_UP]


def looked_up(names: Names, supplied: ContextSet, lookups: Lookups) -> ContextSet:
    """`supplied`, with what `lookups` find of `names`, and the keys of the lists among it."""
    more: dict[str, Json] = {}
    until = time.monotonic() + MAX_LOOKUP_SECONDS
    lists = [name for kind, name, _ in names if kind == "list"]
    for kind, name, issuer in names:
        if kind == "list" and lists.count(name) > 1:
            continue  # two issuers name one address: whose list it is cannot be told
        if time.monotonic() > until:
            break
        found = lookups.did_document(name) if kind == "did" else lookups.status_list(name, issuer)
        if found is None:
            continue
        more[name] = found
        if kind == "list":
            # The list is signed too, and perhaps by somebody else.
            for other, did, _ in names_in(found, supplied):
                signer = lookups.did_document(did) if other == "did" and did not in more else None
                if signer is not None:
                    more[did] = signer
    return Enlarged(supplied, more) if more else supplied


def _named(document: Json) -> list[tuple[str, str, str]]:
    """What `Names` says, of the keys in its proofs and its status entries, in it and in its parts."""
    found: list[tuple[str, str, str]] = []
    stack: list[tuple[Json, int, str]] = [(document, 0, "")]
    while stack:
        value, depth, issuer = stack.pop()
        if depth > MAX_DEPTH:
            continue
        if isinstance(value, list):
            stack += [(item, depth + 1, issuer) for item in value]
        elif isinstance(value, dict):
            own = value.get("issuer")
            own = own.get("id") if isinstance(own, dict) else own
            issuer = own if isinstance(own, str) else issuer
            for name, item in value.items():
                if name == "verificationMethod" and isinstance(item, str):
                    controller = _controller(item)
                    if controller is not None:
                        found.append(("did", controller, ""))
                elif name == "statusListCredential" and isinstance(item, str):
                    found.append(("list", item, issuer))
                elif name == "id" and isinstance(item, str) and value.get("type") == REVOCATION_LIST:
                    found.append(("list", item, issuer))  # 1EdTech's entry is named like its list
                else:
                    stack.append((item, depth + 1, issuer))
    return found


def _controller(url: str) -> str | None:
    try:
        controller = controller_of(url)
    except MalformedError:
        return None
    return (
        controller
        if controller.startswith("did:") and not controller.startswith(("did:key:", "did:jwk:"))
        else None
    )
