"""The family `trust`: show, verify and fetch a trust file; for the council also draft, sign and publish."""

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
CurrentOption = Annotated[
    Path | None,
    typer.Option("--trust", help="The version to succeed to. Default: the node's in the home folder."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    trust_app = typer.Typer(help="The trust file: what a verifier must bring.", no_args_is_help=True)
    trust_app.command("show")(trust_show)
    trust_app.command("verify")(trust_verify)
    trust_app.command("fetch")(trust_fetch)
    trust_app.command("member")(trust_member)
    trust_app.command("draft")(trust_draft)
    trust_app.command("sign")(trust_sign)
    trust_app.command("publish")(trust_publish)
    app.add_typer(trust_app, name="trust")


def trust_show(
    file: Annotated[
        Path | None, typer.Argument(help="Trust file; default: trust.json in the home folder.")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show what a trust file says: version, predecessor, and the fingerprint to compare."""
    from testamur.node.cli.trusting import run_show, trust_path

    run_show(trust_path(file, home), as_json=json)


def trust_verify(
    files: Annotated[
        list[Path],
        typer.Argument(help="Trust files in the order of their versions, or a file of successions."),
    ],
    start: Annotated[
        Path | None, typer.Option("--from", help="The trust file that you trust; offline from there on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the newest proven version here; needs --from.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check a trust file's form, and with --from that a quorum signed each step to it. Exit 0, 1 refused."""
    from testamur.node.cli.trusting import run_verify

    raise typer.Exit(run_verify(files, start=start, out=out, as_json=json))


def trust_fetch(
    node: Annotated[str, typer.Option(help="Node to fetch it from.")],
    fingerprint: Annotated[
        str | None, typer.Option(help="The fingerprint you know from elsewhere; another one is refused.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to bring up to date; default: trust.json in the home folder."),
    ] = None,
    chain: Annotated[
        Path | None,
        typer.Option(
            "--chain", help="Write the versions in between here, for `trust verify --from` offline."
        ),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Bring your trust file up to date: only what a quorum signed replaces it. Or get a first one."""
    from testamur.node.cli.trusting import run_fetch, trust_path

    target = trust_path(out, home)
    raise typer.Exit(run_fetch(node, target=target, fingerprint=fingerprint, chain_out=chain, as_json=json))


def trust_member(
    new_attestation_key: Annotated[
        bool,
        typer.Option(
            "--new-attestation-key", help="Make a new attestation key and name it, not the old one."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the card here; default: print it.")] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """This member's card: name, address and public keys, for whoever drafts the next trust file."""
    from testamur.node.cli.trust_making import run_member

    run_member(new_key=new_attestation_key, out=out, passphrase_file=passphrase_file, as_json=json, home=home)


def trust_draft(
    out: Annotated[Path, typer.Option("--out", help="Where to write the draft.")],
    trust: CurrentOption = None,
    member: Annotated[
        list[Path] | None,
        typer.Option("--member", help="Card of a new member, or of one with new keys; repeatable."),
    ] = None,
    end: Annotated[
        list[str] | None, typer.Option("--end", help="Member whose keys end now; repeatable.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(min=1, help="Members who must sign the version after this one.")
    ] = None,
    witnesses: Annotated[
        int | None,
        typer.Option(min=1, help="Witnesses who must have cosigned; default: as it is, or a majority."),
    ] = None,
    mirrors: Annotated[int | None, typer.Option(min=1, help="The same for mirrors.")] = None,
    handover_days: Annotated[
        int,
        typer.Option(
            min=0, max=365, help="How long a key that a card replaces still counts; 0 when it was stolen."
        ),
    ] = 7,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Draft the next version of the trust file: what is not named stays as it is. It is a text to edit."""
    from testamur.node.cli.trust_making import run_draft

    run_draft(
        out=out,
        trust=trust,
        members=member or [],
        ended=end or [],
        threshold=threshold,
        witness_quorum=witnesses,
        mirror_quorum=mirrors,
        handover_days=handover_days,
        as_json=json,
        home=home,
    )


def trust_sign(
    file: Annotated[Path, typer.Argument(help="The draft; each member adds a signature.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the signed file here; default: in place.")
    ] = None,
    trust: CurrentOption = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Sign the next version with this member's attestation key, after checking it; shows what it changes."""
    from testamur.node.cli.trust_making import run_sign

    run_sign(file, out=out, trust=trust, passphrase_file=passphrase_file, as_json=json, home=home)


def trust_publish(
    file: Annotated[Path, typer.Argument(help="The next version, signed by a quorum.")],
    node: Annotated[
        str | None,
        typer.Option(help="The node that hosts the registry's own log; default: the one in the home."),
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Publish a signed version in the registry's own log; the node uses and serves it from then on."""
    from testamur.node.cli.trust_making import run_publish

    run_publish(file, node_url=node, passphrase_file=passphrase_file, as_json=json, home=home)
