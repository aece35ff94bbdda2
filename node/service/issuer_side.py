"""The issuer's own place: a workspace with its keys, its ledger, and where its host is found.

<workspace>/keys/      the key that signs now, encrypted
<workspace>/cold/      the key that will sign next, and the controller's account: move it off this machine
<workspace>/host.json  the hosting node's address
<workspace>/token      the access token that the host gave
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from testamur.node.chain.signing import ChainAccount
from testamur.node.errors import ConfigError
from testamur.node.fetch.registry import RegistryClient
from testamur.node.files import SECRET_MODE, make_folders, read_file, write_atomically
from testamur.node.issuing.apply import build_application
from testamur.node.issuing.workspace import Settings, Workspace, create_workspace, open_workspace
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.shapes import Shape

SIGNING_KEY = "signing-1"
NEXT_KEY = "signing-2"
CONTROLLER = "controller"
MAX_SMALL_FILE_BYTES = 4096


def apply(
    folder: Path,
    *,
    registry: str,
    slug: str,
    did: str,
    name: str,
    status_base: str,
    node_url: str,
    passphrase: Passphrase,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> dict[str, Json]:
    """Make a workspace with new keys, and return the application for the host. Raises ConfigError."""
    make_folders(folder, mode=0o700)
    hot, cold = Keystore(folder / "keys", passphrase), Keystore(folder / "cold", passphrase)
    for store, key_name, algorithm in (
        (hot, SIGNING_KEY, Algorithm.ED25519),
        (cold, NEXT_KEY, Algorithm.ED25519),
        (cold, CONTROLLER, Algorithm.SECP256K1),
    ):
        if store.find(key_name) is None:
            store.create(key_name, algorithm)
    controller = ChainAccount(cold.load_secp256k1(CONTROLLER)).address
    settings = Settings(
        registry=registry,
        slug=slug,
        did=did,
        name=name,
        controller=f"0x{controller.hex()}",
        status_base=status_base,
    )
    next_key = cold.load(NEXT_KEY).public_key
    with create_workspace(
        folder, settings, key=hot.load(SIGNING_KEY), next_keys=[next_key], now=now, random_bytes=random_bytes
    ) as workspace:
        write_atomically(folder / "host.json", canonicalize({"node": node_url}) + b"\n")
        return build_application(workspace)


def application_of(folder: Path) -> dict[str, Json]:
    """The application of a workspace that exists already. Raises ConfigError, StoreLocked."""
    with open_workspace(folder) as workspace:
        return build_application(workspace)


def signing_key(folder: Path, passphrase: Passphrase) -> SigningKey:
    """The key that signs now. Raises ConfigError for a wrong passphrase or a missing key."""
    return Keystore(folder / "keys", passphrase).load(SIGNING_KEY)


def save_token(folder: Path, token: str) -> None:
    """Keep the access token, readable by its owner alone."""
    write_atomically(folder / "token", f"{token}\n".encode(), mode=SECRET_MODE)


def host_url(folder: Path) -> str:
    """The hosting node's address, as `issuer apply` was told."""
    data = read_file(folder / "host.json", max_bytes=MAX_SMALL_FILE_BYTES)
    if data is None:
        raise ConfigError("--node", f"{folder} does not say which node hosts it; give its address")
    return Shape(parse_json(data, subject="host.json"), "host.json").text("node")


def host_client(folder: Path, *, node_url: str | None, token_file: Path | None) -> RegistryClient:
    """The host, with the issuer's token. Raises ConfigError when there is no token."""
    path = token_file or folder / "token"
    data = read_file(path, max_bytes=MAX_SMALL_FILE_BYTES)
    if data is None:
        raise ConfigError("--token-file", f"there is no token at {path}; the host gave one at `issuer add`")
    return RegistryClient(node_url or host_url(folder), token=data.decode("utf-8", "replace").strip())


def open_for_issuing(folder: Path) -> Workspace:
    """The workspace, owned by this process until it is closed."""
    return open_workspace(folder)
