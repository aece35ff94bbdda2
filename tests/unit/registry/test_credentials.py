from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.awards import STATUS_BASE, award
from testamur.registry.canonical import canonicalize, digest
from testamur.registry.contexts import CREDENTIALS_V2, OPEN_BADGES_V3
from testamur.registry.credentials import DataModel, check_issuable, credential_digest, parse_credential
from testamur.registry.errors import MalformedError

GONE = object()
SUBJECT = ("credentialSubject",)
ACHIEVEMENT = ("credentialSubject", "achievement")


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document = deepcopy(award())
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    if value is GONE:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return document


def plain() -> dict[str, Any]:
    return {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:ada.example",
        "credentialSubject": {"id": "did:example:1", "type": "Person"},
    }


def test_an_open_badge_is_read_with_what_later_steps_need() -> None:
    credential = parse_credential(canonicalize(award()))
    assert credential.json == award()
    assert credential.is_open_badge
    assert credential.issuer_id == "did:web:ada.example"
    assert credential.issuer_name == "University of Ada"
    assert credential.subject_id == "did:example:learner"
    assert credential.achievement_name == "Data Literacy"
    assert credential.valid_from == datetime(2026, 7, 3, tzinfo=UTC)
    assert credential.valid_until is None
    assert [(entry.purpose, entry.index) for entry in credential.status] == [
        ("revocation", 7),
        ("suspension", 7),
    ]
    assert credential.unknown_status_types == ()


def test_a_credential_that_is_no_open_badge_is_a_credential_too() -> None:
    credential = parse_credential(plain())
    assert not credential.is_open_badge
    assert credential.achievement_name is None
    assert (credential.id, credential.valid_from, credential.status) == (None, None, ())


def test_a_subject_without_an_id_has_no_holder() -> None:
    assert parse_credential({**plain(), "credentialSubject": {"name": "x"}}).subject_id is None


def test_a_kind_of_status_that_is_not_known_is_kept_as_unknown() -> None:
    credential = parse_credential({**plain(), "credentialStatus": {"type": "StatusList2021Entry"}})
    assert credential.status == ()
    assert credential.unknown_status_types == ("StatusList2021Entry",)


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("@context",), GONE, "/@context"),
        (("@context",), CREDENTIALS_V2, "/@context"),
        (("@context",), ["https://www.w3.org/ns/credentials/v3"], "/@context/0"),
        (("@context",), [CREDENTIALS_V2, "context"], "/@context/1"),
        (("@context",), [CREDENTIALS_V2, OPEN_BADGES_V3, 5], "/@context/2"),
        (("@context",), [CREDENTIALS_V2] * 17, "/@context"),
        (("@context",), [CREDENTIALS_V2], "/@context"),
        (("type",), GONE, "/type"),
        (("type",), [], "/type"),
        (("type",), ["VerifiableCredential", 5], "/type"),
        (("type",), ["AchievementCredential"], "/type"),
        (("id",), GONE, "/id"),
        (("id",), None, "/id"),
        (("id",), ["urn:uuid:1"], "/id"),
        (("id",), "1234", "/id"),
        (("id",), "https://a b", "/id"),
        (("issuer",), GONE, "/issuer"),
        (("issuer",), None, "/issuer"),
        (("issuer",), 5, "/issuer"),
        (("issuer",), [], "/issuer"),
        (("issuer",), "ada.example", "/issuer"),
        (("issuer", "description"), {"@value": "x", "note": "y"}, "/issuer/description"),
        (("issuer", "name"), {"@value": "x", "@language": "not a tag"}, "/issuer/name"),
        (("issuer", "name"), {"@value": "x", "@direction": "up"}, "/issuer/name"),
        (("issuer", "name"), {"@language": "en"}, "/issuer/name"),
        (("issuer", "parentOrg"), {"type": "Profile"}, "/issuer/parentOrg/id"),
        (("issuer", "endorsement"), [{"type": "EndorsementCredential"}], "/issuer/endorsement/0/type"),
        (("issuer", "endorsementJwt"), ["a.b"], "/issuer/endorsementJwt/0"),
        (("issuer", "id"), "ada", "/issuer/id"),
        (("issuer", "type"), ["Person"], "/issuer/type"),
        (("issuer", "name"), "", "/issuer/name"),
        (("issuer", "url"), "ada.example", "/issuer/url"),
        (("issuer", "image"), "https://ada.example/logo.png", "/issuer/image"),
        (
            ("issuer", "image"),
            {"id": "https://ada.example/logo.png", "type": "Picture"},
            "/issuer/image/type",
        ),
        (("issuer", "address"), "Cork", "/issuer/address"),
        (("issuer", "address"), {"type": "Place"}, "/issuer/address/type"),
        (("validFrom",), GONE, "/validFrom"),
        (("validFrom",), "2026-07-03", "/validFrom"),
        (("validFrom",), 5, "/validFrom"),
        (("validUntil",), "2026-07-02T00:00:00Z", "/validUntil"),
        (("awardedDate",), "2026-07-03", "/awardedDate"),
        (("name",), "   ", "/name"),
        (("name",), {"@value": "x", "@type": "y"}, "/name"),
        (("name",), [], "/name"),
        (("description",), 5, "/description"),
        (("relatedResource",), ["https://ada.example/r"], "/relatedResource/0"),
        (("relatedResource",), [{"digestSRI": "sha256-" + "A" * 43 + "="}], "/relatedResource/0/id"),
        (("relatedResource",), [{"id": "https://ada.example/r"}], "/relatedResource/0"),
        (("relatedResource",), [{"id": "https://a.example", "digestSRI": "md5-x"}], "/0/digestSRI"),
        (("relatedResource",), [{"id": "https://a.example", "digestMultibase": "uAA"}], "/0/digestMultibase"),
        (("evidence",), {"type": "Evidence"}, "/evidence"),
        (("evidence",), [{"type": "Proof"}], "/evidence/0/type"),
        (("evidence",), [{"type": "Evidence", "id": "page"}], "/evidence/0/id"),
        (("credentialSchema",), {"type": "JsonSchema"}, "/credentialSchema/id"),
        (("termsOfUse",), [{"type": "A"}, {}], "/termsOfUse/1/type"),
        (("refreshService",), "https://refresh.example", "/refreshService"),
        (("credentialStatus",), None, "/credentialStatus"),
        (("credentialStatus", 0, "id"), f"{STATUS_BASE}/revocation/1", "/credentialStatus/0/id"),
        (("credentialStatus", 0, "id"), None, "/credentialStatus/0/id"),
        (("credentialStatus", 0, "statusPurpose"), GONE, "/credentialStatus/0/statusPurpose"),
        (("credentialStatus", 0, "statusListIndex"), "-1", "/credentialStatus/0/statusListIndex"),
        (("credentialStatus",), [], "/credentialStatus"),
        (("credentialStatus",), [5], "/credentialStatus/0"),
        (("credentialStatus", 0, "type"), GONE, "/credentialStatus/0/type"),
        (("credentialStatus", 1, "statusListIndex"), 7, "/credentialStatus/1/statusListIndex"),
        (("credentialStatus", 1, "statusListCredential"), "list", "/credentialStatus/1/statusListCredential"),
        (SUBJECT, GONE, "/credentialSubject"),
        (SUBJECT, None, "/credentialSubject"),
        (SUBJECT, [{"id": "did:example:1"}, {}], "/credentialSubject/1"),
        (SUBJECT, {}, "/credentialSubject"),
        (SUBJECT, [], "/credentialSubject"),
        (SUBJECT, "did:example:learner", "/credentialSubject"),
        ((*SUBJECT, "id"), "learner", "/credentialSubject/id"),
        ((*SUBJECT, "id"), GONE, "/credentialSubject"),
        ((*SUBJECT, "type"), ["Person"], "/credentialSubject/type"),
        ((*SUBJECT, "creditsEarned"), "5", "/credentialSubject/creditsEarned"),
        ((*SUBJECT, "creditsEarned"), -1, "/credentialSubject/creditsEarned"),
        ((*SUBJECT, "creditsEarned"), True, "/credentialSubject/creditsEarned"),
        ((*SUBJECT, "activityEndDate"), "summer", "/credentialSubject/activityEndDate"),
        ((*SUBJECT, "activityEndDate"), "2026-02-30", "/credentialSubject/activityEndDate"),
        ((*SUBJECT, "identifier"), [{"type": "IdentityObject"}], "/credentialSubject/identifier/0/hashed"),
        ((*SUBJECT, "source"), {"id": "did:example:x"}, "/credentialSubject/source/type"),
        (ACHIEVEMENT, GONE, "/credentialSubject/achievement"),
        (ACHIEVEMENT, "https://ada.example/a", "/credentialSubject/achievement"),
        ((*ACHIEVEMENT, "id"), GONE, "/credentialSubject/achievement/id"),
        ((*ACHIEVEMENT, "type"), "Course", "/credentialSubject/achievement/type"),
        ((*ACHIEVEMENT, "achievementType"), "Thing", "/credentialSubject/achievement/achievementType"),
        ((*ACHIEVEMENT, "alignment", 0, "targetType"), "EQF", "/alignment/0/targetType"),
        ((*SUBJECT, "result", 0, "status"), "Done", "/credentialSubject/result/0/status"),
        ((*ACHIEVEMENT, "name"), GONE, "/credentialSubject/achievement/name"),
        ((*ACHIEVEMENT, "name"), " ", "/credentialSubject/achievement/name"),
        ((*ACHIEVEMENT, "description"), GONE, "/credentialSubject/achievement/description"),
        ((*ACHIEVEMENT, "criteria"), GONE, "/credentialSubject/achievement/criteria"),
        ((*ACHIEVEMENT, "criteria"), {}, "/credentialSubject/achievement/criteria"),
        ((*ACHIEVEMENT, "criteria"), {"id": "page"}, "/credentialSubject/achievement/criteria/id"),
        ((*ACHIEVEMENT, "creditsAvailable"), "5", "/credentialSubject/achievement/creditsAvailable"),
        ((*ACHIEVEMENT, "creator"), {"type": "Profile"}, "/credentialSubject/achievement/creator/id"),
        ((*ACHIEVEMENT, "alignment"), [{"type": "Alignment"}], "/alignment/0/targetName"),
        ((*ACHIEVEMENT, "alignment"), {"type": "Alignment"}, "/achievement/alignment"),
        ((*ACHIEVEMENT, "alignment", 0, "targetUrl"), "eqf/6", "/alignment/0/targetUrl"),
        ((*ACHIEVEMENT, "related"), [{"type": "Related"}], "/achievement/related/0/id"),
        ((*ACHIEVEMENT, "resultDescription", 0, "resultType"), GONE, "/resultDescription/0/resultType"),
        (
            (*SUBJECT, "result", 0, "resultDescription"),
            "https://other.example",
            "/result/0/resultDescription",
        ),
        ((*SUBJECT, "result", 0, "value"), 5, "/credentialSubject/result/0/value"),
    ],
)
def test_every_refusal_names_the_member(path: tuple[str | int, ...], value: Any, pointer: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_credential(changed(path, value))
    assert caught.value.subject.startswith("credential")
    assert caught.value.subject.endswith(pointer)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("type",), ["VerifiableCredential", "OpenBadgeCredential"]),
        (("@context",), [*award()["@context"], {"extra": "https://ada.example/vocab#extra"}]),
        (("issuer",), "did:web:ada.example"),
        (("validFrom",), "2026-07-03T00:00:00.123Z"),
        (("validFrom",), "2026-07-03T02:00:00+02:00"),
        (("validFrom",), "9999-01-01T00:00:00Z"),
        (("description",), {"@value": "x", "@language": "ar", "@direction": "rtl"}),
        (("relatedResource",), {"id": "https://a.example", "digestSRI": "sha256-" + "A" * 43 + "="}),
        (("relatedResource",), [{"id": "https://a.example", "digestMultibase": "u" + "A" * 43}]),
        ((*ACHIEVEMENT, "achievementType"), "ext:Fellowship"),
        (("name",), {"@value": "Datenkompetenz", "@language": "de"}),
        (("name",), [{"@value": "a", "@language": "de"}, {"@value": "b", "@language": "en"}]),
        (("validUntil",), "2026-07-03T00:00:00Z"),
        (("issuer", "image"), {"id": "https://ada.example/logo.png", "type": "Image"}),
        (("evidence",), [{"type": ["Evidence"], "narrative": "x"}]),
        (("credentialStatus",), {"type": "1EdTechRevocationList", "id": "https://ada.example/r"}),
        ((*SUBJECT, "creditsEarned"), 2.5),
        ((*SUBJECT, "activityEndDate"), "2026-07-01"),
        ((*SUBJECT, "activityEndDate"), "2026-07-01T00:00:00Z"),
        ((*ACHIEVEMENT, "criteria"), {"id": "https://ada.example/criteria"}),
        ((*ACHIEVEMENT, "unheardOf"), {"anything": 1}),
    ],
)
def test_what_the_standards_allow_is_accepted(path: tuple[str | int, ...], value: Any) -> None:
    parse_credential(changed(path, value))


def test_a_learner_may_be_named_by_a_hashed_identity_alone() -> None:
    document = changed((*SUBJECT, "id"), GONE)
    identity = {
        "type": ["IdentityObject"],
        "hashed": True,
        "identityHash": "sha256$" + "ab" * 32,
        "identityType": "emailAddress",
        "salt": "x",
    }
    document["credentialSubject"]["identifier"] = [identity]
    assert parse_credential(document).subject_id is None
    for broken in ({"identityHash": "learner@ada.example"}, {"salt": 5}, {"identityType": ""}):
        document["credentialSubject"]["identifier"] = [{**identity, **broken}]
        with pytest.raises(MalformedError, match=f"identifier/0/{next(iter(broken))}"):
            parse_credential(document)


def test_bytes_that_are_no_strict_json_are_malformed() -> None:
    with pytest.raises(MalformedError, match="two members"):
        parse_credential(b'{"id": "urn:a", "id": "urn:b"}')
    with pytest.raises(MalformedError, match="must be an object"):
        parse_credential(b"[]")


def test_the_digest_covers_the_proofs() -> None:
    document = {**award(), "proof": {"type": "DataIntegrityProof"}}
    assert credential_digest(document) == digest(document)
    assert credential_digest(document) != credential_digest(award())


@pytest.mark.parametrize(
    ("identifier", "fine"),
    [
        ("urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33", True),
        ("urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", False),  # version 1: a time and a machine
        ("urn:uuid:58172AAC-D8BA-41ED-83DD-0B3AEF56CC33", False),
        ("urn:uuid:58172aac-d8ba-41ed-c3dd-0b3aef56cc33", False),
        ("https://ada.example/credentials/1", False),
    ],
)
def test_only_a_random_identifier_is_issued(identifier: str, fine: bool) -> None:
    credential = parse_credential(changed(("id",), identifier))
    if fine:
        check_issuable(credential)
    else:
        with pytest.raises(MalformedError, match="credential /id"):
            check_issuable(credential)


def test_what_we_issue_says_from_when_it_is_valid() -> None:
    document = {**plain(), "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33"}
    with pytest.raises(MalformedError, match="/validFrom"):
        check_issuable(parse_credential(document))


def version_1_1() -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:ada.example",
        "issuanceDate": "2026-07-03T00:00:00Z",
        "expirationDate": "2027-07-03T00:00:00Z",
        "credentialSubject": {"id": "did:example:1"},
    }


def test_version_1_1_has_other_names_for_its_dates() -> None:
    credential = parse_credential(version_1_1())
    assert credential.data_model is DataModel.V1_1
    assert credential.valid_from == datetime(2026, 7, 3, tzinfo=UTC)
    assert credential.valid_until == datetime(2027, 7, 3, tzinfo=UTC)
    assert parse_credential(plain()).data_model is DataModel.V2_0


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("issuanceDate", None, "/issuanceDate"),
        ("issuanceDate", "2026-07-03", "/issuanceDate"),
        ("expirationDate", "2026-07-02T00:00:00Z", "/expirationDate"),
        ("issuer", {"name": "Ada"}, "/issuer/id"),
        ("credentialSubject", [], "/credentialSubject"),
        ("evidence", {"id": "https://ada.example/e"}, "/evidence/type"),
    ],
)
def test_what_version_1_1_demands_is_named_as_well(member: str, value: Any, pointer: str) -> None:
    document = {**version_1_1(), member: value}
    if value is None:
        del document[member]
    with pytest.raises(MalformedError) as caught:
        parse_credential(document)
    assert caught.value.subject == f"credential {pointer}"


def test_a_version_1_1_credential_needs_an_issuance_date_where_a_2_0_credential_needs_none() -> None:
    assert parse_credential(plain()).valid_from is None


def test_breaches_of_a_profile_are_kept_when_reading_what_others_wrote() -> None:
    document = changed((*SUBJECT, "id"), GONE)
    with pytest.raises(MalformedError, match="nobody's"):
        parse_credential(document)
    (problem,) = parse_credential(document, strict=False).profile_problems
    assert problem.startswith("credential /credentialSubject:")
    assert parse_credential(award(), strict=False).profile_problems == ()


def test_breaches_of_the_data_model_are_refused_whoever_wrote_it() -> None:
    with pytest.raises(MalformedError, match="/issuer"):
        parse_credential(changed(("issuer",), 5), strict=False)


def test_a_status_index_that_is_a_number_is_read_and_never_issued() -> None:
    document = changed(("credentialStatus", 0, "statusListIndex"), 7)
    assert parse_credential(document, strict=False).status[0].index == 7
    with pytest.raises(MalformedError, match="statusListIndex"):
        parse_credential(document)


def endorsement() -> dict[str, Any]:
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3],
        "id": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc34",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": {"id": "did:web:quality.example", "type": ["Profile"], "name": "Quality Body"},
        "validFrom": "2026-07-03T00:00:00Z",
        "credentialSubject": {
            "id": "did:web:ada.example",
            "type": ["EndorsementSubject"],
            "endorsementComment": "Reviewed in 2026.",
        },
    }


def test_an_endorsement_is_a_credential_about_somebody() -> None:
    assert parse_credential(endorsement()).profile == "Open Badges 3.0"
    document = changed(("issuer", "endorsement"), [endorsement()])
    assert parse_credential(document).achievement_name == "Data Literacy"


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("id",), GONE, "/id"),
        (("validFrom",), GONE, "/validFrom"),
        (("credentialSubject", "id"), GONE, "/credentialSubject/id"),
        (("credentialSubject", "type"), "Person", "/credentialSubject/type"),
        (("credentialSubject", "endorsementComment"), 5, "/credentialSubject/endorsementComment"),
        (("credentialSubject",), [{"id": "did:example:1"}], "/credentialSubject"),
    ],
)
def test_an_endorsement_of_the_wrong_shape_is_refused_also_inside_a_profile(
    path: tuple[str, ...], value: Any, pointer: str
) -> None:
    broken: Any = endorsement()
    target = broken
    for step in path[:-1]:
        target = target[step]
    if value is GONE:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    with pytest.raises(MalformedError) as caught:
        parse_credential(broken)
    assert caught.value.subject == f"credential {pointer}"
    with pytest.raises(MalformedError) as caught:
        parse_credential(changed(("issuer", "endorsement"), [broken]))
    assert caught.value.subject == f"credential /issuer/endorsement/0{pointer}"
