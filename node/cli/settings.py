"""Defaults that commands share: the node in the home folder, and where passphrases come from."""

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from testamur.node.homes import default_home, node_folder
from testamur.node.keystore.passphrases import Passphrase, find_passphrase
from testamur.node.service.config import load_config

SYSTEMD_VARIABLE = "CREDENTIALS_DIRECTORY"


def home_of(home: Path | None) -> Path:
    """The home folder that a command means."""
    return home if home is not None else default_home()


def default_node(home: Path | None) -> str:
    """The address of the node in the home folder. Raises ConfigError when there is none."""
    config = load_config(node_folder(home_of(home)))
    return config.public_url or f"http://{config.host}:{config.port}"


def passphrase(file: Path | None, *, confirm: bool = False) -> Passphrase:
    """The passphrase from the file, the systemd credential or the terminal; never from arguments."""
    folder = os.environ.get(SYSTEMD_VARIABLE)
    return find_passphrase(
        file=file,
        credentials_folder=Path(folder) if folder else None,
        prompt=_prompt(confirm=confirm) if sys.stdin.isatty() else None,
    )


def _prompt(*, confirm: bool) -> Callable[[], str]:
    def ask() -> str:
        while True:
            first = getpass.getpass("Passphrase: ")
            if not confirm or getpass.getpass("Again: ") == first:
                return first
            sys.stderr.write("The two differ; once more.\n")

    return ask
