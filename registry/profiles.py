"""Open Badges 3.0 Profile, EndorsementCredential, images and identities, wherever they stand.

https://www.imsglobal.org/spec/ob/v3p0/#profile and #endorsementcredential. What is checked is what that
specification requires; what it merely allows is left alone.
"""

import re

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.members import (
    check_dated,
    check_text,
    check_types,
    check_url,
    enumerated,
    object_member,
    objects,
    pointer,
)
from testamur.registry.shapes import kind_of

MAX_IMAGE_CHARACTERS = 1 << 20
"""Images may be data URLs, up to the size of a whole document."""

IDENTITY_TYPES = frozenset(
    [
        "name",
        "sourcedId",
        "systemId",
        "productId",
        "userName",
        "accountId",
        "emailAddress",
        "nationalIdentityNumber",
        "isbn",
        "issn",
        "lisSourcedId",
        "oneRosterSourcedId",
        "sisSourcedId",
        "ltiContextId",
        "ltiDeploymentId",
        "ltiToolId",
        "ltiPlatformId",
        "ltiUserId",
        "identifier",
    ]
)
"""https://www.imsglobal.org/spec/ob/v3p0/#identifiertypeenum; others start with `ext:`."""

_IDENTITY_HASH = re.compile(r"md5\$[0-9a-fA-F]{32}|sha256\$[0-9a-fA-F]{64}")
_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")


def check_issuer(document: dict[str, Json], subject: str) -> None:
    """The issuer of a credential: a Profile, or the URL of one."""
    if not isinstance(document.get("issuer"), str):
        check_profile(object_member(document, "issuer", subject), pointer(subject, "issuer"))


def check_profile(profile: dict[str, Json], where: str) -> None:
    """An organisation or person. Raises MalformedError."""
    check_types(profile, where, "Profile")
    check_url(profile, "id", where)
    for member in ("name", "description"):
        if member in profile:
            check_text(profile, member, where, translations=True)
    check_optional_url(profile, "url", where)
    check_image(profile, where)
    check_endorsements(profile, where)
    for place, item in objects(profile, "otherIdentifier", where, "IdentifierEntry"):
        check_text(item, "identifier", place)
        enumerated(item, "identifierType", place, IDENTITY_TYPES, extensible=True)
    if "address" in profile:
        address = object_member(profile, "address", where)
        check_types(address, pointer(where, "address"), "Address")
    if "parentOrg" in profile:
        check_profile(object_member(profile, "parentOrg", where), pointer(where, "parentOrg"))


def check_endorsements(value: dict[str, Json], where: str) -> None:
    """`endorsement` and `endorsementJwt`, when present: credentials, and signed tokens, about the object."""
    for place, item in objects(value, "endorsement", where, "EndorsementCredential"):
        check_types(item, place, "VerifiableCredential")
        check_endorsement_credential(item, place)
    tokens = value.get("endorsementJwt", [])
    for number, token in enumerate(tokens if isinstance(tokens, list) else [tokens]):
        if not isinstance(token, str) or not _COMPACT_JWS.fullmatch(token):
            place = f"{pointer(where, 'endorsementJwt')}/{number}"
            raise MalformedError(place, f"must be a compact JWS, not {kind_of(token)}")


def check_endorsement_credential(document: dict[str, Json], subject: str) -> None:
    """`document` has the shape of an EndorsementCredential. Raises MalformedError."""
    check_url(document, "id", subject)
    if "validFrom" not in document and "issuanceDate" not in document:
        raise MalformedError(pointer(subject, "validFrom"), "is missing")
    check_dated(document, "awardedDate", subject)
    check_issuer(document, subject)
    endorsed = object_member(document, "credentialSubject", subject)
    where = pointer(subject, "credentialSubject")
    check_types(endorsed, where, "EndorsementSubject")
    check_url(endorsed, "id", where)
    if "endorsementComment" in endorsed:
        check_text(endorsed, "endorsementComment", where)


def check_identities(learner: dict[str, Json], where: str) -> None:
    """The subject has an id or an identity object, and every identity object is one.

    https://www.imsglobal.org/spec/ob/v3p0/#identityobject.
    """
    identities = objects(learner, "identifier", where, "IdentityObject")
    if "id" not in learner and not identities:
        raise MalformedError(where, "must have an id or an identifier, or it is nobody's")
    for place, identity in identities:
        hashed = identity.get("hashed")
        if not isinstance(hashed, bool):
            raise MalformedError(pointer(place, "hashed"), f"must be true or false, not {kind_of(hashed)}")
        enumerated(identity, "identityType", place, IDENTITY_TYPES, extensible=True)
        check_text(identity, "identityHash", place)
        value = identity["identityHash"]
        if hashed and not (isinstance(value, str) and _IDENTITY_HASH.fullmatch(value)):
            raise MalformedError(
                pointer(place, "identityHash"), "must be sha256$ or md5$ and the hash in hexadecimal"
            )
        if "salt" in identity:
            check_text(identity, "salt", place)


def check_image(value: dict[str, Json], where: str) -> None:
    """`image`, when present: an object with a URL, which may hold the picture itself."""
    image = value.get("image")
    if isinstance(image, dict):
        check_types(image, pointer(where, "image"), "Image")
        check_url(image, "id", pointer(where, "image"), maximum=MAX_IMAGE_CHARACTERS)
    elif "image" in value:
        raise MalformedError(pointer(where, "image"), f"must be an object, not {kind_of(image)}")


def check_optional_url(value: dict[str, Json], member: str, where: str) -> None:
    """An absolute URL, when present."""
    if member in value:
        check_url(value, member, where)
