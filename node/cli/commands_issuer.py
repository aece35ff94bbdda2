"""Commands for issuers and their hosts: issuer apply, add, list; issue."""

from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.commands_node import PassphraseOption
from testamur.node.cli.commands_verify import HomeOption, JsonOption


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    issuer_app = typer.Typer(help="Issuers: apply, be admitted, be listed.", no_args_is_help=True)
    issuer_app.command("apply")(issuer_apply)
    issuer_app.command("add")(issuer_add)
    issuer_app.command("list")(issuer_list)
    app.add_typer(issuer_app, name="issuer")
    app.command("issue")(issue)


def issuer_apply(
    slug: Annotated[str, typer.Option(help="Short name in the registry, e.g. ada.")],
    did: Annotated[str, typer.Option(help="The issuer's DID, e.g. did:web:ada.example.")],
    name: Annotated[str, typer.Option(help="The issuer's name in words.")],
    registry: Annotated[str, typer.Option(help="Name of the registry.")],
    node: Annotated[str, typer.Option(help="Address of the node that shall host the log.")],
    status_base: Annotated[
        str | None, typer.Option(help="Address under which status lists are served; default: <node>/status.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the application; default: application.json.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make an issuer's workspace (keys, ledger, status lists) and the application to hand to the host."""
    from testamur.node.cli.issuing import run_apply

    run_apply(
        slug=slug,
        did=did,
        name=name,
        registry=registry,
        node_url=node,
        status_base=status_base,
        out=out,
        passphrase_file=passphrase_file,
        as_json=json,
        home=home,
    )


def issuer_add(
    application: Annotated[Path, typer.Argument(help="The issuer's application.json.")],
    token_out: Annotated[
        Path | None,
        typer.Option("--token-out", help="Write the access token here (0600) instead of printing it."),
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Admit an issuer and host its log on this node; a running node begins at once."""
    from testamur.node.cli.issuing import run_add

    run_add(application, token_out=token_out, passphrase_file=passphrase_file, as_json=json, home=home)


def issuer_list(
    node: Annotated[
        str | None, typer.Option(help="Node to ask; default: the one in the home folder.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """The issuers that a node knows."""
    from testamur.node.cli.issuing import run_list

    run_list(node_url=node, as_json=json, home=home)


def issue(
    table: Annotated[Path, typer.Argument(help="CSV with one learner a row.")],
    issuer: Annotated[str, typer.Option("--issuer", help="The issuer's short name.")],
    template: Annotated[
        Path, typer.Option("--template", help="Credential template (JSON with {{column}} placeholders).")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the dossiers.")],
    node: Annotated[str | None, typer.Option(help="Hosting node; default: as in the workspace.")] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="Access token; default: as in the workspace.")
    ] = None,
    wait_seconds: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for the anchor; 0 does not wait.")
    ] = 120.0,
    context_file: Annotated[
        list[str] | None,
        typer.Option("--context-file", help="URL=FILE of a JSON-LD context that is not bundled; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and sign nothing.")] = False,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Issue a class, one dossier a learner; only digests are sent. Run again: resume. Exit 3: no anchor."""
    from testamur.node.cli.issuing import run_issue

    code = run_issue(
        table,
        slug=issuer,
        template=template,
        out=out,
        node_url=node,
        token_file=token_file,
        wait_seconds=wait_seconds,
        context_files=context_file or [],
        dry_run=dry_run,
        passphrase_file=passphrase_file,
        as_json=json,
        home=home,
    )
    raise typer.Exit(code)
