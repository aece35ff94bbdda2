"""The vectors that other implementations of the evidence format are given: this one keeps them, too."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fakes.vector_files import file_of, judge_vector
from testamur.registry.dossiers import parse_dossier
from testamur.registry.evidence import parse_evidence
from testamur.registry.reasons import REASONS

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "tests" / "vectors" / "evidence"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "trust")


def load(name):
    return json.loads((FOLDER / name).read_text("utf-8"))


def base_of(vector):
    return load(vector["base"])["dossier"] if "base" in vector else None


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_the_expected_one(name):
    vector = load(f"{name}.json")
    assert judge_vector(vector, base=base_of(vector), trust=load(vector["trust"])) is None


def test_there_are_vectors_of_every_outcome():
    found = Counter(load(f"{name}.json")["expected"]["outcome"] for name in NAMES)
    assert found["valid"] >= 6
    assert found["invalid"] >= 20
    assert found["indeterminate"] >= 8
    assert found["malformed"] >= 18


def test_what_is_broken_names_the_step_and_a_reason_that_is_documented():
    for name in NAMES:
        expected = load(f"{name}.json")["expected"]
        if expected["outcome"] == "invalid":
            assert expected["checks"], name
        for check in expected.get("checks", []):
            assert 1 <= check["step"] <= 11
            assert check["reason"] in REASONS, name


def test_the_vector_for_a_chunk_has_a_chunk():
    data = file_of(load("good-status-chunk.json"), base=None)
    (log,) = parse_evidence(parse_dossier(data)[1]).logs.values()
    assert any(proof.chunk is not None for proof in log.status)


def test_writing_them_again_gives_the_same_vectors(tmp_path):
    """Twice the same bytes; and what is committed, but for how a compressor packs the status lists."""
    script = str(ROOT / "scripts" / "make_vectors.py")
    for folder in ("one", "two"):
        subprocess.run(
            [sys.executable, script, "--out", str(tmp_path / folder)], check=True, capture_output=True
        )
    one = {path.name: path.read_bytes() for path in (tmp_path / "one" / "evidence").iterdir()}
    assert one == {path.name: path.read_bytes() for path in (tmp_path / "two" / "evidence").iterdir()}
    assert set(one) == {path.name for path in FOLDER.glob("*.json")}
    for name in NAMES:
        made = json.loads(one[f"{name}.json"])
        assert {key: made[key] for key in ("about", "now", "expected")} == {
            key: load(f"{name}.json")[key] for key in ("about", "now", "expected")
        }


def test_every_reason_in_the_failure_table_exists_and_every_vector_is_explained_there():
    page = (ROOT / "docs" / "spec" / "evidence.md").read_text("utf-8")
    table = page.partition("## Failures")[2].partition("## Refreshing")[0]
    said = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", table)) - {"max-status-age"}
    assert said - set(REASONS) == set()
    shown = {
        check["reason"]
        for name in NAMES
        for check in load(f"{name}.json")["expected"].get("checks", [])
        if check["result"] != "pass"
    }
    assert {reason for reason in shown if "-" in reason} - said == set()
