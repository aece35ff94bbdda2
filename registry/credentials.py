"""Credentials as values: W3C Verifiable Credentials 2.0, and Open Badges 3.0 where they say they are.

https://www.w3.org/TR/vc-data-model-2.0/ and https://www.imsglobal.org/spec/ob/v3p0/. Shape only: nothing here
looks at proofs, logs or clocks. Every refusal names the member by its JSON pointer.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from testamur.registry.achievements import check_achievement_credential
from testamur.registry.canonical import Json, digest, parse_json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.errors import MalformedError
from testamur.registry.jsonld import MAX_CONTEXTS
from testamur.registry.members import check_dated, check_text, check_types, check_url
from testamur.registry.shapes import kind_of
from testamur.registry.status_lists import MAX_STATUS_ENTRIES, StatusListEntry, parse_status_entry

MAX_SUBJECTS = 256
"""Subjects in one credential; an award has one, a joint project a few."""

OPEN_BADGE_TYPES = frozenset({"AchievementCredential", "OpenBadgeCredential"})
"""Either name makes a credential an Open Badge: https://www.imsglobal.org/spec/ob/v3p0/#achievementcredential."""

_RANDOM_URN = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A well-formed credential. `json` is the whole document, proofs included; it must not be changed."""

    json: dict[str, Json]
    id: str | None
    types: tuple[str, ...]
    issuer_id: str
    issuer_name: str | None
    subject_id: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    status: tuple[StatusListEntry, ...]
    unknown_status_types: tuple[str, ...]
    """Kinds of status that are not understood; whether such a credential is revoked is unknown."""
    achievement_name: str | None
    """None when it is not an Open Badge."""

    @property
    def is_open_badge(self) -> bool:
        """Whether the credential claims to be an Open Badge, and therefore has the shape of one."""
        return not OPEN_BADGE_TYPES.isdisjoint(self.types)


def parse_credential(data: bytes | Json, subject: str = "credential") -> Credential:
    """The credential in `data` (bytes, or JSON from `parse_json`) as a value.

    Raises MalformedError; its subject is `subject` and the JSON pointer of what is wrong.
    """
    document = parse_json(data, subject=subject) if isinstance(data, bytes) else data
    if not isinstance(document, dict):
        raise MalformedError(subject, f"must be an object, not {kind_of(document)}")
    _check_contexts(document.get("@context"), f"{subject} /@context")
    types = check_types(document, subject, "VerifiableCredential")
    if "id" in document:
        check_url(document, "id", subject)
    issuer_id, issuer_name = _issuer(document, subject)
    valid_from = check_dated(document, "validFrom", subject)
    valid_until = check_dated(document, "validUntil", subject)
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        raise MalformedError(f"{subject} /validUntil", "is before validFrom")
    for member in ("name", "description"):
        if member in document:
            check_text(document, member, subject, translations=True)
    for member in ("credentialSchema", "evidence", "refreshService", "termsOfUse"):
        _check_typed(document, member, subject)
    status, unknown = _status(document, subject)
    subjects = _subjects(document, subject)
    achievement_name = None
    if not OPEN_BADGE_TYPES.isdisjoint(types):
        achievement_name = check_achievement_credential(document, subject)
    first_id = subjects[0].get("id")
    return Credential(
        json=document,
        id=_text_or_none(document.get("id")),
        types=types,
        issuer_id=issuer_id,
        issuer_name=issuer_name,
        subject_id=first_id if isinstance(first_id, str) else None,
        valid_from=valid_from,
        valid_until=valid_until,
        status=status,
        unknown_status_types=unknown,
        achievement_name=achievement_name,
    )


def credential_digest(document: Json) -> bytes:
    """What the log holds of a credential: SHA-256 of its RFC 8785 form, Data Integrity proofs included."""
    return digest(document)


def check_issuable(credential: Credential, subject: str = "credential") -> None:
    """What we ask of our own credentials beyond the standards.

    A random `urn:uuid:` version 4, so that a digest cannot be guessed from a credential's contents, and a
    `validFrom`. Raises MalformedError.
    """
    if credential.id is None or not _RANDOM_URN.fullmatch(credential.id):
        raise MalformedError(f"{subject} /id", "must be a random urn:uuid: of version 4, in lower case")
    if credential.valid_from is None:
        raise MalformedError(f"{subject} /validFrom", "is missing")


def _check_contexts(value: Json, where: str) -> None:
    if not isinstance(value, list) or not value:
        raise MalformedError(where, f"must be a list that starts with {CREDENTIALS_V2}")
    if len(value) > MAX_CONTEXTS:
        raise MalformedError(where, f"has {len(value)} contexts, more than {MAX_CONTEXTS}")
    if value[0] != CREDENTIALS_V2:
        raise MalformedError(f"{where}/0", f"must be {CREDENTIALS_V2}")
    for number, item in enumerate(value):
        if not isinstance(item, str | dict) or not item:
            raise MalformedError(f"{where}/{number}", f"must be a URL or an object, not {kind_of(item)}")


def _issuer(document: dict[str, Json], subject: str) -> tuple[str, str | None]:
    issuer = document.get("issuer")
    if isinstance(issuer, dict):
        where = f"{subject} /issuer"
        if "name" in issuer:
            check_text(issuer, "name", where, translations=True)
        return check_url(issuer, "id", where), _text_or_none(issuer.get("name"))
    return check_url(document, "issuer", subject), None


def _subjects(document: dict[str, Json], subject: str) -> list[dict[str, Json]]:
    where = f"{subject} /credentialSubject"
    subjects = _objects(document.get("credentialSubject"), where, MAX_SUBJECTS)
    if not subjects:
        raise MalformedError(where, "is missing")
    for pointer, item in subjects:
        if not item:
            raise MalformedError(pointer, "says nothing")
        if "id" in item:
            check_url(item, "id", pointer)
    return [item for _, item in subjects]


def _check_typed(document: dict[str, Json], member: str, subject: str) -> None:
    """One object or a list of them, each with a type, as VCDM 2.0 §4 asks of these members."""
    if member in document:
        for pointer, item in _objects(document[member], f"{subject} /{member}", MAX_SUBJECTS):
            check_types(item, pointer, None)
            if "id" in item or member == "credentialSchema":
                check_url(item, "id", pointer)


def _status(document: dict[str, Json], subject: str) -> tuple[tuple[StatusListEntry, ...], tuple[str, ...]]:
    known, unknown = [], []
    for pointer, item in _objects(
        document.get("credentialStatus"), f"{subject} /credentialStatus", MAX_STATUS_ENTRIES
    ):
        types = check_types(item, pointer, None)
        if "id" in item:
            check_url(item, "id", pointer)
        entry = parse_status_entry(item, pointer)
        if entry is None:
            unknown.append(types[0])
        else:
            check_url(item, "statusListCredential", pointer)
            known.append(entry)
    return tuple(known), tuple(unknown)


def _objects(value: Json, where: str, maximum: int) -> list[tuple[str, dict[str, Json]]]:
    """One object, or a list of objects, each with its JSON pointer; none when the member is absent."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= maximum:
        raise MalformedError(where, f"has {len(items)} items, outside 1 to {maximum}")
    found = []
    for number, item in enumerate(items):
        pointer = f"{where}/{number}" if isinstance(value, list) else where
        if not isinstance(item, dict):
            raise MalformedError(pointer, f"must be an object, not {kind_of(item)}")
        found.append((pointer, item))
    return found


def _text_or_none(value: Json) -> str | None:
    return value if isinstance(value, str) else None
