"""The shape of an Open Badges 3.0 AchievementCredential.

https://www.imsglobal.org/spec/ob/v3p0/#achievementcredential and the sections it names. What is checked here
is what that specification requires; what it merely allows is left alone.
"""

import re

from testamur.registry.canonical import Json
from testamur.registry.errors import MalformedError
from testamur.registry.members import (
    check_dated,
    check_day,
    check_number,
    check_text,
    check_types,
    check_url,
    object_member,
    objects,
    pointer,
)
from testamur.registry.shapes import kind_of

MAX_IMAGE_CHARACTERS = 1 << 20
"""Images may be data URLs, up to the size of a whole document."""

_CONTEXT = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json")
_IDENTITY_HASH = re.compile(r"md5\$[0-9a-fA-F]{32}|sha256\$[0-9a-fA-F]{64}")


def check_achievement_credential(document: dict[str, Json], subject: str) -> str:
    """The achievement's name, when `document` has the shape of an AchievementCredential.

    That it is a Verifiable Credential is known already. Raises MalformedError.
    """
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not any(
        isinstance(item, str) and _CONTEXT.fullmatch(item) for item in contexts
    ):
        raise MalformedError(f"{subject} /@context", "must contain an Open Badges 3.0 context")
    check_url(document, "id", subject)
    if "validFrom" not in document:
        raise MalformedError(f"{subject} /validFrom", "is missing")
    check_dated(document, "awardedDate", subject)
    _check_image(document, subject)
    for place, item in objects(document, "evidence", subject, "Evidence"):
        _check_optional_url(item, "id", place)
    _check_profile(object_member(document, "issuer", subject), f"{subject} /issuer")
    learner = object_member(document, "credentialSubject", subject)
    return _check_subject(learner, f"{subject} /credentialSubject")


def _check_subject(learner: dict[str, Json], where: str) -> str:
    check_types(learner, where, "AchievementSubject")
    identifiers = objects(learner, "identifier", where, "IdentityObject")
    if "id" not in learner and not identifiers:
        raise MalformedError(where, "must have an id or an identifier, or it is nobody's")
    for place, item in identifiers:
        _check_identity(item, place)
    for member in ("activityStartDate", "activityEndDate"):
        check_day(learner, member, where)
    check_number(learner, "creditsEarned", where)
    if "source" in learner:
        _check_profile(object_member(learner, "source", where), pointer(where, "source"))
    achievement = object_member(learner, "achievement", where)
    place = pointer(where, "achievement")
    descriptions = _check_achievement(achievement, place)
    for result_place, result in objects(learner, "result", where, "Result"):
        _check_result(result, result_place, descriptions)
    name = achievement["name"]
    return name if isinstance(name, str) else ""


def _check_achievement(achievement: dict[str, Json], where: str) -> frozenset[str]:
    """The ids of the achievement's result descriptions."""
    check_types(achievement, where, "Achievement")
    check_url(achievement, "id", where)
    check_text(achievement, "name", where)
    check_text(achievement, "description", where)
    criteria = object_member(achievement, "criteria", where)
    if "id" not in criteria and "narrative" not in criteria:
        raise MalformedError(pointer(where, "criteria"), "must have an id or a narrative")
    _check_optional_url(criteria, "id", pointer(where, "criteria"))
    check_number(achievement, "creditsAvailable", where)
    _check_image(achievement, where)
    if "creator" in achievement:
        _check_profile(object_member(achievement, "creator", where), pointer(where, "creator"))
    for place, item in objects(achievement, "alignment", where, "Alignment"):
        check_text(item, "targetName", place)
        check_url(item, "targetUrl", place)
    for place, item in objects(achievement, "related", where, "Related"):
        check_url(item, "id", place)
    described = set()
    for place, item in objects(achievement, "resultDescription", where, "ResultDescription"):
        described.add(check_url(item, "id", place))
        check_text(item, "name", place)
        check_text(item, "resultType", place)
    return frozenset(described)


def _check_result(result: dict[str, Json], where: str, descriptions: frozenset[str]) -> None:
    """A result that names a description must name one of its achievement, or a grade has no meaning."""
    if "resultDescription" in result and check_url(result, "resultDescription", where) not in descriptions:
        reason = "names no resultDescription of the achievement"
        raise MalformedError(pointer(where, "resultDescription"), reason)
    if "value" in result:
        check_text(result, "value", where)


def _check_identity(identity: dict[str, Json], where: str) -> None:
    """https://www.imsglobal.org/spec/ob/v3p0/#identityobject."""
    hashed = identity.get("hashed")
    if not isinstance(hashed, bool):
        raise MalformedError(pointer(where, "hashed"), f"must be true or false, not {kind_of(hashed)}")
    check_text(identity, "identityType", where)
    check_text(identity, "identityHash", where)
    value = identity["identityHash"]
    if hashed and not (isinstance(value, str) and _IDENTITY_HASH.fullmatch(value)):
        raise MalformedError(
            pointer(where, "identityHash"), "must be sha256$ or md5$ and the hash in hexadecimal"
        )
    if "salt" in identity:
        check_text(identity, "salt", where)


def _check_profile(profile: dict[str, Json], where: str) -> None:
    check_types(profile, where, "Profile")
    check_url(profile, "id", where)
    if "name" in profile:
        check_text(profile, "name", where, translations=True)
    _check_optional_url(profile, "url", where)
    _check_image(profile, where)
    if "address" in profile:
        address = object_member(profile, "address", where)
        check_types(address, pointer(where, "address"), "Address")


def _check_image(value: dict[str, Json], where: str) -> None:
    image = value.get("image")
    if isinstance(image, dict):
        check_types(image, pointer(where, "image"), "Image")
        check_url(image, "id", pointer(where, "image"), maximum=MAX_IMAGE_CHARACTERS)
    elif "image" in value:
        raise MalformedError(pointer(where, "image"), f"must be an object, not {kind_of(image)}")


def _check_optional_url(value: dict[str, Json], member: str, where: str) -> None:
    if member in value:
        check_url(value, member, where)
