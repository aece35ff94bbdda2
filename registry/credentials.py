"""Credentials as values: W3C Verifiable Credentials 2.0 and 1.1, and the profiles of 1EdTech that they claim.

https://www.w3.org/TR/vc-data-model-2.0/, https://www.w3.org/TR/vc-data-model-1.1/,
https://www.imsglobal.org/spec/ob/v3p0/ and https://www.imsglobal.org/spec/clr/v2p0/. Shape only: nothing here
looks at proofs, logs or clocks. Every refusal names the member by its JSON pointer.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from testamur.registry.achievements import check_achievement_credential
from testamur.registry.canonical import Json, digest, parse_json
from testamur.registry.contexts import CREDENTIALS_V2
from testamur.registry.data_model import (
    check_contexts,
    check_named,
    check_typed_members,
    issuer_of,
    objects_of,
    subjects_of,
)
from testamur.registry.errors import MalformedError
from testamur.registry.joint_awards import JointAward, parse_joint_award
from testamur.registry.learner_records import check_clr_credential
from testamur.registry.members import check_dated, check_types, check_url
from testamur.registry.profiles import check_endorsement_credential
from testamur.registry.related_resources import check_related_resources
from testamur.registry.shapes import kind_of
from testamur.registry.status_lists import MAX_STATUS_ENTRIES, StatusListEntry, parse_status_entry

OPEN_BADGE_TYPES = frozenset({"AchievementCredential", "OpenBadgeCredential"})
"""Either name makes a credential an Open Badge: https://www.imsglobal.org/spec/ob/v3p0/#achievementcredential."""

ENDORSEMENT_TYPE = "EndorsementCredential"
CLR_TYPE = "ClrCredential"

_RANDOM_URN = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class DataModel(StrEnum):
    """The version of the W3C data model, as the first context says it."""

    V1_1 = "1.1"
    V2_0 = "2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A well-formed credential. `json` is the whole document, proofs included; it must not be changed.

    In version 1.1 `valid_from` is its issuanceDate and `valid_until` its expirationDate.
    """

    json: dict[str, Json]
    data_model: DataModel
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
    joint_award: JointAward | None
    """None when one institution awards it alone."""
    profile_problems: tuple[str, ...]
    """What breaks the rules of a profile that it claims; always empty after a strict reading."""

    @property
    def is_open_badge(self) -> bool:
        """Whether the credential claims to be an Open Badge, and therefore has the shape of one."""
        return not OPEN_BADGE_TYPES.isdisjoint(self.types)

    @property
    def profile(self) -> str:
        """The most specific set of rules that it claims to keep, for people."""
        if CLR_TYPE in self.types:
            return "Comprehensive Learner Record 2.0"
        if self.is_open_badge or ENDORSEMENT_TYPE in self.types:
            return "Open Badges 3.0"
        return f"Verifiable Credentials {self.data_model}"


def parse_credential(data: bytes | Json, subject: str = "credential", *, strict: bool = True) -> Credential:
    """The credential in `data` (bytes, or JSON from `parse_json`) as a value.

    `strict` is for what we issue: the profiles that the types claim are kept as well. Without it their
    breaches are kept in `profile_problems`, and a status index may be a number, as others have written it.
    Raises MalformedError; its subject is `subject` and the JSON pointer of what is wrong.
    """
    document = parse_json(data, subject=subject) if isinstance(data, bytes) else data
    if not isinstance(document, dict):
        raise MalformedError(subject, f"must be an object, not {kind_of(document)}")
    first = check_contexts(document.get("@context"), f"{subject} /@context")
    model = DataModel.V2_0 if first == CREDENTIALS_V2 else DataModel.V1_1
    types = check_types(document, subject, "VerifiableCredential")
    if "id" in document:
        check_url(document, "id", subject)
    issuer_id, issuer_name = issuer_of(document, subject)
    valid_from, valid_until = _period(document, subject, model)
    if model is DataModel.V2_0:
        check_named(document, subject)
    check_typed_members(document, subject)
    check_related_resources(document, subject)
    status, unknown = _status(document, subject, strict)
    subjects = subjects_of(document, subject)
    joint_award = parse_joint_award(document, issuer_id, subject)
    achievement_name, problems = _profiles(document, types, subject, strict)
    first_id = subjects[0].get("id")
    return Credential(
        json=document,
        data_model=model,
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
        joint_award=joint_award,
        profile_problems=problems,
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


def _period(
    document: dict[str, Json], subject: str, model: DataModel
) -> tuple[datetime | None, datetime | None]:
    """From when and until when it is valid; the two versions of the data model name that differently.

    The names of the other version count as well, and the narrower period holds. An RDF signature does not
    keep the base context: whoever exchanges it would otherwise take a credential's dates away.
    """
    start, end = "validFrom", "validUntil"
    older_start, older_end = "issuanceDate", "expirationDate"
    if model is DataModel.V1_1:
        start, end, older_start, older_end = older_start, older_end, start, end
        if start not in document:
            raise MalformedError(f"{subject} /{start}", "is missing")
    starts = [check_dated(document, name, subject) for name in (start, older_start)]
    ends = [check_dated(document, name, subject) for name in (end, older_end)]
    valid_from = max((moment for moment in starts if moment is not None), default=None)
    valid_until = min((moment for moment in ends if moment is not None), default=None)
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        raise MalformedError(f"{subject} /{end}", f"is before {start}")
    return valid_from, valid_until


def _profiles(
    document: dict[str, Json], types: tuple[str, ...], subject: str, strict: bool
) -> tuple[str | None, tuple[str, ...]]:
    """(name of the achievement, breaches of the profiles that the types claim)."""
    name, problems = None, []
    try:
        if not OPEN_BADGE_TYPES.isdisjoint(types):
            name = check_achievement_credential(document, subject)
        if ENDORSEMENT_TYPE in types:
            check_endorsement_credential(document, subject)
        if CLR_TYPE in types:
            check_clr_credential(document, subject)
    except MalformedError as error:
        if strict:
            raise
        problems.append(str(error))
    return name, tuple(problems)


def _status(
    document: dict[str, Json], subject: str, strict: bool
) -> tuple[tuple[StatusListEntry, ...], tuple[str, ...]]:
    known, unknown = [], []
    for pointer, item in objects_of(document, "credentialStatus", subject, MAX_STATUS_ENTRIES):
        types = check_types(item, pointer, None)
        if "id" in item:
            check_url(item, "id", pointer)
        entry = parse_status_entry(item if strict else with_text_index(item), pointer)
        if entry is None:
            unknown.append(types[0])
            continue
        check_url(item, "statusListCredential", pointer)
        if item.get("id") == entry.list_id:
            raise MalformedError(f"{pointer}/id", "is the id of the list; an entry has one of its own")
        known.append(entry)
    return tuple(known), tuple(unknown)


def with_text_index(entry: dict[str, Json]) -> dict[str, Json]:
    """A status entry of others, whose index is sometimes a number; ours are strings, as they must be."""
    index = entry.get("statusListIndex")
    if isinstance(index, int) and not isinstance(index, bool):
        return {**entry, "statusListIndex": str(index)}
    return entry


def _text_or_none(value: Json) -> str | None:
    return value if isinstance(value, str) else None
