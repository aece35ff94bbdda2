"""Defaults that commands share: the node in the home folder, and where passphrases come from."""

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.homes import default_home, node_folder, workspace_folder
from testamur.node.keystore.passphrases import Passphrase, find_passphrase
from testamur.node.service.config import load_config
from testamur.registry.canonical import parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.trust_successions import OWN_SLUG

SYSTEMD_VARIABLE = "CREDENTIALS_DIRECTORY"


def home_of(home: Path | None) -> Path:
    """The home folder that a command means."""
    return home if home is not None else default_home()


def default_node(home: Path | None) -> str:
    """The address of the node in the home folder. Raises ConfigError when there is none."""
    config = load_config(node_folder(home_of(home)))
    return config.public_url or f"http://{config.host}:{config.port}"


def only_issuer(home: Path | None) -> str:
    """The issuer whose workspace is the only one in the home folder; the registry's own does not count.

    Raises ConfigError naming them.
    """
    folder = workspace_folder(home_of(home), "any").parent
    names = {path.parent.name for path in folder.glob("*/workspace.json")}
    slugs = sorted(names - {OWN_SLUG}) or sorted(names)
    if len(slugs) != 1:
        found = (
            f"there are several: {', '.join(slugs)}"
            if slugs
            else f"there is none in {home_of(home)}; give --home, or make one: `testamur issuer apply`"
        )
        raise ConfigError("--issuer", f"say whose credentials these are; {found}")
    return slugs[0]


def host_of_issuer(home: Path | None, did: str) -> str | None:
    """The node that hosts the issuer with this DID, when its workspace is in the home folder."""
    folder = workspace_folder(home_of(home), "any").parent
    for path in sorted(folder.glob("*/workspace.json")):
        try:
            settings = parse_json(path.read_bytes(), subject="workspace")
            host = parse_json((path.parent / "host.json").read_bytes(), subject="host.json")
        except (OSError, MalformedError):
            continue
        if isinstance(settings, dict) and settings.get("did") == did and isinstance(host, dict):
            return str(host.get("node"))
    return None


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
