"""The examples of docs/library.md run as they stand, and do what the page says."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.holders import DID, bound_to, file_of
from fakes.whole_registry import NOW, World, trust_document
from testamur import registry
from testamur.registry.canonical import canonicalize

PAGE = Path(__file__).resolve().parent.parent / "docs" / "library.md"
EXAMPLES = dict(
    re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
)


@pytest.fixture
def office(tmp_path, monkeypatch):
    """What the page takes for granted, at the time at which it was all issued."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trust.json").write_bytes(canonicalize(trust_document()))
    (tmp_path / "diploma.credential.json").write_bytes(canonicalize(World().dossier()))
    (tmp_path / "policy.json").write_text(
        '{"type": "TestamurPolicy", "version": 1, "requireWitnesses": false}'
    )
    folder = tmp_path / "applications"
    folder.mkdir()
    (folder / "a.json").write_bytes(canonicalize(World().dossier()))
    (folder / "b.json").write_bytes(canonicalize(World(revoked=(7,)).dossier()))
    (folder / "c.json").write_bytes(b"\x89PNG")
    return tmp_path


def run(name, capsys):
    source = EXAMPLES[name].replace("datetime.now(UTC)", f"datetime.fromisoformat({NOW.isoformat()!r})")
    exec(compile(source, f"{PAGE.name}: {name}", "exec"), {})
    return capsys.readouterr().out.splitlines()


def test_there_are_these_examples():
    assert list(EXAMPLES) == [
        "One dossier, offline",
        "Many dossiers, as a table",
        "A policy of your own, and a date in the past",
        "Who shows it",
    ]


def test_one_dossier_is_verified(office, capsys):
    lines = run("One dossier, offline", capsys)
    assert lines[0] == "Data Literacy by University of Ada"
    assert "in good standing" in lines[1]
    # The sample is anchored on a development chain, which is never accepted.
    assert lines[2] == "a person should look at this"


def test_what_is_no_credential_file_is_said(office, capsys):
    (office / "diploma.credential.json").write_bytes(b"\x89PNG")
    assert run("One dossier, offline", capsys)[0].startswith("This is no credential file: file: is not UTF-8")


def test_many_become_a_table(office, capsys):
    run("Many dossiers, as a table", capsys)
    rows = list(csv.DictReader((office / "verified.csv").read_text("utf-8").splitlines()))
    assert [row["outcome"] for row in rows] == ["valid", "invalid", "error"]
    assert rows[1]["status"] == "revoked"
    assert "revoked it" in rows[1]["why"]


def test_a_policy_and_a_moment_are_asked_about(office, capsys):
    lines = run("A policy of your own, and a date in the past", capsys)
    assert re.fullmatch(r"when issued: valid, on 21 November 2026: \w+, now: valid", lines[0])
    assert [int(line.split()[0]) for line in lines[1:]] == list(range(1, 12))


def test_who_shows_it_is_answered(office, capsys):
    made = file_of([bound_to(DID)], challenge="4711-blue-kettle", domain="employer.example")
    (office / "ada.presentation.json").write_bytes(made)
    assert run("Who shows it", capsys) == [
        "valid",
        f"Data Literacy Whoever shows it holds the key of {DID}, whom it names.",
    ]


def test_the_short_import_loads_nothing_that_is_not_asked_for():
    script = (
        "import sys, testamur.registry as r\n"
        "assert not [m for m in sys.modules if m.startswith('testamur.registry.')]\n"
        "from testamur.registry import verify\n"
        "from testamur.registry.verification import verify as same\n"
        "assert verify is same and 'verify' in r.__all__\n"
        "assert not {'web3', 'aiohttp', 'plyvel', 'pyld', 'typer', 'rich'} & set(sys.modules)\n"
        "assert not [m for m in sys.modules if m.startswith('testamur.node')]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", registry.__all__)
def test_every_name_that_is_offered_is_there(name):
    assert getattr(registry, name) is not None


def test_other_names_are_no_names_of_the_package():
    with pytest.raises(AttributeError, match="has no attribute 'verfiy'"):
        registry.verfiy  # noqa: B018
