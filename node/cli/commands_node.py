"""Commands for whoever runs a node: init, devnet, node, keys."""

from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.commands_verify import HomeOption, JsonOption

PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="File (mode 0600) with the passphrase of the keys. Default: systemd credential "
        "testamur-passphrase, then the terminal.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("init")(init)
    app.command("devnet")(devnet)
    app.command("keys")(keys)
    node_app = typer.Typer(help="Run a node and see how it is.", no_args_is_help=True)
    node_app.command("run")(node_run)
    node_app.command("status")(node_status)
    node_app.command("doctor")(node_doctor)
    node_app.command("reindex")(node_reindex)
    node_app.command("backup")(node_backup)
    node_app.command("restore")(node_restore)
    app.add_typer(node_app, name="node")
    council_app = typer.Typer(help="The consortium: found a registry.", no_args_is_help=True)
    council_app.command("found")(council_found)
    app.add_typer(council_app, name="council")


def init(
    registry: Annotated[str, typer.Option(help="Name of the registry, e.g. registry.example.")],
    member: Annotated[str, typer.Option(help="This member's name, e.g. ada.")],
    rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of the chain; several in quotes.")] = "",
    chain_id: Annotated[int, typer.Option(help="Id of the chain.")] = 0,
    public_url: Annotated[str, typer.Option(help="Address under which others reach this node.")] = "",
    host: Annotated[str, typer.Option(help="Address on which the HTTP interface listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the HTTP interface.")] = 8080,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a node: encrypted keys, settings, data folder. Asks for nothing but the passphrase."""
    from testamur.node.cli.operating import run_init

    run_init(
        registry=registry,
        member=member,
        rpc_url=rpc,
        chain_id=chain_id,
        public_url=public_url,
        host=host,
        port=port,
        passphrase_file=passphrase_file,
        as_json=json,
        home=home,
    )


def devnet(
    port: Annotated[int, typer.Option(help="Port of the HTTP interface; 0 lets the system choose.")] = 8080,
    sample: Annotated[bool, typer.Option(help="Admit a sample university and issue a sample class.")] = True,
    chain: Annotated[
        str | None,
        typer.Option(help="anvil or ganache. Default: the chain that the home folder has, else anvil."),
    ] = None,
    documents: Annotated[
        Path | None,
        typer.Option(help="Document map (JSON): URL or DID to file. Kept; default: that of the last start."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """A whole registry on this machine: embedded chain, node, sample university. For trying only."""
    from testamur.node.cli.devnets import run_devnet

    run_devnet(port=port, sample=sample, chain=chain, as_json=json, home=home, documents=documents)


def keys(
    workspace: Annotated[
        str | None, typer.Option("--issuer", help="Show an issuer's keys instead of the node's.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List keys with their public parts and fingerprints; needs no passphrase, shows no secret."""
    from testamur.node.cli.operating import list_keys

    list_keys(slug=workspace, as_json=json, home=home)


def node_run(passphrase_file: PassphraseOption = None, home: HomeOption = None) -> None:
    """Run the node until it is interrupted. Its log is JSON already, one event a line."""
    from testamur.node.cli.operating import run_node

    run_node(passphrase_file=passphrase_file, home=home)


def node_status(
    url: Annotated[
        str | None, typer.Option(help="The node's address; default: from the settings in the home folder.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """How a running node is: each part, each log, what is anchored. Exit 0 ready, 3 not ready."""
    from testamur.node.cli.operating import show_status

    raise typer.Exit(show_status(url=url, as_json=json, home=home))


def node_doctor(json: JsonOption = False, home: HomeOption = None) -> None:
    """Look at what a node stands on: disk, clock, chain, funds, keys, tokens, index, peers; with the cure.

    Works beside a running node. Exit 0 all well, 3 warnings, 1 something does not work.
    """
    from testamur.node.cli.doctoring import run_doctor

    raise typer.Exit(run_doctor(as_json=json, home=home))


def node_reindex(json: JsonOption = False, home: HomeOption = None) -> None:
    """Build the index anew from the node's files and the chain. The node must be stopped."""
    from testamur.node.cli.keeping import run_reindex

    run_reindex(as_json=json, home=home)


def node_backup(
    target: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Copy the keys as well; they stay encrypted.")
    ] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Copy everything that cannot be rebuilt, also while the node runs, and verify the copy."""
    from testamur.node.cli.keeping import run_backup

    run_backup(target, with_keys=with_keys, as_json=json, home=home)


def node_restore(
    source: Annotated[Path | None, typer.Argument(help="A folder that `node backup` made.")] = None,
    log: Annotated[
        str | None, typer.Option(help="Mend only the damaged files of this log (slug or origin).")
    ] = None,
    from_url: Annotated[
        str | None, typer.Option("--from", help="Mend that log from this node's HTTP interface.")
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Put a verified backup in place, or mend one log. The node must be stopped; no log ever goes back."""
    from testamur.node.cli.keeping import run_restore

    raise typer.Exit(
        run_restore(
            source,
            log=log,
            from_url=from_url,
            passphrase_file=passphrase_file,
            as_json=json,
            home=home,
        )
    )


def council_found(
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Found a registry with this member as the whole council: contract and first trust file."""
    from testamur.node.cli.operating import run_found

    run_found(passphrase_file=passphrase_file, as_json=json, home=home)
