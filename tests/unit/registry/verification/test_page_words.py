"""The words that a page shows: a headline for every outcome, a question and evidence for every step."""

from datetime import timedelta

import pytest

from fakes.whole_registry import NOW, World, judge
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.verification.verdict import Step
from testamur.registry.verification.words import (
    AGEING_STEPS,
    STEP_EVIDENCE,
    STEP_QUESTIONS,
    counted,
    headline,
    sentence,
)


@pytest.mark.parametrize(
    ("world", "words"),
    [
        ({}, "Valid"),
        ({"revoked": (7,)}, "Revoked"),
        ({"suspended": (7,)}, "Suspended"),
        ({"anchored": False}, "Cannot tell"),
        ({"lifecycle": Lifecycle.CLOSED}, "Valid"),
    ],
)
def test_the_headline_says_the_outcome_in_its_own_word(world, words):
    assert headline(judge(World(**world).dossier())) == words


def test_what_was_altered_is_not_valid_even_when_it_is_revoked_too():
    dossier = World(revoked=(7,)).dossier()
    dossier["credential"]["name"] = "Another"
    assert headline(judge(dossier)) == "Not valid"


def test_every_step_has_a_question_and_says_what_it_looks_at():
    assert set(STEP_QUESTIONS) == set(STEP_EVIDENCE) == set(Step)
    assert all(question.endswith("?") for question in STEP_QUESTIONS.values())
    assert set(Step) >= AGEING_STEPS


def test_without_evidence_the_sentence_says_so_first():
    assert "no evidence" in sentence(judge({"credential": World().credential, "evidence": None}))


def test_a_moment_before_it_was_logged_is_not_answered_with_words_about_now():
    verdict = judge(World().dossier(), as_of=NOW - timedelta(days=1))
    assert sentence(verdict).startswith("Cannot tell: Its status is not proven for the moment")


def test_one_is_one_and_none_is_many():
    assert [counted(number, "entry") for number in (0, 1, 2)] == ["0 entries", "1 entry", "2 entries"]
    assert [counted(number, "key") for number in (1, 2)] == ["1 key", "2 keys"]
