"""Commands about the status of credentials: revoke, suspend, reinstate; status history and audit."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.commands_issuer import OnError
from testamur.node.cli.commands_node import PassphraseOption
from testamur.node.cli.commands_verify import HomeOption, JsonOption

What = Annotated[
    list[str],
    typer.Argument(
        help="Dossiers, digests (u… or hexadecimal), or a CSV file with a column digest or dossier, and "
        "reason, effective, note if they differ; repeatable."
    ),
]
ReasonOption = Annotated[
    str | None,
    typer.Option(
        "--reason",
        help="Class of the reason, shown by the holder alone: issued-in-error, fraud, misconduct, "
        "superseded, withdrawn, holder-request, other; for a suspension also under-review, "
        "obligations-open, cleared.",
    ),
]
EffectiveOption = Annotated[
    str | None,
    typer.Option(
        "--effective",
        help="From when it counts, e.g. 2026-03-01T12:00:00Z; default: now. In the past only for "
        "issued-in-error and fraud.",
    ),
]
NoteOption = Annotated[
    str | None, typer.Option("--note", help="A sentence for the holder; published as a salted hash only.")
]
IssuerOption = Annotated[
    str | None,
    typer.Option("--issuer", help="The issuer's short name; default: the only one in the home folder."),
]
RecordsOption = Annotated[
    Path | None,
    typer.Option("--records", help="Folder for the records to hand to the holders (mode 0600)."),
]
OnErrorOption = Annotated[
    OnError, typer.Option("--on-error", help="stop: a wrong row stops all; continue: it is left out.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Check and count everything, sign nothing; no passphrase.")
]
WaitOption = Annotated[float, typer.Option("--wait", help="Seconds to wait for the anchor; 0 does not wait.")]
HostOption = Annotated[str | None, typer.Option(help="Hosting node; default: as in the workspace.")]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", help="Access token; default: as in the workspace.")
]
NodeOption = Annotated[
    str | None, typer.Option(help="Node to ask; default: the issuer's host, or the node here.")
]

CHANGES = {
    "revoke": "Revoke credentials for ever: one signed statement, one anchor. "
    "Run again: nothing is done twice.",
    "suspend": "Suspend credentials until they are reinstated: one signed statement, one anchor.",
    "reinstate": "Lift a suspension; a revocation is never lifted.",
}
CHANGE_EXITS = "Exit 0 done, 1 some refused, 2 usage, 3 no anchor yet."


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for verb, promise in CHANGES.items():
        app.command(verb, help=f"{promise}\n\n{CHANGE_EXITS}")(_change(verb))
    status_app = typer.Typer(
        help="Status lists from outside: who changed what, and whether they are fair.", no_args_is_help=True
    )
    status_app.command("history")(status_history)
    status_app.command("audit")(status_audit)
    app.add_typer(status_app, name="status")


def _change(verb: str) -> Callable[..., None]:
    """The command of this verb; all three take the same."""

    def change(
        what: What,
        reason: ReasonOption = None,
        effective: EffectiveOption = None,
        note: NoteOption = None,
        issuer: IssuerOption = None,
        records: RecordsOption = None,
        on_error: OnErrorOption = OnError.STOP,
        dry_run: DryRunOption = False,
        wait_seconds: WaitOption = 120.0,
        node: HostOption = None,
        token_file: TokenFileOption = None,
        passphrase_file: PassphraseOption = None,
        json: JsonOption = False,
        home: HomeOption = None,
    ) -> None:
        from testamur.node.cli.settings import only_issuer
        from testamur.node.cli.status_changing import ACTIONS, ChangeOptions, run_change

        options = ChangeOptions(
            action=ACTIONS[verb],
            what=tuple(what),
            reason=reason,
            effective=effective,
            note=note,
            slug=issuer or only_issuer(home),
            records=records,
            leave_out_bad=on_error == OnError.CONTINUE,
            dry_run=dry_run,
            wait_seconds=wait_seconds,
            node_url=node,
            token_file=token_file,
            passphrase_file=passphrase_file,
            as_json=json,
            home=home,
        )
        raise typer.Exit(run_change(options))

    return change


def status_history(
    log: Annotated[
        str, typer.Argument(help="The issuer's short name, or its log, e.g. registry.example/ada/1.")
    ],
    credential: Annotated[
        str | None, typer.Option("--of", help="Only changes of this credential: a dossier. It is not sent.")
    ] = None,
    node: NodeOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Who changed which status when, from the issuer's log alone; no node learns about whom."""
    from testamur.node.cli.status_history import run_history

    run_history(log, credential=credential, node_url=node, as_json=json, home=home)


def status_audit(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Dossiers to look at together; none: the issuers' lists alone."),
    ] = None,
    node: NodeOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Find status lists that could track their holders. Exit 0 fair, 1 something is flagged."""
    from testamur.node.cli.status_audit import run_audit

    raise typer.Exit(run_audit(files or [], node_url=node, as_json=json, home=home))
