"""The checker of micro-credentials answers for any JSON, and what it points to is there."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakes.awards import award
from fakes.european_learning_model import digital_credential
from testamur.registry.elements import State, check_elements, element_problems, require_elements
from testamur.registry.elements.durations import parse_duration
from testamur.registry.elements.mapping import mappings
from testamur.registry.errors import MalformedError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["PT60H", "P60M", "self", "ECTS", "6", "first", "2026-07-03", "IE", "https://a.example/1"]
    )
    | st.sampled_from([10**400, -(10**400), 1e308])
)


def names_of(tree: Any) -> set[str]:
    return {name for step, (_, below) in tree.items() for name in (step, *names_of(below))}


NAMES = sorted(
    {name for mapping in mappings() for name in names_of(mapping.tree)}
    | {"id", "name", "kind", "agent", "value", "targetUrl", "targetCode", "targetType", "targetFramework"}
    | {"valueMin", "valueMax", "allowedValue", "accreditingAgent", "en"}
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=24,
)
TYPES = st.sampled_from(["AchievementCredential", "EuropeanDigitalCredential"])


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def check(document: Any) -> None:
    report = check_elements(document)
    try:
        require_elements(document)
        strict = True
    except MalformedError:
        strict = False
    if report is None:
        assert not strict
        return
    json.dumps(report.to_json())
    assert strict == (report.failing == ()) == (element_problems(document) == [])
    assert [item.number for item in report.findings] == list(range(1, 17))
    for item in report.findings:
        for pointer in item.found_at:
            at(document, pointer)
        for problem in (*item.problems, *item.notes):
            at(document, problem.at)
        assert (item.state is State.DOUBTFUL) == bool(item.problems)
        assert item.state is not State.FOUND or item.found_at


@given(TREES)
def test_any_json_has_an_answer(document: Any) -> None:
    check(document)


@given(TYPES, st.dictionaries(st.sampled_from(NAMES), TREES, max_size=5))
def test_any_credential_of_a_known_model_has_an_answer(kind: str, members: dict[str, Any]) -> None:
    check({**members, "type": kind})


@st.composite
def disturbed(draw: st.DrawFn) -> Any:
    """A whole credential in which a few values are anything."""
    document = draw(st.sampled_from([award, digital_credential]))()
    for _ in range(draw(st.integers(1, 4))):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.integers(0, 5)) == 0:
                place[key] = draw(TREES)
                break
            place = place[key]
    return document


@given(disturbed())
def test_a_disturbed_credential_has_an_answer(document: Any) -> None:
    check(document)


@given(st.text(alphabet="PTYMWDHS0123456789.,", max_size=20))
def test_a_duration_is_read_or_refused(text: str) -> None:
    found = parse_duration(text)
    assert found is None or (found.hours >= 0 and text.startswith("P"))
