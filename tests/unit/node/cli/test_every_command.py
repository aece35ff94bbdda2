"""What all commands have in common, walked over every one that is registered."""

import os
import subprocess
import sys

import pytest
import typer.main

from testamur.node.cli.main import app
from testamur.node.cli.shells import completion_script

COMMAND = [sys.executable, "-m", "testamur.node.cli.main"]
WITHOUT_JSON = {
    "node run": "its log is one JSON event a line already",
}
"""Commands that need no --json, each with the reason, which its help says too."""


def commands(group, words=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


ALL = dict(commands(typer.main.get_command(app)))


def test_there_are_commands_and_exemptions_are_real():
    assert {"verify", "issue", "evidence", "node doctor", "issuer token create", "completion"} <= set(ALL)
    assert set(WITHOUT_JSON) <= set(ALL)
    assert "JSON" in ALL["node run"].help


@pytest.mark.parametrize("words", sorted(ALL))
def test_every_command_speaks_json_or_says_why_not(words):
    options = {option for parameter in ALL[words].params for option in parameter.opts}
    assert ("--json" in options) != (words in WITHOUT_JSON)


# -- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell):
    script = completion_script(shell)
    assert "_TESTAMUR_COMPLETE" in script
    assert "testamur" in script


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("testamur no", {"node"}), ("testamur node do", {"doctor"}), ("testamur verify --off", {"--offline"})],
)
def test_bash_is_offered_what_fits(typed, offered):
    environment = {
        **os.environ,
        "_TESTAMUR_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == offered


def test_bash_itself_accepts_the_script(tmp_path):
    path = tmp_path / "testamur"
    path.write_text(completion_script("bash"))
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


# -- a reader who has gone


@pytest.mark.parametrize("words", [["completion", "bash"], ["--help"], ["completion", "fish", "--json"]])
def test_a_closed_pipe_is_quiet_and_no_verdict(words):
    ours, theirs = os.pipe()
    os.close(ours)
    with subprocess.Popen([*COMMAND, *words], stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        _, errors = process.communicate(timeout=60)
    assert errors == b""
    assert process.returncode not in {0, 1, 2, 3}
