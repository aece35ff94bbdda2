"""Commands for whoever checks or holds a credential; all work without a node's extras."""

from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.output import json_line, read_input, say, write_output
from testamur.node.cli.quick_start import VerifyOptions

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Dossiers (.credential.json), bare credentials, or folders of them; - reads standard input."
    ),
]
TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="Trust file. Default: trust.json in the home folder."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document a line instead of words.")]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of this user's files. Default: $TESTAMUR_HOME or ~/.testamur."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("verify")(verify)
    app.command("evidence")(evidence)
    app.command("audit")(audit)
    trust_app = typer.Typer(help="The trust file: what a verifier must bring.", no_args_is_help=True)
    trust_app.command("show")(trust_show)
    trust_app.command("fetch")(trust_fetch)
    app.add_typer(trust_app, name="trust")


def verify(
    files: Files,
    trust: TrustOption = None,
    evidence: Annotated[Path | None, typer.Option(help="Evidence file, for a bare credential.")] = None,
    node: Annotated[
        str | None, typer.Option(help="Node to ask for newer evidence; it learns a digest prefix only.")
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option(help="Your own chain endpoint for finality; repeat it for several, which must agree."),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Refuse to touch the network (nothing is fetched without --node or --rpc anyway).",
        ),
    ] = False,
    as_of: Annotated[
        str | None, typer.Option(help="Ask about this moment, e.g. 2026-03-01T12:00:00Z.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="Policy file; default: both chain and witnesses, status at most 30 days old."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write one row a file here: .csv, .json or .ndjson by the name's ending."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes for a folder; default: one for each core.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check credentials. Exit code, the worst of all files: 0 valid, 1 invalid, 2 usage, 3 cannot tell."""
    from testamur.node.cli.verifying import run_verify

    options = VerifyOptions(
        files=tuple(files),
        trust=trust,
        evidence=evidence,
        node=node,
        rpc=tuple(rpc or ()),
        offline=offline,
        as_of=as_of,
        policy=policy,
        report=report,
        jobs=jobs,
        json=json,
        home=home,
    )
    raise typer.Exit(run_verify(options))


def evidence(
    file: Annotated[Path, typer.Argument(help="Dossier or bare credential.")],
    node: Annotated[
        str | None, typer.Option(help="Node to ask; default: the one in the workspace or home.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the evidence alone here; default: complete the dossier in place."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Fetch the newest evidence for a credential; the node learns a digest prefix only."""
    from testamur.node.cli.verifying import complete_dossier

    done = complete_dossier(file, node_url=node, out=out, home=home)
    if json:
        json_line(done)
    else:
        say(f"{done['file']}: evidence {done['state']} (entry {done['leafIndex']} of {done['origin']})")


def audit(
    folder: Annotated[Path, typer.Argument(help="Folder of one log, as a node keeps or a mirror copies it.")],
    key: Annotated[
        str | None, typer.Option(help="The log's verifier key; default: the one the folder names.")
    ] = None,
    documents: Annotated[
        Path | None, typer.Option(help="Document store with seals and statements; default: beside the log.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Re-verify a whole log from its files: tiles, bundles, seals, signatures. Exit 0 sound, 1 damaged."""
    from testamur.node.cli.auditing import run_audit

    raise typer.Exit(run_audit(folder, key=key, documents=documents, as_json=json))


def trust_show(
    file: Annotated[
        Path | None, typer.Argument(help="Trust file; default: trust.json in the home folder.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show what a trust file says, and the fingerprint to compare."""
    from testamur.node.cli.trusting import describe_trust, trust_path

    describe_trust(read_input(trust_path(file, home)), as_json=json)


def trust_fetch(
    node: Annotated[str, typer.Option(help="Node to fetch it from.")],
    fingerprint: Annotated[
        str | None, typer.Option(help="The fingerprint you know from elsewhere; another one is refused.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write it; default: trust.json in the home folder.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Fetch a trust file from a node; it counts once its fingerprint is compared with one from elsewhere."""
    from testamur.node.cli.trusting import describe_trust, fetch_trust, trust_path

    data = fetch_trust(node, fingerprint)
    target = trust_path(out, home)
    write_output(target, data)
    describe_trust(data, as_json=json)
    if fingerprint is None and not json:
        say("Compare the fingerprint with one that did not come from this node before you rely on it.")
