"""Codes in the source and codes in the table are the same set; words never raise."""

import ast
import re
from pathlib import Path

import pytest

from testamur.registry.reasons import REASONS, UNDECIDED, words

ROOT = Path(__file__).parents[3]
RAISED = {"VerificationError", "Undecided"}


def codes_in_source():
    for folder in ("registry", "node"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                first = node.args[0] if node.args else None
                if name in RAISED and isinstance(first, ast.Constant):
                    yield first.value, path
                if name == "Passed":
                    for keyword in node.keywords:
                        if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant):
                            yield keyword.value.value, path


def test_every_code_that_the_source_gives_has_words():
    missing = {(code, path.name) for code, path in codes_in_source() if code not in REASONS}
    assert not missing


def test_every_code_with_words_is_given_somewhere():
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "registry").rglob("*.py")
    ) + "".join(path.read_text(encoding="utf-8") for path in (ROOT / "node").rglob("*.py"))
    table = (ROOT / "registry" / "reasons.py").read_text(encoding="utf-8")
    unused = [code for code in REASONS if sources.count(f'"{code}"') <= table.count(f'"{code}"')]
    assert not unused


@pytest.mark.parametrize("code", sorted(REASONS))
def test_words_are_a_sentence_even_without_parameters(code):
    sentence = words(code, {})
    assert re.fullmatch(r"[A-Z({].*[.]", sentence, re.DOTALL), sentence


def test_an_unknown_code_shows_as_itself():
    assert words("brand-new-code", {}) == "brand new code"


def test_nothing_undecided_is_worded_as_a_judgement():
    assert not [
        code
        for code, text in UNDECIDED.items()
        if re.search(r"\b(invalid|forged|revoked)\b", text) and code != "status-type-unknown"
    ]
