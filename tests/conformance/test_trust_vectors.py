"""The vectors that other implementations of trust file successions are given: this one keeps them, too."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fakes.json_schema import violations
from fakes.trust_vectors import judge_trust_vector
from testamur.registry.reasons import REASONS
from testamur.registry.trust_successions import encode_successions

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "tests" / "vectors" / "trust"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "version-1")
SCHEMAS = {
    path.name: json.loads(path.read_text("utf-8")) for path in (ROOT / "docs/spec/schemas").glob("*.json")
}


def load(name):
    return json.loads((FOLDER / name).read_text("utf-8"))


def expected(name):
    return load(f"{name}.json")["expected"]


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_the_expected_one(name):
    vector = load(f"{name}.json")
    assert judge_trust_vector(vector, load(vector["trust"])) is None


def test_there_are_vectors_of_every_outcome():
    found = Counter(expected(name)["outcome"] for name in NAMES)
    assert found["proven"] >= 6
    assert found["refused"] >= 24
    assert found["malformed"] >= 6


@pytest.mark.parametrize("name", [name for name in NAMES if expected(name)["outcome"] != "malformed"])
def test_what_is_not_malformed_keeps_the_schemas(name):
    files = [load("version-1.json"), *load(f"{name}.json")["successions"]]
    for document in files:
        schema = SCHEMAS["trust-file.schema.json"]
        assert violations(document, schema, {**SCHEMAS, **schema["$defs"]}) == []
    document = json.loads(encode_successions("registry.example", 1, files))
    assert violations(document, SCHEMAS["trust-successions.schema.json"], SCHEMAS) == []


def test_every_reason_of_the_specification_has_a_vector_and_the_other_way_round():
    page = (ROOT / "docs" / "spec" / "trust-file.md").read_text("utf-8")
    table = page.partition("## Failures")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))
    shown = {expected(name)["reason"] for name in NAMES if "reason" in expected(name)}
    assert said <= set(REASONS)
    # More than a thousand versions are in no file.
    assert shown == said - {"trust-too-many"}


def test_writing_them_again_gives_the_same_bytes(tmp_path):
    script = str(ROOT / "scripts" / "make_vectors.py")
    subprocess.run([sys.executable, script, "--out", str(tmp_path)], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in (tmp_path / "trust").iterdir()}
    assert made == {path.name: path.read_bytes() for path in FOLDER.glob("*.json")}
