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
    enumerated,
    object_member,
    objects,
    pointer,
)
from testamur.registry.profiles import (
    check_endorsements,
    check_identities,
    check_image,
    check_issuer,
    check_optional_url,
    check_profile,
)

ACHIEVEMENT_TYPES = frozenset(
    [
        "Achievement",
        "ApprenticeshipCertificate",
        "Assessment",
        "Assignment",
        "AssociateDegree",
        "Award",
        "Badge",
        "BachelorDegree",
        "Certificate",
        "CertificateOfCompletion",
        "Certification",
        "CommunityService",
        "Competency",
        "Course",
        "CoCurricular",
        "Degree",
        "Diploma",
        "DoctoralDegree",
        "Fieldwork",
        "GeneralEducationDevelopment",
        "JourneymanCertificate",
        "LearningProgram",
        "License",
        "Membership",
        "ProfessionalDoctorate",
        "QualityAssuranceCredential",
        "MasterCertificate",
        "MasterDegree",
        "MicroCredential",
        "ResearchDoctorate",
        "SecondarySchoolDiploma",
    ]
)
"""https://www.imsglobal.org/spec/ob/v3p0/#achievementtype-enumeration; others start with `ext:`."""

ALIGNMENT_TARGETS = frozenset(
    [
        "ceasn:Competency",
        "ceterms:Credential",
        "CFItem",
        "CFRubric",
        "CFRubricCriterion",
        "CFRubricCriterionLevel",
        "CTDL",
    ]
)
"""https://www.imsglobal.org/spec/ob/v3p0/#alignmenttargettype-enumeration; others start with `ext:`."""

RESULT_TYPES = frozenset(
    [
        "GradePointAverage",
        "LetterGrade",
        "Percent",
        "PerformanceLevel",
        "PredictedScore",
        "RawScore",
        "Result",
        "RubricCriterion",
        "RubricCriterionLevel",
        "RubricScore",
        "ScaledScore",
        "Status",
    ]
)
"""https://www.imsglobal.org/spec/ob/v3p0/#resulttype-enumeration; others start with `ext:`."""

RESULT_STATUSES = frozenset(
    ["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"]
)
"""https://www.imsglobal.org/spec/ob/v3p0/#resultstatustype-enumeration."""

_CONTEXT = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json")


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
    if "validFrom" not in document and "issuanceDate" not in document:
        raise MalformedError(f"{subject} /validFrom", "is missing")
    check_dated(document, "awardedDate", subject)
    check_image(document, subject)
    check_endorsements(document, subject)
    for place, item in objects(document, "evidence", subject, "Evidence"):
        check_optional_url(item, "id", place)
    check_issuer(document, subject)
    learner = object_member(document, "credentialSubject", subject)
    return _check_subject(learner, f"{subject} /credentialSubject")


def _check_subject(learner: dict[str, Json], where: str) -> str:
    check_types(learner, where, "AchievementSubject")
    check_identities(learner, where)
    for member in ("activityStartDate", "activityEndDate"):
        check_day(learner, member, where)
    check_number(learner, "creditsEarned", where)
    check_image(learner, where)
    if "source" in learner:
        check_profile(object_member(learner, "source", where), pointer(where, "source"))
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
    if "achievementType" in achievement:
        enumerated(achievement, "achievementType", where, ACHIEVEMENT_TYPES, extensible=True)
    criteria = object_member(achievement, "criteria", where)
    if "id" not in criteria and "narrative" not in criteria:
        raise MalformedError(pointer(where, "criteria"), "must have an id or a narrative")
    check_optional_url(criteria, "id", pointer(where, "criteria"))
    check_number(achievement, "creditsAvailable", where)
    check_image(achievement, where)
    check_endorsements(achievement, where)
    if "creator" in achievement:
        check_profile(object_member(achievement, "creator", where), pointer(where, "creator"))
    for place, item in objects(achievement, "alignment", where, "Alignment"):
        check_text(item, "targetName", place)
        check_url(item, "targetUrl", place)
        if "targetType" in item:
            enumerated(item, "targetType", place, ALIGNMENT_TARGETS, extensible=True)
    for place, item in objects(achievement, "related", where, "Related"):
        check_url(item, "id", place)
    described = set()
    for place, item in objects(achievement, "resultDescription", where, "ResultDescription"):
        described.add(check_url(item, "id", place))
        check_text(item, "name", place)
        enumerated(item, "resultType", place, RESULT_TYPES, extensible=True)
    return frozenset(described)


def _check_result(result: dict[str, Json], where: str, descriptions: frozenset[str]) -> None:
    """A result that names a description must name one of its achievement, or a grade has no meaning."""
    if "resultDescription" in result and check_url(result, "resultDescription", where) not in descriptions:
        reason = "names no resultDescription of the achievement"
        raise MalformedError(pointer(where, "resultDescription"), reason)
    if "value" in result:
        check_text(result, "value", where)
    if "status" in result:
        enumerated(result, "status", where, RESULT_STATUSES)
