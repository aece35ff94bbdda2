"""Completion for shells: the script that a shell loads, and the answers that it gets from us."""

from typing import Any

import typer.completion

PROGRAM = "testamur"
VARIABLE = "_TESTAMUR_COMPLETE"
"""When a shell asks, this variable says so, and others hold the words so far."""

_typer: Any = typer.completion


def prepare_completion() -> None:
    """Teach the command line to answer a shell that asks."""
    _typer.completion_init()


def completion_script(shell: str) -> str:
    """The script for bash, zsh or fish."""
    return str(_typer.get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))
