"""The parts of the page that need no request: visible text, and which file belongs to which."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.page_node import dossiers
from testamur.node.api.page.forms import Given
from testamur.node.api.page.gathering import gather
from testamur.node.api.page.plain import label, plain, written_day
from testamur.node.api.page.visible import MAX_SHOWN_CHARACTERS, ascii_controls, visible

DOSSIERS = dossiers()


def given_as(name, value):
    return Given(name=name, data=json.dumps(value).encode())


# -- visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Aoife Ní Bhriain", "Aoife Ní Bhriain"),
        ("جامعة", "جامعة"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\u200bb", "a[U+200B]b"),
        ("a\x00\nb", "a[U+0000][U+000A]b"),
        ("a\u2028b", "a[U+2028]b"),
        ("a\u3164b", "a[U+3164]b"),
        ("e" + "\u0301" * 100, "e" + "\u0301" * 4),
        ("", ""),
        (12, "12"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_what_it_is(text, shown):
    assert visible(text) == shown


@given(st.text(max_size=2 * MAX_SHOWN_CHARACTERS))
def test_no_control_or_format_character_is_ever_left(text):
    assert not [character for character in visible(text) if unicodedata.category(character)[0] == "C"]


def test_a_long_text_is_cut_and_says_so():
    assert visible("x" * 1_000_000) == "x" * MAX_SHOWN_CHARACTERS + "…"
    assert visible("x" * MAX_SHOWN_CHARACTERS) == "x" * MAX_SHOWN_CHARACTERS


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_escaped_json_means_the_same_and_hides_nothing(text):
    escaped = ascii_controls(json.dumps({text: text}, ensure_ascii=False))
    assert json.loads(escaped) == {text: text}
    assert not [character for character in escaped if unicodedata.category(character)[0] == "C"]


# -- gathering


def test_a_dossier_is_complete_in_itself():
    (subject,), refusals = gather([given_as("a.json", DOSSIERS["good"])])
    assert subject.evidence == DOSSIERS["good"]["evidence"]
    assert refusals == []


def test_evidence_joins_the_credential_that_it_is_about_whatever_the_order():
    good, revoked = DOSSIERS["good"], DOSSIERS["revoked"]
    other = json.loads(json.dumps(good["credential"]))
    other["name"] = "Another"
    given = [given_as("e", good["evidence"]), given_as("other", other), given_as("c", good["credential"])]
    for order in (given, given[::-1]):
        subjects, refusals = gather(order)
        assert refusals == []
        assert {item.name: item.evidence_from for item in subjects} == {"other": None, "c": "e"}
    assert revoked["evidence"] != good["evidence"]


def test_one_credential_and_one_evidence_belong_together_so_that_the_verdict_tells_when_they_do_not():
    other = json.loads(json.dumps(DOSSIERS["good"]["credential"]))
    other["name"] = "Another"
    (subject,), refusals = gather([given_as("c", other), given_as("e", DOSSIERS["good"]["evidence"])])
    assert subject.evidence is not None
    assert refusals == []


def test_evidence_without_a_credential_is_refused_and_the_rest_is_not():
    good, closed = DOSSIERS["good"], DOSSIERS["closed"]
    subjects, refusals = gather([given_as("d", closed), given_as("e", good["evidence"])])
    assert [item.name for item in subjects] == ["d"]
    assert [item.name for item in refusals] == ["e"]


@given(st.binary(max_size=200))
def test_any_bytes_end_in_exactly_one_of_the_two(data):
    subjects, refusals = gather([Given(name="x", data=data)])
    assert len(subjects) + len(refusals) == 1


# -- plain words


def test_facts_are_put_into_words():
    assert label("blockTime") == "time of the block"
    assert label("leafIndex") == "leaf index"
    assert plain({"set": False, "version": 1}) == "bit is set: no, version 1"
    assert plain("2026-11-21T09:00:00Z") == "21 November 2026, 09:00:00 UTC"
    assert plain(None) == "none"


def test_a_date_that_is_no_date_is_shown_as_it_is_written():
    assert written_day("2026-07-03T00:00:00Z") == "3 July 2026"
    assert written_day("yesterday") == "yesterday"
    assert written_day(None) == ""
