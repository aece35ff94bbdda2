"""`check-profile`: what is shown of one file, of many, and what the exit code says."""

import io
import json
import sys
from copy import deepcopy

import pytest

from fakes.european_learning_model import commission_sample, digital_credential
from testamur.node.cli.output import source_of
from testamur.node.cli.profiling import run_check_profile
from testamur.node.errors import ConfigError
from testamur.registry.canonical import canonicalize


def doubtful():
    document = digital_credential()
    document["credentialSubject"]["hasClaim"][0]["specifiedBy"][0]["volumeOfLearning"] = "P60M"
    return document


FILES = {
    "complete": digital_credential(),
    "doubtful": doubtful(),
    "incomplete": commission_sample(),
    "other": {"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"]},
    "error": {"type": "TestamurEvidence"},
}
CODES = {"complete": 0, "doubtful": 0, "incomplete": 1, "other": 3, "error": 2}


@pytest.fixture
def check(tmp_path, capsys):
    def run(*names, strict=False, as_json=False, **documents):
        for name, document in {**{name: FILES[name] for name in names}, **documents}.items():
            (tmp_path / f"{name}.json").write_bytes(canonicalize(document))
        sources = [tmp_path / f"{name}.json" for name in (*names, *documents)]
        code = run_check_profile(sources, strict=strict, as_json=as_json)
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize(("outcome", "code"), CODES.items())
def test_the_exit_code_of_one_file(check, outcome, code):
    assert check(outcome)[0] == code
    strict = 1 if outcome == "doubtful" else code
    assert check(outcome, strict=True)[0] == strict
    found_code, text = check(outcome, as_json=True)
    assert (found_code, json.loads(text)["outcome"]) == (code, outcome)


def test_one_file_is_shown_element_by_element_with_the_cure(check):
    _, text = check("incomplete")
    assert "  found     1 identification of the learner\n" in text
    assert "  doubtful  7 notional workload (mandatory)\n" in text
    assert "/credentialSubject/hasClaim/0/specifiedBy/0/volumeOfLearning is 'P60M', 60 months" in text
    assert "  missing  11 type of quality assurance (mandatory)\n" in text
    assert "looked for at /credentialSubject/hasClaim/specifiedBy/accreditation, " in text
    assert "add an Accreditation with its accreditingAgent" in text
    assert text.endswith("14 found, 1 missing, 1 doubtful; 1 of the missing are mandatory\n")


def test_many_files_are_a_line_each_and_a_total(check):
    code, text = check("complete", "incomplete", "other")
    lines = text.splitlines()
    assert code == 1
    assert [line.split()[0] for line in lines[:3]] == ["complete", "incomplete", "other"]
    assert "7 notional workload (doubtful); 11 type of quality assurance (missing)" in lines[1]
    assert lines[3] == "3 files: 1 complete, 1 incomplete, 1 other"


def test_the_worst_file_decides(check):
    assert check("complete", "other")[0] == 3
    assert check("other", "incomplete")[0] == 1
    assert check("incomplete", "error")[0] == 2
    assert check("complete", "doubtful")[0] == 0


def test_json_is_a_line_for_each_file_and_one_for_all(check):
    _, text = check("complete", "incomplete", as_json=True)
    first, second, total = (json.loads(line) for line in text.splitlines())
    assert (first["profile"]["mapping"], first["profile"]["found"]) == ("European Learning Model 3", 16)
    assert second["profile"]["elements"][6]["problems"][0]["at"].endswith("/volumeOfLearning")
    assert total == {"type": "TestamurProfileSummary", "files": 2, "complete": 1, "incomplete": 1}


def test_a_folder_is_every_file_in_it_and_an_empty_one_is_a_mistake(check, tmp_path):
    check("complete", "doubtful")
    assert run_check_profile([tmp_path], strict=True, as_json=False) == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match="without any"):
        run_check_profile([empty], strict=False, as_json=False)


def test_standard_input_dossiers_and_uploads(check, monkeypatch, capsys):
    whole = digital_credential()
    assert check(dossier={"credential": whole, "evidence": None})[0] == 0
    assert check(upload={"credential": whole, "deliveryDetails": {"displayDetails": {}}})[0] == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(canonicalize(whole))))
    assert run_check_profile([source_of("-")], strict=True, as_json=False) == 0
    assert "16 found" in capsys.readouterr().out


def test_a_template_is_told_what_to_do_instead(check):
    code, text = check(template={"type": "CredentialTemplate", "version": 1, "credential": {}})
    assert code == 2
    assert "--dry-run --strict-profile" in text


def test_a_missing_file_is_a_row_and_not_the_end(tmp_path, capsys):
    (tmp_path / "good.json").write_bytes(canonicalize(FILES["complete"]))
    assert (
        run_check_profile([tmp_path / "none.json", tmp_path / "good.json"], strict=False, as_json=False) == 2
    )
    assert "there is no such file" in capsys.readouterr().out


def test_hostile_text_reaches_no_terminal(check):
    document = deepcopy(FILES["complete"])
    document["credentialSubject"]["hasClaim"][0]["specifiedBy"][0]["volumeOfLearning"] = "\x1b[2JPT60H\u202e"
    _, text = check(hostile=document)
    assert "\x1b" not in text
    assert "\u202e" not in text
