"""Single values: what is plausible, and what is said of what is not."""

import pytest

from testamur.registry.elements.durations import parse_duration
from testamur.registry.elements.mapping import countries
from testamur.registry.elements.rules import RULES, Surroundings, eqf_levels, number_of

AROUND = Surroundings(
    awarding=frozenset({"did:web:ada.example", "university of ada"}),
    agents=("agent", "issuer"),
    kinds=("kind",),
)


def wrong(rule, value):
    return RULES[rule](value, AROUND)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("PT60H", 60), ("PT1H30M", 1.5), ("PT0.5H", 0.5), ("PT1,5H", 1.5), ("PT90M", 1.5), ("PT3600S", 1)],
)
def test_hours_of_a_duration(text, hours):
    found = parse_duration(text)
    assert (found.hours, found.calendar) == (hours, ())


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "60H", "P60H", "PT60", "pt60h", "P1DT", "-PT5H", "PT1H1H", "P" * 99]
)
def test_what_is_no_duration(text):
    assert parse_duration(text) is None


def test_sixty_months_are_not_sixty_hours():
    assert parse_duration("P60M").calendar_words == "60 months"
    said = wrong("duration", "P60M")
    assert "60 months" in said
    assert "PT60H would be 60 hours" in said
    assert wrong("duration", "PT60H") is None


@pytest.mark.parametrize(
    "text", ["P1Y", "P2W", "P5D", "P1DT4H", "P0M", "PT30M", "PT1801H", "PT0H", "sixty", 60, None]
)
def test_a_workload_that_cannot_be_one(text):
    assert wrong("duration", text)


@pytest.mark.parametrize("text", ["PT1H", "PT63H", "PT1800H"])
def test_workloads_up_to_a_year_are_plausible(text):
    assert wrong("duration", text) is None


@pytest.mark.parametrize(
    "value", ["IE", "IRL", "http://publications.europa.eu/resource/authority/country/IRL"]
)
def test_countries_by_either_code(value):
    assert wrong("country", value) is None
    assert wrong("country", {"id": value, "type": "Concept"}) is None


@pytest.mark.parametrize("value", ["UK", "EU", "Ireland", "ie", "", "XX", 372, {}, {"id": 5}])
def test_what_is_no_country(value):
    assert "ISO 3166-1" in wrong("country", value)


def test_small_letters_are_told_the_code():
    assert wrong("country", "ie").endswith("write IE")
    assert [len(codes) for codes in countries()] == [249, 249]


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        ("6", {6}),
        (6, {6}),
        ("EQF level 6", {6}),
        ("http://data.europa.eu/snb/eqf/6", {6}),
        (
            {"targetCode": "6", "targetUrl": "http://data.europa.eu/snb/eqf/6", "targetName": "EQF level 6"},
            {6},
        ),
        ({"targetCode": "6", "targetUrl": "http://data.europa.eu/snb/eqf/7"}, {6, 7}),
        ({"targetName": "a level", "targetUrl": "https://levels.example/about/5"}, set()),
        ({"id": "http://data.europa.eu/snb/eqf/4", "prefLabel": {"en": ["Level 4"]}}, {4}),
        ({"prefLabel": {"en": ["Level 4"]}}, {4}),
        ("advanced", set()),
        (True, set()),
        (None, set()),
        (10**400, {99}),
    ],
)
def test_levels_that_a_value_says(value, levels):
    assert eqf_levels(value) == levels


@pytest.mark.parametrize(
    "value", ["0", "9", 0, 9, -1, "advanced", {"targetCode": "6", "targetName": "EQF level 7"}]
)
def test_levels_that_the_framework_does_not_have(value):
    assert wrong("eqf-level", value)


@pytest.mark.parametrize("level", range(1, 9))
def test_levels_that_it_has(level):
    assert wrong("eqf-level", str(level)) is None


@pytest.mark.parametrize(
    "value",
    [
        "self",
        {"kind": "self"},
        {"kind": "external", "agent": {"id": "https://quality.example", "name": "Agency"}},
        {"agent": {"name": "Agency"}},
        {"agent": "https://quality.example"},
        {"issuer": {"id": "did:web:quality.example"}},
        {"issuer": "did:web:quality.example"},
    ],
)
def test_quality_that_somebody_else_assures_or_oneself_and_says_so(value):
    assert wrong("quality-assurance", value) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"kind": "external"}, "names no body"),
        ({"agent": {}}, "names no body"),
        ("external", "names no body"),
        (True, "names no body"),
        ({"agent": {"id": "did:web:ada.example"}}, "who awards it"),
        ({"agent": {"id": "https://quality.example", "name": "University of Ada"}}, "who awards it"),
        ({"kind": "external", "issuer": "did:web:ada.example"}, "who awards it"),
    ],
)
def test_quality_that_nobody_assures_but_the_issuer(value, said):
    assert said in wrong("quality-assurance", value)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("uri", "https://ada.example/outcomes/1", "outcome 1"),
        ("uri", {"id": "http://data.europa.eu/esco/skill/1"}, {"id": "urn:epass:learningOutcome:1"}),
        ("time", "2026-07-03", "2026-02-30"),
        ("time", "2026-07-03T00:00:00Z", "2026-07-03T00:00:00"),
        ("text", {"en": ["Title"]}, {"en": [" "]}),
        ("present", False, []),
        ("cycle", "first", "fourth"),
        ("number", "2.5", "two"),
        ("number", 2, float("nan")),
        ("result", {"value": "B"}, {"resultDescription": "https://ada.example/a"}),
    ],
)
def test_a_rule_knows_good_from_bad(rule, good, bad):
    assert wrong(rule, good) is None
    assert wrong(rule, bad)


def test_numbers_that_are_none():
    assert [number_of(value) for value in (True, None, "1e5", 10**400, float("inf"))] == [None] * 5
