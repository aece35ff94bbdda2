"""The shape of a Comprehensive Learner Record 2.0 (`ClrCredential`).

https://www.imsglobal.org/spec/clr/v2p0/#clrcredential. The credentials inside are credentials of their own:
here only their shape is checked.
"""

import re

from testamur.registry.canonical import Json
from testamur.registry.data_model import objects_of
from testamur.registry.errors import MalformedError
from testamur.registry.members import (
    check_dated,
    check_text,
    check_types,
    check_url,
    enumerated,
    object_member,
    objects,
)
from testamur.registry.profiles import check_identities, check_image, check_issuer
from testamur.registry.shapes import kind_of

MAX_CONTAINED = 256
"""Credentials in one record: four years of courses. Each one that is signed costs a verification."""

ASSOCIATION_TYPES = frozenset(
    [
        "exactMatchOf",
        "isChildOf",
        "isParentOf",
        "isPartOf",
        "isPeerOf",
        "isRelatedTo",
        "precedes",
        "replacedBy",
    ]
)
"""https://www.imsglobal.org/spec/clr/v2p0/#associationtype-enumeration."""

_CONTEXT = re.compile(r"https://purl\.imsglobal\.org/spec/clr/v2p0/context(-2\.\d\.\d)*\.json")


def check_clr_credential(document: dict[str, Json], subject: str) -> None:
    """`document`, known to be a Verifiable Credential, has the shape of a ClrCredential.

    Raises MalformedError.
    """
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not any(
        isinstance(item, str) and _CONTEXT.fullmatch(item) for item in contexts
    ):
        raise MalformedError(
            f"{subject} /@context", "must contain a Comprehensive Learner Record 2.0 context"
        )
    check_url(document, "id", subject)
    check_text(document, "name", subject, translations=True)
    if "validFrom" not in document and "issuanceDate" not in document:
        raise MalformedError(f"{subject} /validFrom", "is missing")
    check_dated(document, "awardedDate", subject)
    if "partial" in document and not isinstance(document["partial"], bool):
        raise MalformedError(
            f"{subject} /partial", f"must be true or false, not {kind_of(document['partial'])}"
        )
    check_image(document, subject)
    check_issuer(document, subject)
    learner = object_member(document, "credentialSubject", subject)
    where = f"{subject} /credentialSubject"
    check_types(learner, where, "ClrSubject")
    check_identities(learner, where)
    contained = contained_credentials(document, subject)
    if not contained:
        raise MalformedError(f"{where}/verifiableCredential", "is missing: a record holds credentials")
    for place, item in contained:
        check_types(item, place, "VerifiableCredential")
    for place, item in objects(learner, "achievement", where, "Achievement"):
        check_url(item, "id", place)
        check_text(item, "name", place)
    for place, item in objects(learner, "association", where, "Association"):
        enumerated(item, "associationType", place, ASSOCIATION_TYPES)
        check_url(item, "sourceId", place)
        check_url(item, "targetId", place)


def contained_credentials(
    document: dict[str, Json], subject: str = "credential"
) -> list[tuple[str, dict[str, Json]]]:
    """The credentials in a record, with their JSON pointers. Raises MalformedError."""
    learner = document.get("credentialSubject")
    if not isinstance(learner, dict):
        return []
    return objects_of(learner, "verifiableCredential", f"{subject} /credentialSubject", MAX_CONTAINED)
