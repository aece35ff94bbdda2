"""A registry for one machine: an embedded chain, a one-member consortium, a node, and a sample university.

Nothing in it is secret and nothing in it is worth anything; it is there to try and to test. A second start
goes on with the same chain, log and index.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from testamur.node.chain.devchains import chain_named, start_chain
from testamur.node.chain.embedded import EmbeddedChain, pump
from testamur.node.chain.signing import ChainAccount
from testamur.node.errors import ChainUnavailable, ConfigError
from testamur.node.files import make_folders, write_atomically
from testamur.node.homes import chain_folder, node_folder, workspace_folder
from testamur.node.issuing.workspace import SETTINGS as WORKSPACE
from testamur.node.keystore.passphrases import Passphrase, generate_passphrase_file, read_passphrase_file
from testamur.node.keystore.store import Keystore
from testamur.node.service import issuer_side
from testamur.node.service.admitting import admit
from testamur.node.service.config import CONFIG_NAME, NodeConfig, load_config, replace_config, write_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.founding import create_member_keys, found
from testamur.node.service.node import Node
from testamur.node.service.opening import application_slugs
from testamur.node.service.own_log import open_own_log
from testamur.node.service.port import ServicePort
from testamur.node.service.roles import COUNCIL, OPERATOR
from testamur.registry.trust_successions import OWN_SLUG

REGISTRY_NAME = "devnet.testamur.example"
MEMBER = "ada"
PASSPHRASE_NAME = "devnet-passphrase"  # noqa: S105  the name of a file
GIFT_WEI = 100 * 10**18
"""A hundred ether of a chain that is worth nothing: enough for a million anchors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleIssuer:
    """The university that a devnet admits."""

    slug: str = "ada"
    did: str = "did:web:ada.example"
    name: str = "Ada Lovelace University (sample)"
    status_base: str | None = None
    """Where its status lists have their addresses; None: at the devnet's own node."""


class Devnet:
    """A running devnet. Everything lies under `home`."""

    def __init__(self, home: Path, chain: EmbeddedChain, node: Node, passphrase: Passphrase) -> None:
        self.home = home
        self.chain = chain
        self.node = node
        self.passphrase = passphrase
        self.is_new = False

    @property
    def url(self) -> str:
        """Where the node listens."""
        return self.node.url

    async def open_own_log(self) -> bool:
        """Open the registry's own log, with its trust file, if that is not done yet; whether it was now."""
        node = self.node
        opened = await open_own_log(
            self.home,
            node.config,
            node.keystore,
            self.chain.client,
            self.passphrase,
            node_url=self.url,
            now=node.clock(),
        )
        if opened is None:
            return False
        await self.chain.snapshot()
        await node.hosted(OWN_SLUG)
        return True

    def tell_workspaces(self) -> None:
        """Workspaces in this home find their host again, which may listen on another port than before."""
        for slug in application_slugs(self.node.folders):
            folder = workspace_folder(self.home, slug)
            if (folder / WORKSPACE).exists():
                issuer_side.save_host(folder, self.url)

    async def admit_sample(self, issuer: SampleIssuer) -> bool:
        """Make the sample issuer's workspace and admit it, if that is not done yet; whether it was now."""
        folders = self.node.folders
        if issuer.slug in application_slugs(folders):
            return False
        folder = workspace_folder(self.home, issuer.slug)
        if (folder / WORKSPACE).exists():
            document = issuer_side.application_of(folder)
        else:
            document = issuer_side.apply(
                folder,
                registry=REGISTRY_NAME,
                slug=issuer.slug,
                did=issuer.did,
                name=issuer.name,
                status_base=issuer.status_base or f"{self.url}/status",
                node_url=self.url,
                passphrase=self.passphrase,
                now=self.node.clock(),
            )
        admitted = await admit(
            folders.root,
            self.node.config,
            self.node.keystore,
            self.chain.client,
            document,
            now=self.node.clock(),
        )
        issuer_side.save_token(folder, admitted.token)
        await self.chain.snapshot()
        await self.node.hosted(issuer.slug)
        return True


@contextlib.asynccontextmanager
async def running(
    home: Path,
    *,
    port: int,
    clock: Callable[[], datetime],
    roots: list[Path],
    chain_kind: str | None = None,
    documents: Path | None = None,
) -> AsyncIterator[Devnet]:
    """A devnet in `home` from its first start or from where it stopped; everything is stopped at the end.

    `roots` are folders in which the chain may be installed; its kind is by default the one that `home` has,
    and Anvil in a new one. `documents` is an absolute path to a document map, by default that of the last
    start. Raises ConfigError, StoreLocked, WrongChain, StoreCorrupt; each says what to do.
    """
    kind = chain_named(chain_kind)
    make_folders(home)
    _check_port(port)
    passphrase = _passphrase(home / PASSPHRASE_NAME)
    make_folders(chain_folder(home))
    chain = await start_chain(kind, chain_folder(home), roots=roots)
    try:
        root = node_folder(home)
        is_new = not (root / CONFIG_NAME).exists() or not NodeFolders(root).trust.exists()
        keystore = Keystore(root / "keys", passphrase)
        if is_new:
            await _found(root, keystore, chain, port=port, clock=clock)
        # The chain takes a free port at every start.
        config = replace(load_config(root), rpc_url=chain.rpc_url, port=port)
        if documents is not None:
            config = replace(config, documents=str(documents))
        replace_config(root, config)
        await chain.client.check_contract(bytes.fromhex(config.contract[2:]))
        write_atomically(home / "trust.json", NodeFolders(root).trust.read_bytes())
        node = Node(root, config, keystore, clock=clock)
        devnet = Devnet(home, chain, node, passphrase)
        devnet.is_new = is_new
        try:
            async with _running_tasks(devnet):
                await devnet.open_own_log()
                devnet.tell_workspaces()
                yield devnet
        finally:
            await node.close()
    finally:
        await chain.stop()


@contextlib.asynccontextmanager
async def _running_tasks(devnet: Devnet) -> AsyncIterator[None]:
    node, ready = devnet.node, asyncio.Event()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(node.run(port=ServicePort(node), ready=ready)),
            group.create_task(
                pump(
                    devnet.chain,
                    lambda: node.chain.unsettled_block,
                    interval_blocks=node.config.attestation_interval,
                )
            ),
        ]
        tasks.append(group.create_task(_refuse_end(devnet.chain)))
        waiting = group.create_task(ready.wait())
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        try:
            if waiting.done():
                yield
        finally:
            for task in [waiting, *tasks]:
                task.cancel()


async def _refuse_end(chain: EmbeddedChain) -> None:
    """A devnet without its chain is none: it stops, and its next start goes on from the last snapshot."""
    status = await chain.ended()
    raise ChainUnavailable(f"the embedded chain ended with status {status}; start the devnet again")


async def _found(
    root: Path, keystore: Keystore, chain: EmbeddedChain, *, port: int, clock: Callable[[], datetime]
) -> None:
    make_folders(root)
    create_member_keys(keystore)
    for name in (OPERATOR, COUNCIL):
        await chain.fund(ChainAccount(keystore.load_secp256k1(name)).address, GIFT_WEI)
    identity = await chain.client.check()
    config = NodeConfig(
        registry=REGISTRY_NAME,
        member=MEMBER,
        port=port,
        requests_per_second=0,  # one machine is one address, and it issues, verifies and measures
        rpc_url=chain.rpc_url,
        chain_id=identity.chain_id,
        genesis_hash=f"0x{identity.genesis_hash.hex()}",
        poll_seconds=0.2,
        seal_seconds=0.2,
        development=True,
    )
    if not (root / CONFIG_NAME).exists():
        write_config(root, config)
    await found(root, config, keystore, chain.client, now=clock())
    await chain.snapshot()


def _check_port(port: int) -> None:
    """The port is free, before anything is started. Port 0 always is. Raises ConfigError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", error)
            reason = f'{port} cannot be used ({why}); choose another, e.g. make run ARGS="--port 8090"'
            raise ConfigError("--port", reason) from error


def _passphrase(path: Path) -> Passphrase:
    """The devnet's passphrase, from a file that only its owner can read; made at the first start."""
    return read_passphrase_file(path) if path.exists() else generate_passphrase_file(path)
