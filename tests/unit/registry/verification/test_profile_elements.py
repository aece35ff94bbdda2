"""Step 2 and the elements of a European micro-credential: warnings, unless the policy is strict."""

from dataclasses import replace

import pytest

from fakes.awards import award
from fakes.whole_registry import World, judge
from testamur.registry.verification import DEFAULT_POLICY, Outcome, Step

STRICT = replace(DEFAULT_POLICY, strict_profile=True)


def with_achievement(**members):
    document = award()
    document["credentialSubject"]["achievement"] |= {
        "alignment": [
            {"type": ["Alignment"], "targetName": "x", "targetUrl": "https://ada.example/outcomes/1"}
        ],
        "assessmentType": ["portfolio"],
        "participationForm": "online",
        "qualityAssurance": [{"type": ["QualityAssurance"], "kind": "self"}],
        **members,
    }
    return World(award=document).dossier()


def test_a_micro_credential_with_its_mandatory_elements_has_no_warning():
    dossier = with_achievement()
    assert judge(dossier).check(Step.PROFILE).warnings == ()
    assert judge(dossier, policy=STRICT).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"notionalWorkload": "P125M"}, "element 7 (notional workload) is doubtful"),
        ({"participationForm": []}, "element 10 (form of participation) is missing"),
    ],
)
def test_what_is_wrong_is_a_warning_or_strictly_a_failure(members, said):
    dossier = with_achievement(**members)
    verdict = judge(dossier)
    assert verdict.outcome is Outcome.VALID
    (warning,) = verdict.check(Step.PROFILE).warnings
    assert said in warning
    strict = judge(dossier, policy=STRICT)
    assert strict.outcome is Outcome.INVALID
    check = strict.check(Step.PROFILE)
    assert (check.reason, check.parameters["first"]) == ("profile-incomplete", warning)


def test_a_badge_that_claims_to_be_no_micro_credential_is_asked_for_nothing():
    dossier = with_achievement(type=["Achievement"], participationForm="online")
    for member in (
        "notionalWorkload",
        "creditSystem",
        "assessmentType",
        "participationForm",
        "qualityAssurance",
    ):
        del dossier["credential"]["credentialSubject"]["achievement"][member]
    document = dossier["credential"]
    del document["proof"]
    verdict = judge(World(award=document).dossier(), policy=STRICT)
    assert verdict.check(Step.PROFILE).warnings == ()
