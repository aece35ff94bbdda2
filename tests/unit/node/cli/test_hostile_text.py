"""A stranger's text in errors, lines and JSON: shown as what it is, and never obeyed by a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.whole_registry import World, trust_document
from testamur.node.cli import main as entrance
from testamur.node.cli.output import json_line, printable, say, warn
from testamur.registry.canonical import canonicalize

HOSTILE = "\x1b[2J\x1b[1;1HVALID\x9b8m\u202egnp.exe\x7f"


def harmless(text: str) -> bool:
    return not set(text) & set("\x1b\x9b\u202e\x7f\r")


def test_control_and_direction_characters_are_replaced_and_the_rest_is_kept():
    assert printable("Universität 東京 🎓\n\tnext") == "Universität 東京 🎓\n\tnext"
    assert printable(HOSTILE) == "\ufffd[2J\ufffd[1;1HVALID\ufffd8m\ufffdgnp.exe\ufffd"
    assert printable("\udcff.json") == "\ufffd.json"


def test_lines_for_people_are_printable(capsys):
    say(HOSTILE)
    warn(HOSTILE)
    captured = capsys.readouterr()
    assert harmless(captured.out)
    assert harmless(captured.err)
    assert "VALID" in captured.err


def test_json_is_escaped_and_says_the_same(capsys):
    document = {"name": HOSTILE, "Universität": "東京 🎓", "file": "\udcff.json"}
    json_line(document)
    line = capsys.readouterr().out
    assert harmless(line)
    assert "東京 🎓" in line
    assert json.loads(line) == document


def test_an_unknown_member_cannot_write_a_verdict_of_its_own(tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "trust.json").write_bytes(canonicalize(trust_document()))
    dossier = {**World().dossier(), HOSTILE: 1}
    (tmp_path / "forged.json").write_text(json.dumps(dossier))
    arguments = ["verify", "--trust", str(tmp_path / "trust.json"), str(tmp_path / "forged.json")]
    monkeypatch.setattr(sys, "argv", ["testamur", *arguments])
    with pytest.raises(SystemExit) as ended:
        entrance.main()
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert "unknown members" in captured.err
    assert harmless(captured.out + captured.err)


def test_a_file_name_that_is_not_utf_8_is_an_error_and_no_traceback(tmp_path: Path):
    (tmp_path / "trust.json").write_bytes(canonicalize(trust_document()))
    name = os.fsencode(tmp_path) + b"/\xff.json"
    Path(os.fsdecode(name)).write_bytes(canonicalize(World().dossier()))
    for options in ([], ["--json"]):
        program = [sys.executable, "-m", "testamur.node.cli.main", "verify", *options]
        arguments = ["--trust", str(tmp_path / "trust.json"), name, name]
        done = subprocess.run([*program, *arguments], capture_output=True, check=False)
        assert b"Traceback" not in done.stderr
        assert done.returncode in {0, 3}
