"""Laws of presentations: nothing but the right answer is accepted, and no input breaks the reader."""

import contextlib
import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.holders import CHALLENGE, DID, DOMAIN, bound_to, holding, judge_file, presented
from fakes.whole_registry import NOW
from testamur.registry.errors import MalformedError
from testamur.registry.presentation_files import (
    encode_presentation_file,
    parse_presentation_file,
    split_presentation,
)
from testamur.registry.presentations import parse_presentation, verify_holder, verify_presentation

WORLD = bound_to(DID)
EVIDENCE = WORLD.evidence()
PRESENTATION = presented([WORLD])

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "presentation", "evidence", "version", "holder", "proof", "@context", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def places(value, path=()):
    """The path of every leaf."""
    if isinstance(value, dict):
        return [found for name in sorted(value) for found in places(value[name], (*path, name))]
    if isinstance(value, list):
        return [found for number, item in enumerate(value) for found in places(item, (*path, number))]
    return [path]


PLACES = places(PRESENTATION)


def controllers(document, challenge=CHALLENGE, domain=DOMAIN):
    parsed = parse_presentation(document)
    return verify_holder(parsed, documents={}, now=NOW, challenge=challenge, domain=domain).controllers


@given(TEXTS, TEXTS, TEXTS)
def test_only_the_very_challenge_and_domain_are_answered(challenge, domain, other):
    made = presented([WORLD], challenge=challenge, domain=domain)
    assert controllers(made, challenge, domain) == (DID,)
    assert bool(controllers(made, other, domain)) == (other == challenge)
    assert bool(controllers(made, challenge, other)) == (other == domain)


@given(st.sampled_from(PLACES), JSON)
def test_no_member_can_be_altered(path, value):
    document = copy.deepcopy(PRESENTATION)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    if parent[path[-1]] == value and type(parent[path[-1]]) is type(value):
        return
    parent[path[-1]] = value
    with contextlib.suppress(MalformedError):  # refused before anything was hashed
        assert controllers(document) == ()


@given(JSON)
def test_any_json_is_a_presentation_or_malformed(document):
    with contextlib.suppress(MalformedError):
        split_presentation(document)
    assert not verify_presentation(document, documents={}, now=NOW).verified


@given(st.binary(max_size=60))
def test_any_bytes_are_a_presentation_file_or_malformed(data):
    with contextlib.suppress(MalformedError):
        parse_presentation_file(data)


@settings(max_examples=20)
@given(JSON)
def test_evidence_is_no_part_of_what_is_signed_and_can_break_nothing(evidence):
    data = encode_presentation_file(PRESENTATION, [evidence])
    assert parse_presentation_file(data).evidence == (json.loads(json.dumps(evidence)),)
    try:
        verdict = judge_file(data)
    except MalformedError:
        return
    assert holding(verdict) == ("pass", "holder-proven")
    assert verdict.outcome != "valid"
