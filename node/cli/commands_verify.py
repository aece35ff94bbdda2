"""Commands for whoever checks or holds a credential; all work without a node's extras."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.output import json_line, say, source_of
from testamur.node.cli.quick_start import VerifyOptions

Files = Annotated[
    list[str],
    typer.Argument(
        help="Dossiers (.credential.json), presentations, bare credentials, folders of them, or http(s) "
        "addresses; - reads standard input."
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
    app.command("completion")(completion)


class Shell(StrEnum):
    """Shells that can complete our words."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def verify(
    files: Files,
    trust: TrustOption = None,
    evidence: Annotated[Path | None, typer.Option(help="Evidence file, for a bare credential.")] = None,
    node: Annotated[
        str | None,
        typer.Option(
            help="Node to ask for newer evidence, which counts unless something proven is lost by it; it "
            "learns a digest prefix only."
        ),
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
        str | None,
        typer.Option(
            help="Ask about this moment, e.g. 2026-03-01T12:00:00Z, or the end of a day, e.g. 2026-03-01."
        ),
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
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show every check of every file; one file alone is shown so.")
    ] = False,
    context_file: Annotated[
        list[str] | None,
        typer.Option("--context-file", help="URL=FILE of a JSON-LD context that is not bundled; repeatable."),
    ] = None,
    documents: Annotated[
        Path | None, typer.Option("--documents", help="Document map (JSON): URL to file, for many of them.")
    ] = None,
    challenge: Annotated[
        str | None, typer.Option(help="What you gave the holder to answer; a presentation must contain it.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="Your own name, for which a presentation must have been made.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check credentials. Exit code, the worst of all files: 0 valid, 1 invalid, 2 usage, 3 cannot tell."""
    from testamur.node.cli.verifying import run_verify

    options = VerifyOptions(
        files=tuple(source_of(file) for file in files),
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
        verbose=verbose,
        context_file=tuple(context_file or ()),
        documents=documents,
        home=home,
        challenge=challenge,
        domain=domain,
    )
    raise typer.Exit(run_verify(options))


def evidence(
    files: Annotated[
        list[Path],
        typer.Argument(help="Dossiers, bare credentials, or folders of them; repeatable."),
    ],
    node: Annotated[
        str | None,
        typer.Option(
            help="Node to ask; default: the host of the credential's issuer, or the node, in the home."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the evidence alone here; default: complete the dossier in place."),
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="Only the newest anchored checkpoint will do; else nothing is changed."
        ),
    ] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Keep no older evidence: of a suspension that is over the file says no more."
        ),
    ] = False,
    record: Annotated[
        list[Path] | None,
        typer.Option("--record", help="Why its status changed, as the issuer handed it out; repeatable."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Fetch the newest evidence for credentials, in place; a node learns digest prefixes only.

    No file is made worse: what it proves of the past stays in it, and with a trust file in the home folder
    evidence that proves less is not taken. Run it again to go on. Exit 1: not for all.
    """
    from testamur.node.cli.completing import run_evidence

    code = run_evidence(
        files,
        node_url=node,
        out=out,
        refresh=refresh,
        forget=forget,
        records=record or (),
        as_json=json,
        home=home,
    )
    raise typer.Exit(code)


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


def completion(
    shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")],
    json: JsonOption = False,
) -> None:
    """Print a script that lets the Tab key complete commands, options and files.

    bash: testamur completion bash > ~/.local/share/bash-completion/completions/testamur

    zsh: testamur completion zsh > "${fpath[1]}/_testamur"

    fish: testamur completion fish > ~/.config/fish/completions/testamur.fish
    """
    from testamur.node.cli.shells import completion_script

    script = completion_script(shell.value)
    if json:
        json_line({"shell": shell.value, "script": script})
    else:
        say(script)
