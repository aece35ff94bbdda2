"""The command that looks for the elements of a European micro-credential; it needs no node and no network."""

from typing import Annotated

import typer

from testamur.node.cli.commands_verify import JsonOption
from testamur.node.cli.output import source_of


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command("check-profile")(check_profile)


def check_profile(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Credentials or dossiers (JSON), folders of them, or http(s) addresses; "
            "- reads standard input."
        ),
    ],
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit 1 for doubtful elements as well, as strict policies refuse them."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Look for the sixteen elements of a European micro-credential: found, missing or doubtful, and the cure.

    Open Badges 3.0 and the European Learning Model 3; signatures are not looked at. Exit code, the worst of
    all files: 0 complete (without --strict also doubtful), 1 mandatory elements missing, 2 usage or
    unreadable, 3 no credential of these models.
    """
    from testamur.node.cli.profiling import run_check_profile

    raise typer.Exit(run_check_profile([source_of(file) for file in files], strict=strict, as_json=json))
