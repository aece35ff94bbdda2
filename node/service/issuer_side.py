"""The issuer's own place: a workspace with its keys, its ledger, and where its host is found.

<workspace>/keys/      the key that signs now, encrypted
<workspace>/cold/      the key that will sign next, and the controller's account: move it off this machine
<workspace>/host.json  the hosting node's address
<workspace>/token      the access token that the host gave
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

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

OPEN_TO_OTHERS = 0o027
"""Modes that a file with a secret must not have: writable by its group, or anything for others."""


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
    documents: Sequence[tuple[str, Json]] = (),
) -> dict[str, Json]:
    """Make a workspace with new keys, and return the application for the host.

    `documents` are (id, public document) that the first statement names. Raises ConfigError.
    """
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
        folder,
        settings,
        key=hot.load(SIGNING_KEY),
        next_keys=[next_key],
        now=now,
        random_bytes=random_bytes,
        documents=documents,
    ) as workspace:
        save_host(folder, node_url)
        return build_application(workspace)


def application_of(folder: Path) -> dict[str, Json]:
    """The application of a workspace that exists already. Raises ConfigError, StoreLocked."""
    with open_workspace(folder) as workspace:
        return build_application(workspace)


def signing_key(folder: Path, passphrase: Passphrase) -> SigningKey:
    """The key that signs now. Raises ConfigError for a wrong passphrase or a missing key."""
    return Keystore(folder / "keys", passphrase).load(SIGNING_KEY)


def save_host(folder: Path, node_url: str) -> None:
    """From now on this is where the host is."""
    write_atomically(folder / "host.json", canonicalize({"node": node_url}) + b"\n")


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
    """The host, with the issuer's token. Raises ConfigError when there is none, or others can read it."""
    path = token_file or folder / "token"
    data = read_file(path, max_bytes=MAX_SMALL_FILE_BYTES)
    if data is None:
        raise ConfigError("--token-file", f"there is no token at {path}; the host gave one at `issuer add`")
    if path.stat().st_mode & OPEN_TO_OTHERS:
        raise ConfigError("--token-file", f"{path} is open to other users; chmod 600 it")
    return RegistryClient(node_url or host_url(folder), token=data.decode("utf-8", "replace").strip())


class Host:
    """The hosting node: anybody may read from it; the token is looked for when something is to be written."""

    def __init__(self, folder: Path, *, node_url: str | None, token_file: Path | None) -> None:
        """Nothing is asked yet. Raises ConfigError when nobody says where the host is."""
        self._folder = folder
        self._token_file = token_file
        self.url = node_url or host_url(folder)
        self.reader = RegistryClient(self.url)
        self._writer: RegistryClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.reader.close()
        if self._writer is not None:
            self._writer.close()

    def submit(self, slug: str, digests: Sequence[bytes]) -> Sequence[tuple[bytes, int]]:
        """See RegistryPort."""
        return self._with_token().submit(slug, digests)

    def publish(self, slug: str, bundle: Mapping[str, Json]) -> int:
        """See RegistryPort."""
        return self._with_token().publish(slug, bundle)

    def _with_token(self) -> RegistryClient:
        if self._writer is None:
            self._writer = host_client(self._folder, node_url=self.url, token_file=self._token_file)
        return self._writer


def open_for_issuing(folder: Path) -> Workspace:
    """The workspace, owned by this process until it is closed."""
    return open_workspace(folder)
