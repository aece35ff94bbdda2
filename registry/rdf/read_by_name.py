"""Members that are looked for by their JSON name, and must not be signed under another one.

RDF does not keep names. A signature over it holds whatever a member is called, and anybody can add a name of
the same meaning to the contexts: the end of a credential's validity would be signed, and seen by nobody.
"""

from collections.abc import Mapping
from typing import Final

_CREDENTIALS: Final = "https://www.w3.org/2018/credentials#"
_SECURITY: Final = "https://w3id.org/security#"

READ_BY_NAME: Final[Mapping[str, str]] = {
    **{
        _CREDENTIALS + name: name
        for name in (
            *("credentialSchema", "credentialStatus", "credentialSubject", "expirationDate", "issuanceDate"),
            *("issuer", "relatedResource", "validFrom", "validUntil", "verifiableCredential"),
        )
    },
    **{_SECURITY + name: name for name in ("challenge", "domain", "previousProof", "proofPurpose")},
    f"{_SECURITY}expiration": "expires",
    "https://w3id.org/testamur/vocab#jointAward": "jointAward",
}
"""What can take a credential's or a proof's worth away: IRI → the name under which it is looked for."""


def is_disguised(name: str, iri: object) -> bool:
    """Whether a member called `name` means what is only looked for under another name (`READ_BY_NAME`)."""
    return isinstance(iri, str) and READ_BY_NAME.get(iri, name) != name
