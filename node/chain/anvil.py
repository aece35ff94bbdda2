"""An embedded development chain: Anvil as a child process, with a state that survives any crash.

For development registries only. Anvil's own dumps are not atomic and a fresh start makes another genesis,
so its state is taken over RPC and kept in `snapshots`, and the genesis is compared at every start.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from testamur.node.chain.capture import attestable_height
from testamur.node.chain.client import ChainClient
from testamur.node.chain.snapshots import MAX_SNAPSHOT_BYTES, SnapshotFolder
from testamur.node.chain.values import data, elements, quantity, to_hex
from testamur.node.errors import ChainUnavailable, ConfigError
from testamur.node.files import translated_errors

CHAIN_ID: Final = 31337
"""Anvil's default: wallets and people know it as a development chain."""

BLOCKS_TO_FINAL: Final = 2
"""With one slot in an epoch Anvil calls final what lies two blocks below the newest one."""

START_SECONDS: Final = 20.0
"""Anvil listens after 0.06 s; a large state on a busy machine takes a few seconds to load."""

STOP_SECONDS: Final = 5.0
"""It ends at once; what does not end is killed, because its state was saved before."""

SNAPSHOT_POLLS: Final = 10
"""About a second: what a killed devnet may lose of its chain, finality aside."""

LOG_NAME: Final = "anvil.log"

_LISTENING: Final = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")

_LAUNCHER: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    raise SystemExit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Asks the kernel to kill Anvil when this process dies, then becomes Anvil (the request survives execve).
A launcher, because Python code between fork and exec is unsafe in a process with threads."""

Sleep = Callable[[float], Awaitable[None]]


def find_anvil(root: Path) -> Path:
    """The Anvil binary that `npm ci` puts below `root`: the real one, as killing npm's wrapper orphans it.

    Raises ConfigError naming the command that installs it.
    """
    path = root / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    if not os.access(path, os.X_OK):
        raise ConfigError("anvil", f"{path} is missing; install it with `npm ci --ignore-scripts`")
    return path


class Anvil:
    """One running Anvil whose state lives in a folder. Start it with `start`, end it with `stop`."""

    def __init__(
        self, snapshots: SnapshotFolder, process: asyncio.subprocess.Process, client: ChainClient
    ) -> None:
        self._snapshots = snapshots
        self._process = process
        self._saving = asyncio.Lock()
        self._saved_number = -1
        self.client = client

    @classmethod
    async def start(cls, binary: Path, folder: Path) -> "Anvil":
        """Anvil on a free port of 127.0.0.1, with the newest snapshot in `folder` or a new chain.

        It dies with the thread that calls this. Raises StoreCorrupt for a snapshot that cannot be loaded,
        WrongChain when the chain is not the folder's, ChainUnavailable when Anvil does not start.
        """
        snapshots = SnapshotFolder(folder)
        known = snapshots.identity()
        arguments = ["--port", "0", "--slots-in-an-epoch", "1", "--preserve-historical-states"]
        state = snapshots.unpack()
        if state is not None:
            arguments += ["--load-state", str(state)]
        process = await _launch(binary, folder, arguments)
        try:
            port = await _listening_port(process, folder)
            genesis_hash = known.genesis_hash if known else None
            client = ChainClient(
                f"http://127.0.0.1:{port}",
                chain_id=CHAIN_ID,
                genesis_hash=genesis_hash,
                max_answer_bytes=2 * MAX_SNAPSHOT_BYTES,  # a dump, as hexadecimal text
            )
            anvil = cls(snapshots, process, client)
            try:
                identity = await client.check()
                if known is None:
                    await anvil.snapshot()
                    snapshots.remember(identity)
            except BaseException:
                await client.close()
                raise
        except BaseException:
            await _end(process)
            raise
        finally:
            snapshots.discard_unpacked()
        return anvil

    @property
    def rpc_url(self) -> str:
        """Where it listens."""
        return self.client.rpc_url

    @property
    def process_id(self) -> int:
        """The process id of Anvil itself."""
        return self._process.pid

    async def snapshot(self) -> None:
        """The whole chain, durable on return; the snapshot before is kept as one older copy."""
        async with self._saving:
            # Asked first: a block mined meanwhile may be in the dump, and is saved again.
            number = quantity(await self.client.request("eth_blockNumber", []), "the head")
            dumped = data(await self.client.request("anvil_dumpState", [True]), "the chain's state")
            await asyncio.to_thread(self._snapshots.save, dumped)
            self._saved_number = number

    async def ended(self) -> int:
        """Return the exit status once Anvil has ended, by `stop` or by itself."""
        return await self._process.wait()

    async def snapshot_if_grown(self) -> None:
        """A snapshot, if there are blocks that the last one does not hold."""
        number = quantity(await self.client.request("eth_blockNumber", []), "the head")
        if number != self._saved_number:
            await self.snapshot()

    async def stop(self) -> None:
        """Save the state and end the process. A second call, or one after Anvil died, saves nothing."""
        try:
            if self._process.returncode is None:
                await self.snapshot()
        finally:
            await self.client.close()
            await _end(self._process)

    async def mine(self, blocks: int) -> None:
        """Mine empty blocks at once. They take the wall clock's time: the chain's never runs ahead of it."""
        if blocks > 0:
            await self.client.request("anvil_mine", [to_hex(blocks)])

    async def mine_until_final(self, block_number: int) -> int:
        """Mine just enough for `block_number` to be final, and nothing when it is. Returns the final height.

        The block is in a snapshot before it becomes final, so that no crash takes back what was called final.
        """
        head = await self.client.head()
        if head.number < block_number + BLOCKS_TO_FINAL:
            await self.mine(block_number - head.number)
            await self.snapshot()
            head = await self.client.head()
            await self.mine(block_number + BLOCKS_TO_FINAL - head.number)
        return (await self.client.finalized()).number

    async def fund(self, address: bytes, wei: int) -> None:
        """Give an account money from Anvil's first account, the only one that anybody unlocks."""
        accounts = elements(await self.client.request("eth_accounts", []), "accounts")
        if not accounts:
            raise ChainUnavailable("the development chain has no account to take money from")
        transfer = {"from": accounts[0], "to": to_hex(address), "value": to_hex(wei)}
        await self.client.request("eth_sendTransaction", [transfer])


async def pump(
    anvil: Anvil,
    wanted: Callable[[], int | None],
    *,
    interval_blocks: int,
    sleep: Sleep = asyncio.sleep,
    poll_seconds: float = 0.1,
) -> None:
    """Mine, for ever, whatever the block that `wanted` names needs to be final at an attestable height.

    `wanted` is None while nothing waits: idle blocks would make every later start slower. Other blocks, as
    those of admissions, are in a snapshot within SNAPSHOT_POLLS polls. A chain that does not answer is asked
    again; whoever needs it reports that.
    """
    polls = 0
    while True:
        block_number = wanted()
        polls += 1
        with contextlib.suppress(ChainUnavailable):
            if block_number is not None:
                await anvil.mine_until_final(attestable_height(block_number, interval_blocks))
            elif polls % SNAPSHOT_POLLS == 0:
                await anvil.snapshot_if_grown()
        await sleep(poll_seconds)


async def _launch(binary: Path, folder: Path, arguments: list[str]) -> asyncio.subprocess.Process:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), str(binary)]
    with translated_errors(folder / LOG_NAME), (folder / LOG_NAME).open("wb") as log:
        # A session of its own: Ctrl-C at a terminal is for the node, which saves the state and then ends
        # Anvil.
        return await asyncio.create_subprocess_exec(
            *launcher,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def _listening_port(process: asyncio.subprocess.Process, folder: Path) -> int:
    path = folder / LOG_NAME
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                found = _LISTENING.search(path.read_bytes())
                if found:
                    return int(found[1])
                await asyncio.sleep(0.01)
    last = path.read_text("utf-8", "replace").strip().splitlines()[-1:]
    raise ChainUnavailable(f"Anvil did not start (see {path}): {' '.join(last) or 'it said nothing'}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
