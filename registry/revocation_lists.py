"""1EdTech's revocation list: a plain document of an issuer that names the credentials it revoked.

https://purl.imsglobal.org/spec/vcrl/v1p0/. It carries no proof, so that it says as much as whoever supplies
it is believed; never take one from the file that is being verified.
"""

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.shapes import Shape

REVOCATION_LIST = "1EdTechRevocationList"
"""The type of the entry in `credentialStatus`; its `id` is the address of the list."""

MAX_REVOKED = 65_536
"""Credentials in one list: what fits a document of 1 MiB is fewer."""

_MEMBERS = ("revokedCredential", "revokedCredentials")
"""What the specification's data model and what its text call the same member."""


def is_revoked(document: Json, *, list_id: str, issuer: str, credential_id: str) -> bool:
    """Whether the list says that the credential is revoked: it names its id, and not `"revoked": false`.

    Raises MalformedError for what is not such a list, or the list of another address; VerificationError
    ("status-list-issuer-mismatch") for the list of another issuer.
    """
    shape = Shape(document, "revocation list")
    if shape.text("id") != list_id:
        raise MalformedError(shape.path("id"), f"is not {list_id[:200]}")
    named = shape.any("issuer")
    owner = shape.shape("issuer").text("id") if isinstance(named, dict) else shape.text("issuer")
    if owner != issuer:
        raise VerificationError("status-list-issuer-mismatch", list=list_id[:200])
    present = [name for name in _MEMBERS if shape.has(name)]
    if not present:
        # A document that names nothing may as well be another one.
        raise MalformedError(shape.path(_MEMBERS[1]), "is missing")
    return any(_revokes(item, credential_id) for name in present for item in _entries(shape, name))


def _entries(shape: Shape, name: str) -> list[Shape]:
    """The entries: a list, or one alone as JSON-LD writes it."""
    if isinstance(shape.any(name), dict):
        return [shape.shape(name)]
    return shape.shapes(name, maximum=MAX_REVOKED)


def _revokes(item: Shape, credential_id: str) -> bool:
    return item.text("id") == credential_id and item.flag("revoked", default=True)
