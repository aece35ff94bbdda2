"""Commands for issuers and their hosts: issuer apply, add, list, watch, replace-operator, token; issue."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.commands_node import PassphraseOption
from testamur.node.cli.commands_verify import HomeOption, JsonOption, TrustOption


class OnError(StrEnum):
    """What a wrong row means for the others."""

    STOP = "stop"
    CONTINUE = "continue"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    issuer_app = typer.Typer(help="Issuers: apply, be admitted, be listed.", no_args_is_help=True)
    issuer_app.command("apply")(issuer_apply)
    issuer_app.command("add")(issuer_add)
    issuer_app.command("list")(issuer_list)
    issuer_app.command("watch")(issuer_watch)
    issuer_app.command("replace-operator")(issuer_replace_operator)
    token_app = typer.Typer(help="Access tokens of the issuers that this node hosts.", no_args_is_help=True)
    token_app.command("create")(token_create)
    token_app.command("list")(token_list)
    token_app.command("revoke")(token_revoke)
    issuer_app.add_typer(token_app, name="token")
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
    from testamur.node.cli.issuers import run_apply

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
    from testamur.node.cli.issuers import run_add

    run_add(application, token_out=token_out, passphrase_file=passphrase_file, as_json=json, home=home)


def issuer_list(
    node: Annotated[
        str | None, typer.Option(help="Node to ask; default: the one in the home folder.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """The issuers that a node knows."""
    from testamur.node.cli.issuers import run_list

    run_list(node_url=node, as_json=json, home=home)


def issuer_watch(
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", help="The issuer's short name; default: the only one in the home folder."),
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="Nodes to look at; repeatable. Default: the hosting one.")
    ] = None,
    every_seconds: Annotated[
        float, typer.Option("--every", help="Look again after so many seconds; 0 looks once.")
    ] = 0.0,
    patience_minutes: Annotated[
        int, typer.Option("--patience", min=0, help="Minutes that a statement may take to be anchored.")
    ] = 60,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Compare what is anchored and served with what you signed. Exit 0 as signed, 1 alarm, 3 cannot tell.

    The trust file in the home folder says which blocks are final; without it that is the node's word.
    """
    from datetime import timedelta

    from testamur.node.cli.settings import only_issuer
    from testamur.node.cli.watching import WatchOptions, run_watch

    options = WatchOptions(
        slug=issuer or only_issuer(home),
        nodes=tuple(node or ()),
        every_seconds=every_seconds,
        patience=timedelta(minutes=patience_minutes),
        as_json=json,
        home=home,
    )
    raise typer.Exit(run_watch(options))


def issuer_replace_operator(
    address: Annotated[
        str, typer.Argument(help="The account that anchors from now on: the host's `testamur keys` shows it.")
    ],
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", help="The issuer's short name; default: the only one in the home folder."),
    ] = None,
    cold: Annotated[
        Path | None, typer.Option(help="Folder with the controller's key; default: cold/ of the workspace.")
    ] = None,
    trust: TrustOption = None,
    rpc: Annotated[
        str | None, typer.Option(help="Chain endpoint, several in quotes; default: the node's here.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Let another account anchor your log, and the present one no more. The controller pays for the gas."""
    from testamur.node.cli.controlling import run_replace_operator
    from testamur.node.cli.settings import only_issuer

    run_replace_operator(
        address,
        slug=issuer or only_issuer(home),
        cold=cold,
        trust=trust,
        rpc=rpc,
        passphrase_file=passphrase_file,
        as_json=json,
        home=home,
    )


IssuerOption = Annotated[str | None, typer.Option("--issuer", help="The issuer's short name.")]


def token_create(
    issuer: Annotated[str, typer.Option("--issuer", help="The issuer's short name.")],
    days: Annotated[int, typer.Option(help="Days until the token ends by itself.")] = 366,
    token_out: Annotated[
        Path | None,
        typer.Option("--token-out", help="Write the token here (0600) instead of printing it."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a further access token for an issuer; a running node knows it at once."""
    from testamur.node.cli.issuer_tokens import run_create

    run_create(issuer, days=days, out=token_out, as_json=json, home=home)


def token_list(issuer: IssuerOption = None, json: JsonOption = False, home: HomeOption = None) -> None:
    """Tokens by their ids: whose they are, until when, when last used. The tokens themselves are not kept."""
    from testamur.node.cli.issuer_tokens import run_list

    run_list(issuer, as_json=json, home=home)


def token_revoke(
    token: Annotated[
        str | None, typer.Argument(help="Id of a token, as `issuer token list` shows it; 6 digits may do.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Without an id: end all tokens of this issuer.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """End a token, or all of an issuer's; a running node refuses them at once."""
    from testamur.node.cli.issuer_tokens import run_revoke

    run_revoke(token, slug=issuer, as_json=json, home=home)


def issue(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Class lists (CSV, one learner a row) with --template; without, ready credentials: "
            "a folder, JSON, or NDJSON. Repeatable.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the dossiers (mode 0600).")],
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", help="The issuer's short name; default: the only one in the home folder."),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option("--template", help="Credential template (JSON with {{column}} placeholders)."),
    ] = None,
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
    documents: Annotated[
        Path | None, typer.Option("--documents", help="Document map (JSON): URL to file, for many contexts.")
    ] = None,
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="stop: a wrong row stops all; continue: it is left out.")
    ] = OnError.STOP,
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            help="File for wrong rows and their reasons; default: INPUT.rejects.csv (or .ndjson) in --out.",
        ),
    ] = None,
    strict_profile: Annotated[
        bool,
        typer.Option(
            "--strict-profile",
            help="A row that is no whole European micro-credential (check-profile) is a wrong row.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, sign nothing, say what it will cost; no token."),
    ] = False,
    rpc: Annotated[
        str | None, typer.Option(help="Chain endpoint for the price in a dry run; default: the node's here.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Issue a class, one dossier a learner; only digests are sent. Run again: resume, nothing twice.

    Exit 0 done, 1 wrong rows, 2 usage, 3 no anchor yet.
    """
    from testamur.node.cli.issuing import IssueOptions, run_issue
    from testamur.node.cli.settings import only_issuer

    options = IssueOptions(
        inputs=tuple(inputs),
        slug=issuer or only_issuer(home),
        template=template,
        out=out,
        node_url=node,
        rpc=rpc,
        token_file=token_file,
        wait_seconds=wait_seconds,
        context_files=tuple(context_file or ()),
        documents=documents,
        leave_out_bad=on_error == OnError.CONTINUE,
        rejects=rejects,
        strict_profile=strict_profile,
        dry_run=dry_run,
        passphrase_file=passphrase_file,
        as_json=json,
        home=home,
    )
    raise typer.Exit(run_issue(options))
