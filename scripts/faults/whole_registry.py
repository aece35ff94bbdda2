"""A whole registry to be broken: a real chain, a node and an issuer as processes of their own.

The chain runs on a thread and makes every block that holds something final. The node is killed and started
again on the same port; the issuer is a process for each class.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.capture import attestable_height
from testamur.node.chain.contracts import decode_result, encode_call
from testamur.node.chain.signing import ChainAccount
from testamur.node.errors import NodeError
from testamur.node.fetch.registry import RegistryClient
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.keystore.passphrases import generate_passphrase_file
from testamur.node.keystore.store import Keystore
from testamur.node.service import issuer_side
from testamur.node.service.admitting import admit
from testamur.node.service.config import NodeConfig, load_config, write_config
from testamur.node.service.folders import NodeFolders
from testamur.node.service.founding import create_member_keys, found
from testamur.node.service.own_log import open_own_log
from testamur.node.service.roles import COUNCIL, OPERATOR
from testamur.registry.entries import Origin

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TEMPLATE = HERE.parent / "samples" / "data-literacy.template.json"
REGISTRY, SLUG = "registry.example", "ada"
ORIGIN = Origin(registry=REGISTRY, slug=SLUG, epoch=1)
ETHER = 10**18
INTERVAL_BLOCKS = 4
MINE_SECONDS = 0.1
START_SECONDS = 120
SETTLE_SECONDS = 240

Answer = TypeVar("Answer")


class Registry:
    """Everything below `folder`. Calls come from the thread that made it, the chain has its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.control = folder, folder / "home", folder / "control"
        self.node_root = node_folder(self.home)
        self.workspace = workspace_folder(self.home, SLUG)
        self.log_folder = NodeFolders(self.node_root).log(ORIGIN)
        self.passphrase_file = folder / "passphrase"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts = 0
        self.armed = False
        """Whether the node is one that can be broken at an arrow."""
        self._node: subprocess.Popen[bytes] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.control.mkdir()
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._end_chain()
            raise self._failure
        self.client = RegistryClient(
            self.url, token=(self.workspace / "token").read_text(encoding="utf-8").strip()
        )
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill_node()
        self.client.close()
        self._end_chain()

    def _end_chain(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    # ------------------------------------------------------------------------------------------- processes

    def start_node(self) -> None:
        """The node as a process of its own, listening on return. Its words go to node.log."""
        self.starts += 1
        words = ["node", "run", "--home", str(self.home), "--passphrase-file", str(self.passphrase_file)]
        with (self.folder / "node.log").open("ab") as log:
            self._node = subprocess.Popen(_command(words, self.control if self.armed else None), stderr=log)
        wait_for(self._listens, START_SECONDS, f"the node does not listen; {self.last_words()}")

    def kill_node(self) -> None:
        """By SIGKILL."""
        if self._node is not None:
            self._node.kill()
            self._node.wait()
            self._node = None

    def has_ended(self) -> bool:
        """Whether the node is gone, by whatever."""
        return self._node is None or self._node.poll() is not None

    def signal_node(self, number: int) -> None:
        """A signal to the running node."""
        assert self._node is not None
        self._node.send_signal(number)

    def issue(self, table: Path, out: Path, *, armed: bool = False) -> subprocess.CompletedProcess[str]:
        """One `testamur issue` to its end."""
        words = ["issue", str(table), "--template", str(TEMPLATE), "--issuer", SLUG, "--out", str(out)]
        words += ["--home", str(self.home), "--passphrase-file", str(self.passphrase_file), "--json"]
        return subprocess.run(
            _command(words, self.control if armed else None),
            capture_output=True,
            text=True,
            check=False,
            timeout=1_800,
        )

    def last_words(self) -> str:
        """The end of what the node wrote."""
        path = self.folder / "node.log"
        return path.read_text("utf-8", "replace")[-400:] if path.exists() else ""

    # ------------------------------------------------------------------------------------------ being patient

    def submit(self, digests: Sequence[bytes]) -> list[tuple[bytes, int]]:
        """What the node promises."""
        return self.until_answered(lambda: self.client.submit(SLUG, digests))

    def until_answered(self, ask: Callable[[], Answer]) -> Answer:
        """Asked again, and the node started again, until it answers."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return ask()
            except NodeError as error:
                if time.monotonic() > until:
                    raise
                if self.has_ended():
                    self.start_node()
                elif "out-of-service" in str(error):
                    time.sleep(0.1)

    def settle(self, size: int) -> None:
        """The node, started again if it ended, has anchored and captured `size` leaves; no intent is left."""
        self.settle_until(lambda: self.client.anchored_size(str(ORIGIN)) >= size, f"{size} leaves are")

    def settle_until(self, is_anchored: Callable[[], bool], what: str) -> None:
        """The same until this is true."""
        intent = NodeFolders(self.node_root).anchoring / "intent"

        def is_settled() -> bool:
            if self.has_ended():
                self.start_node()
            try:
                self.client.forget_logs()
                return is_anchored() and not intent.exists()
            except NodeError:
                return False

        wait_for(is_settled, SETTLE_SECONDS, f"{what} never anchored; {self.last_words()}")

    # ---------------------------------------------------------------------------------------------- the chain

    def anchored_sizes(self) -> tuple[list[int], bytes]:
        """(sizes in the order in which the contract got them, the newest root)."""
        found: tuple[list[int], bytes] = self._call(self._history())
        return found

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _history(self) -> tuple[list[int], bytes]:
        (record,) = await self._read("log", ORIGIN.log_id)
        sizes = [
            (await self._read("history", ORIGIN.log_id, number + 1))[0][0] for number in range(record[2])
        ]
        return sizes, record[0]

    async def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = await self._anvil.client.call(self._contract, encode_call(function, arguments))
        return decode_result(function, answer)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        (self.folder / "chain").mkdir()
        self._anvil = await Anvil.start(find_anvil(ROOT), self.folder / "chain")
        miner = None
        try:
            await self._found()
            miner = asyncio.create_task(self._mine())
        except BaseException as error:  # noqa: BLE001  told to the thread that waits
            self._failure = error
        self._ready.set()
        await self._stop.wait()
        if miner is not None:
            miner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await miner
        await self._anvil.stop()

    async def _found(self) -> None:
        """Found the registry and admit the issuer, as the commands do."""
        passphrase = generate_passphrase_file(self.passphrase_file)
        self.node_root.mkdir(parents=True)
        keystore = Keystore(self.node_root / "keys", passphrase)
        create_member_keys(keystore)
        for name in (OPERATOR, COUNCIL):
            await self._anvil.fund(ChainAccount(keystore.load_secp256k1(name)).address, 1000 * ETHER)
        identity = await self._anvil.client.check()
        config = NodeConfig(
            registry=REGISTRY,
            member="ada",
            port=self.port,
            requests_per_second=0,
            token_requests_per_second=0,
            rpc_url=self._anvil.rpc_url,
            chain_id=identity.chain_id,
            genesis_hash=f"0x{identity.genesis_hash.hex()}",
            attestation_interval=INTERVAL_BLOCKS,
            poll_seconds=0.1,
            seal_seconds=0.1,
        )
        write_config(self.node_root, config)
        now, client = datetime.now(UTC), self._anvil.client
        founded = await found(self.node_root, config, keystore, client, now=now)
        self._contract = founded.contract
        config = load_config(self.node_root)
        await open_own_log(self.home, config, keystore, client, passphrase, node_url=self.url, now=now)
        document = issuer_side.apply(
            self.workspace,
            registry=REGISTRY,
            slug=SLUG,
            did="did:web:ada.example",
            name="Ada University",
            status_base=f"{self.url}/status",
            node_url=self.url,
            passphrase=passphrase,
            now=now,
        )
        admitted = await admit(self.node_root, config, keystore, client, document, now=now)
        issuer_side.save_token(self.workspace, admitted.token)

    async def _mine(self) -> None:
        mined = 0
        while True:
            number = (await self._anvil.client.head()).number
            if number > mined:
                await self._anvil.mine_until_final(attestable_height(number, INTERVAL_BLOCKS))
                mined = (await self._anvil.client.head()).number
            await asyncio.sleep(MINE_SECONDS)

    def _listens(self) -> bool:
        if self.has_ended():
            raise RuntimeError(f"the node ended while it started: {self.last_words()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Ask until it is true. Raises RuntimeError when it never is."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(otherwise)
        time.sleep(0.05)


def _command(words: Sequence[str], control: Path | None) -> list[str]:
    if control is None:
        return [sys.executable, "-m", "testamur.node.cli.main", *words]
    return [sys.executable, str(HERE / "armed.py"), str(control), *words]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
