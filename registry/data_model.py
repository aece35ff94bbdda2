"""The members that the W3C data model knows, version 2.0 and 1.1, each checked at its JSON pointer.

https://www.w3.org/TR/vc-data-model-2.0/#basic-concepts and https://www.w3.org/TR/vc-data-model-1.1/.
"""

from testamur.registry.canonical import Json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import MAX_CONTEXTS, is_absolute_iri
from testamur.registry.members import check_text, check_types, check_url, pointer
from testamur.registry.shapes import kind_of

CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
"""The base context of version 1.1; first in every such credential."""

MAX_SUBJECTS = 256
"""Subjects in one credential; an award has one, a joint project a few."""

TYPED_MEMBERS = ("credentialSchema", "evidence", "refreshService", "termsOfUse")
"""Members whose every object says its type: https://www.w3.org/TR/vc-data-model-2.0/#types."""


def check_contexts(value: Json, where: str) -> str:
    """The first of the contexts, which is the base context of a data model. Raises MalformedError."""
    if not isinstance(value, list) or not value:
        raise MalformedError(where, f"must be a list that starts with {CREDENTIALS_V2}")
    if len(value) > MAX_CONTEXTS:
        raise MalformedError(where, f"has {len(value)} contexts, more than {MAX_CONTEXTS}")
    first = value[0]
    if not isinstance(first, str) or first not in {CREDENTIALS_V2, CREDENTIALS_V1}:
        raise MalformedError(f"{where}/0", f"must be {CREDENTIALS_V2} (or {CREDENTIALS_V1})")
    for number, item in enumerate(value):
        if not isinstance(item, str | dict) or not item:
            raise MalformedError(f"{where}/{number}", f"must be a URL or an object, not {kind_of(item)}")
        if isinstance(item, str) and not is_absolute_iri(item):
            raise MalformedError(f"{where}/{number}", f"must be an absolute URL, not {item[:80]!r}")
    return first


def issuer_of(document: dict[str, Json], subject: str) -> tuple[str, str | None]:
    """(URL, name) of the issuer, which is a URL or an object with an `id`."""
    issuer = document.get("issuer")
    if not isinstance(issuer, dict):
        return check_url(document, "issuer", subject), None
    where = pointer(subject, "issuer")
    check_named(issuer, where)
    name = issuer.get("name")
    return check_url(issuer, "id", where), name if isinstance(name, str) else None


def check_named(value: dict[str, Json], where: str) -> None:
    """`name` and `description`, when present: text, or text with a language."""
    for member in ("name", "description"):
        if member in value:
            check_text(value, member, where, translations=True)


def check_typed_members(document: dict[str, Json], subject: str) -> None:
    """One object or a list of them, each with a type; those that have an `id` have a URL."""
    for member in TYPED_MEMBERS:
        for where, item in objects_of(document, member, subject, MAX_SUBJECTS):
            check_types(item, where, None)
            if "id" in item or member == "credentialSchema":
                check_url(item, "id", where)


def subjects_of(document: dict[str, Json], subject: str) -> list[dict[str, Json]]:
    """The subjects: at least one, and each says something."""
    where = pointer(subject, "credentialSubject")
    if "credentialSubject" not in document:
        raise MalformedError(where, "is missing")
    found = objects_of(document, "credentialSubject", subject, MAX_SUBJECTS)
    for place, item in found:
        if not item:
            raise MalformedError(place, "says nothing")
        if "id" in item:
            check_url(item, "id", place)
    return [item for _, item in found]


def subject_ids(document: dict[str, Json]) -> list[str]:
    """Whom a well-formed credential is about, in its order; empty when it binds to nobody."""
    subjects = document.get("credentialSubject")
    items = subjects if isinstance(subjects, list) else [subjects]
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    return [item for item in ids if isinstance(item, str)]


def objects_of(
    document: dict[str, Json], member: str, subject: str, maximum: int
) -> list[tuple[str, dict[str, Json]]]:
    """One object, or a list of objects, each with its JSON pointer; none when the member is absent."""
    if member not in document:
        return []
    value, where = document[member], pointer(subject, member)
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= maximum:
        raise MalformedError(where, f"has {len(items)} items, outside 1 to {maximum}")
    found = []
    for number, item in enumerate(items):
        place = f"{where}/{number}" if isinstance(value, list) else where
        if not isinstance(item, dict):
            raise MalformedError(place, f"must be an object, not {kind_of(item)}")
        found.append((place, item))
    return found
