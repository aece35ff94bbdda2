from typing import Any

import pytest

from fakes.awards import award
from testamur.registry.credentials import parse_credential
from testamur.registry.descriptions import MAX_SHOWN_CHARACTERS, describe


def described(document: dict[str, Any]) -> Any:
    return describe(parse_credential(document))


def test_an_award_is_described_as_on_a_certificate() -> None:
    assert described(award()).lines() == [
        ("Title", "Data Literacy"),
        ("Learner", "did:example:learner"),
        ("Issuer", "University of Ada"),
        ("Awarded", "2026-07-03T00:00:00Z"),
        ("Credits", "5 ECTS"),
        ("Workload", "PT125H"),
        ("Level", "EQF level 6"),
        ("Grade", "B (Final grade)"),
    ]


def test_a_name_is_shown_before_an_identifier() -> None:
    document = award()
    document["credentialSubject"]["identifier"] = [
        {
            "type": ["IdentityObject"],
            "hashed": False,
            "identityType": "emailAddress",
            "identityHash": "a@b.example",
        },
        {"type": ["IdentityObject"], "hashed": False, "identityType": "name", "identityHash": "Aoife Byrne"},
    ]
    assert described(document).learner == "Aoife Byrne"


def test_a_hashed_identity_is_not_shown_as_a_name() -> None:
    document = award()
    del document["credentialSubject"]["id"]
    document["credentialSubject"]["identifier"] = [
        {
            "type": "IdentityObject",
            "hashed": True,
            "identityType": "name",
            "identityHash": "sha256$" + "ab" * 32,
        }
    ]
    assert described(document).learner is None


def test_a_credential_that_is_no_award_still_has_an_issuer_and_times() -> None:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "name": {"@value": "Membership", "@language": "en"},
        "issuer": "did:web:club.example",
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00Z",
        "credentialSubject": [{"id": "did:example:1"}],
    }
    assert described(document).lines() == [
        ("Title", "Membership"),
        ("Learner", "did:example:1"),
        ("Issuer", "did:web:club.example"),
        ("Awarded", "2026-01-01T00:00:00Z"),
        ("Valid until", "2027-01-01T00:00:00Z"),
    ]


def test_fractions_of_credits_are_kept_and_whole_ones_have_no_point() -> None:
    document = award()
    document["credentialSubject"]["creditsEarned"] = 2.5
    assert described(document).credits == "2.5 ECTS"
    document["credentialSubject"]["creditsEarned"] = 3.0
    assert described(document).credits == "3 ECTS"


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "line\nbreak", "right\u202eleft"])
def test_control_characters_never_reach_a_terminal(hostile: str) -> None:
    document = award()
    document["credentialSubject"]["achievement"]["name"] = hostile
    assert described(document).title.isprintable()


def test_a_text_is_not_shown_as_a_name() -> None:
    document = award()
    document["credentialSubject"]["achievement"]["name"] = "x" * 1000
    assert len(described(document).title) == MAX_SHOWN_CHARACTERS
