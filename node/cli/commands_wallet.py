"""Commands for a learner: keys and credentials of one's own, shown to whom one likes. No node is needed."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from testamur.node.cli.commands_node import PassphraseOption
from testamur.node.cli.commands_verify import HomeOption, JsonOption

DEFAULT_KEY = "main"
DEFAULT_MINUTES = 15
MAX_MINUTES = 366 * 24 * 60
"""A presentation that is good for longer than a year is a copy of the credential."""

Which = Annotated[
    str, typer.Argument(help="The beginning of its digest, as `wallet list` shows it, or its id.")
]


class Suite(StrEnum):
    """What a presentation may be signed with."""

    JCS = "eddsa-jcs-2022"
    RDFC = "eddsa-rdfc-2022"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    wallet = typer.Typer(
        help="A learner's keys and credentials, on this machine alone.", no_args_is_help=True
    )
    wallet.command("new")(new)
    wallet.command("add")(add)
    wallet.command("list")(list_)
    wallet.command("show")(show)
    wallet.command("present")(present)
    wallet.command("backup")(backup)
    wallet.command("restore")(restore)
    app.add_typer(wallet, name="wallet")


def new(
    name: Annotated[
        str, typer.Option(help="Name of the key in the wallet; give another one for a further DID.")
    ] = DEFAULT_KEY,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a key, encrypted, and print its DID: what the university binds your credentials to."""
    from testamur.node.cli.wallets import run_new

    run_new(name, passphrase_file=passphrase_file, as_json=json, home=home)


def add(
    files: Annotated[
        list[Path], typer.Argument(help="Dossiers or bare credentials; - reads standard input.")
    ],
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Keep credentials; newer evidence that the same log signed replaces older, which stays beside it."""
    from testamur.node.cli.wallets import run_add

    run_add(files, as_json=json, home=home)


def list_(json: JsonOption = False, home: HomeOption = None) -> None:
    """The keys and credentials of the wallet; needs no passphrase."""
    from testamur.node.cli.wallets import run_list

    run_list(as_json=json, home=home)


def show(
    credential: Which,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the dossier here, for its owner alone (0600).")
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What a credential says; with --json, the whole dossier. `verify` says whether it holds."""
    from testamur.node.cli.wallets import run_show

    run_show(credential, out=out, as_json=json, home=home)


def present(
    challenge: Annotated[str, typer.Option(help="What the verifier gave you to answer.")],
    domain: Annotated[str, typer.Option(help="Whom you show it to, e.g. employer.example.")],
    credentials: Annotated[
        list[str] | None,
        typer.Argument(help="Which: digest beginnings or ids. Default: the only one; see --all."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every credential of the wallet.")] = False,
    key: Annotated[
        str | None,
        typer.Option(help="Key to sign with as well; default: the keys that the credentials name."),
    ] = None,
    minutes: Annotated[
        int, typer.Option(min=1, max=MAX_MINUTES, help="How long the presentation is good.")
    ] = DEFAULT_MINUTES,
    cryptosuite: Annotated[
        Suite, typer.Option(help="eddsa-rdfc-2022 for verifiers that know no other.")
    ] = Suite.JCS,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where to write it; default: wallet.presentation.json here."),
    ] = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Sign a presentation of credentials for one verifier, now: credentials and evidence in one file."""
    from testamur.node.cli.wallet_showing import run_present

    run_present(
        credentials or [],
        every=every,
        challenge=challenge,
        domain=domain,
        key=key,
        minutes=minutes,
        cryptosuite=cryptosuite.value,
        out=out,
        passphrase_file=passphrase_file,
        as_json=json,
        home=home,
    )


def backup(
    out: Annotated[
        Path, typer.Argument(help="The one file to write; it opens with the wallet's passphrase.")
    ],
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Copy the whole wallet into one encrypted file, which any machine can restore."""
    from testamur.node.cli.wallet_backups import run_backup

    run_backup(out, passphrase_file=passphrase_file, as_json=json, home=home)


def restore(
    file: Annotated[Path, typer.Argument(help="What `wallet backup` wrote.")],
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Bring a wallet back where there is none; every key and credential is read back before it counts."""
    from testamur.node.cli.wallet_backups import run_restore

    run_restore(file, passphrase_file=passphrase_file, as_json=json, home=home)
