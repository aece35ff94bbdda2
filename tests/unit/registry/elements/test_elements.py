"""The sixteen elements in whole credentials, of both data models."""

from copy import deepcopy

import pytest

from fakes.awards import award
from fakes.european_learning_model import commission_sample, digital_credential
from testamur.registry.elements import Need, State, check_elements, claims_elements, require_elements
from testamur.registry.elements.checks import CHECKS
from testamur.registry.elements.mapping import mappings
from testamur.registry.elements.rules import RULES
from testamur.registry.errors import MalformedError

ACHIEVEMENT = "/credentialSubject/achievement"
CLAIM = "/credentialSubject/hasClaim/0"


def whole_badge():
    """An Open Badge with all sixteen elements."""
    document = award()
    document["credentialSubject"]["achievement"] |= {
        "creditsAvailable": 5,
        "cycle": "first",
        "assessmentType": ["portfolio"],
        "participationForm": "online",
        "qualityAssurance": [{"type": ["QualityAssurance"], "kind": "self"}],
        "entryRequirements": "None.",
        "supervision": "online",
        "identityVerification": "photo-id",
        "stackability": {"type": ["Stackability"], "kind": "stand-alone"},
        "furtherInformation": ["https://ada.example/dl"],
    }
    document["credentialSubject"]["achievement"]["alignment"].append(
        {"type": ["Alignment"], "targetName": "Judge figures", "targetUrl": "https://ada.example/outcomes/1"}
    )
    document["credentialSubject"]["achievement"]["resultDescription"][0]["allowedValue"] = ["A", "B"]
    return document


def put(document, pointer, value):
    *above, last = [int(step) if step.isdecimal() else step for step in pointer.split("/")[1:]]
    place = document
    for step in above:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def finding(document, number):
    return check_elements(document).findings[number - 1]


@pytest.mark.parametrize("document", [whole_badge(), digital_credential()], ids=["Open Badges", "ELM"])
def test_a_whole_micro_credential_has_all_sixteen(document):
    report = check_elements(document)
    assert [item.number for item in report.findings] == list(range(1, 17))
    assert [(item.number, item.problems) for item in report.findings if item.state is not State.FOUND] == []
    assert claims_elements(document)
    require_elements(document)


def test_both_mistakes_of_the_commissions_sample_are_caught():
    report = check_elements(commission_sample())
    workload, quality = report.findings[6], report.findings[10]
    assert workload.state is State.DOUBTFUL
    assert workload.problems[0].at == f"{CLAIM}/specifiedBy/0/volumeOfLearning"
    assert "60 months" in workload.problems[0].text
    assert quality.state is State.MISSING
    assert quality in report.lacking
    assert {item.number for item in report.failing} == {7, 11}
    with pytest.raises(MalformedError, match=r"element 7 .*60 months.*element 11 .*accreditingAgent"):
        require_elements(commission_sample())


MISSING = [
    (2, f"{ACHIEVEMENT}/name"),
    (9, f"{ACHIEVEMENT}/assessmentType"),
    (10, f"{ACHIEVEMENT}/participationForm"),
    (11, f"{ACHIEVEMENT}/qualityAssurance"),
    (3, "/issuer/address"),
]


@pytest.mark.parametrize(("number", "pointer"), MISSING)
def test_a_missing_element_says_where_it_was_looked_for_and_how_to_fill_it(number, pointer):
    found = finding(put(whole_badge(), pointer, None), number)
    assert (found.state, found.fails, found.found_at) == (State.MISSING, True, ())
    assert any(path.startswith(pointer) for path in found.looked_at)
    assert "/" in found.fill
    assert "is missing" in found.sentence()


DOUBTFUL = [
    (2, f"{ACHIEVEMENT}/name", 5, "has no text"),
    (3, "/issuer/address/addressCountryCode", "UK", "ISO 3166-1"),
    (3, "/issuer/address", {"addressRegion": "Munster"}, "without its country"),
    (4, "/issuer", "did:web:ada.example", "without a name"),
    (5, "/awardedDate", "3 July 2026", "no time"),
    (5, "/validUntil", "2026-07-01T00:00:00Z", "after /validUntil"),
    (6, f"{ACHIEVEMENT}/alignment/1", None, "no learning outcome has a URI"),
    (6, f"{ACHIEVEMENT}/alignment/1/targetUrl", "outcome 1", "no absolute URI"),
    (7, f"{ACHIEVEMENT}/notionalWorkload", "P125M", "months"),
    (7, f"{ACHIEVEMENT}/notionalWorkload", "PT60H", "125 to 150 would be plausible"),
    (7, f"{ACHIEVEMENT}/notionalWorkload", "PT160H", "125 to 150 would be plausible"),
    (7, f"{ACHIEVEMENT}/creditsAvailable", 0, "above 0"),
    (7, f"{ACHIEVEMENT}/creditsAvailable", 61, "a full year has 60"),
    (7, f"{ACHIEVEMENT}/creditsAvailable", 4, "more than the 4"),
    (8, f"{ACHIEVEMENT}/alignment/0/targetCode", "9", "level 6 and level 9"),
    (8, f"{ACHIEVEMENT}/cycle", "second", "the cycle of level 7"),
    (8, f"{ACHIEVEMENT}/cycle", "fourth", "the cycles are"),
    (11, f"{ACHIEVEMENT}/qualityAssurance/0/kind", "external", "names no body"),
    (
        11,
        f"{ACHIEVEMENT}/qualityAssurance/0",
        {"kind": "external", "agent": {"id": "did:web:ada.example"}},
        "who awards it",
    ),
    (14, "/credentialSubject/result/0/value", "Z", "its scale has A, B"),
]


@pytest.mark.parametrize(("number", "pointer", "value", "said"), DOUBTFUL)
def test_a_value_that_cannot_be_right_is_doubtful(number, pointer, value, said):
    found = finding(put(whole_badge(), pointer, value), number)
    assert found.state is State.DOUBTFUL
    assert said in found.sentence()
    assert found.fails


def test_one_outcome_with_a_uri_is_enough():
    document = whole_badge()
    document["credentialSubject"]["achievement"]["alignment"].append({"targetName": "x", "targetUrl": "x"})
    assert finding(document, 6).state is State.FOUND


def test_a_level_is_no_learning_outcome():
    document = put(whole_badge(), f"{ACHIEVEMENT}/alignment/1", None)
    assert finding(document, 6).found_at == ()
    assert finding(document, 8).state is State.FOUND


def test_more_than_a_semester_is_noted_and_no_doubt():
    document = put(whole_badge(), f"{ACHIEVEMENT}/creditsAvailable", 31)
    document["credentialSubject"]["achievement"]["notionalWorkload"] = "PT800H"
    found = finding(document, 7)
    assert found.state is State.FOUND
    assert "unusual" in found.notes[0].text


def test_credits_without_a_system_and_without_hours_are_doubtful():
    document = put(whole_badge(), f"{ACHIEVEMENT}/creditSystem", None)
    assert finding(document, 7).state is State.FOUND
    assert finding(put(document, f"{ACHIEVEMENT}/notionalWorkload", None), 7).state is State.DOUBTFUL


def test_numbers_outside_of_a_scale():
    document = whole_badge()
    scale = document["credentialSubject"]["achievement"]["resultDescription"][0]
    del scale["allowedValue"]
    scale |= {"valueMin": "0", "valueMax": "100"}
    assert finding(put(document, "/credentialSubject/result/0/value", "70"), 14).state is State.FOUND
    assert "0 to 100" in finding(put(document, "/credentialSubject/result/0/value", "101"), 14).sentence()
    assert "has numbers" in finding(put(document, "/credentialSubject/result/0/value", "B"), 14).sentence()


def test_what_is_optional_or_not_applicable_may_be_missing_and_not_wrong():
    document = whole_badge()
    for member in ("entryRequirements", "supervision", "identityVerification", "stackability", "cycle"):
        del document["credentialSubject"]["achievement"][member]
    document["credentialSubject"]["achievement"]["alignment"].pop(0)
    report = check_elements(document)
    assert {item.number for item in report.in_state(State.MISSING)} == {8, 12, 13, 15}
    assert report.lacking == report.failing == ()
    require_elements(document)


def test_every_element_says_no_more_than_json():
    report = check_elements(commission_sample()).to_json()
    assert (report["found"], report["missing"], report["doubtful"]) == (14, 1, 1)
    assert report["elements"][10]["state"] == "missing"
    assert report["elements"][10]["fill"]
    assert report["elements"][0]["fill"] is None


@pytest.mark.parametrize(
    "document", [None, [], {}, {"type": ["VerifiableCredential"]}, {"type": "EndorsementCredential"}]
)
def test_other_credentials_are_no_micro_credentials(document):
    assert check_elements(document) is None
    assert not claims_elements(document)
    with pytest.raises(MalformedError, match="neither an Open Badge"):
        require_elements(document)


def test_a_badge_that_does_not_say_so_is_no_micro_credential():
    document = whole_badge()
    document["credentialSubject"]["achievement"]["type"] = ["Achievement"]
    assert not claims_elements(document)
    document["credentialSubject"]["achievement"]["achievementType"] = "ext:MicroCredential"
    assert claims_elements(document)


def test_ten_thousand_alignments_are_looked_at_up_to_a_bound():
    document = whole_badge()
    document["credentialSubject"]["achievement"]["alignment"] *= 5000
    assert len(finding(document, 6).found_at) <= 1024


@pytest.mark.parametrize("mapping", mappings(), ids=lambda mapping: mapping.name)
def test_a_mapping_names_all_elements_and_only_rules_that_there_are(mapping):
    assert [element.number for element in mapping.elements] == list(range(1, 17))
    assert sum(element.need is Need.MANDATORY for element in mapping.elements) == 10
    for element in mapping.elements:
        assert {place.rule for place in element.places} <= {*RULES, None}
        assert set(element.checks) <= set(CHECKS)
        assert element.looked_at
        assert element.fill


def test_a_check_changes_nothing():
    document = whole_badge()
    before = deepcopy(document)
    check_elements(document)
    assert document == before
