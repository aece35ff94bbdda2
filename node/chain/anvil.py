"""Anvil as an embedded development chain, with a state that survives any crash.

Anvil's own dumps are not atomic and a fresh start makes another genesis, so its state is taken over RPC and
kept in `snapshots`, and the genesis is compared at every start.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

from testamur.node.chain.client import ChainClient
from testamur.node.chain.embedded import EmbeddedChain, end, launch, listening_port
from testamur.node.chain.snapshots import MAX_SNAPSHOT_BYTES, SnapshotFolder
from testamur.node.chain.values import data, to_hex
from testamur.node.errors import ConfigError

CHAIN_ID: Final = 31337
"""Anvil's default: wallets and people know it as a development chain."""

BLOCKS_TO_FINAL: Final = 2
"""With one slot in an epoch Anvil calls final what lies two blocks below the newest one."""

START_SECONDS: Final = 20.0
"""Anvil listens after 0.06 s; a large state on a busy machine takes a few seconds to load."""

LOG_NAME: Final = "anvil.log"


def find_anvil(root: Path) -> Path:
    """The Anvil binary that `npm ci` puts below `root`: the real one, as killing npm's wrapper orphans it.

    Raises ConfigError naming the command that installs it.
    """
    path = root / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    if not os.access(path, os.X_OK):
        raise ConfigError("anvil", f"{path} is missing; install it with `npm ci --ignore-scripts`")
    return path


class Anvil(EmbeddedChain):
    """One running Anvil whose state lives in a folder. Start it with `start`, end it with `stop`."""

    def __init__(
        self, snapshots: SnapshotFolder, process: asyncio.subprocess.Process, client: ChainClient
    ) -> None:
        super().__init__(process, client)
        self._snapshots = snapshots
        self._saving = asyncio.Lock()

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
        process = await launch([str(binary), *arguments], folder / LOG_NAME)
        try:
            port = await listening_port(process, folder / LOG_NAME, name="Anvil", seconds=START_SECONDS)
            client = ChainClient(
                f"http://127.0.0.1:{port}",
                chain_id=CHAIN_ID,
                genesis_hash=known.genesis_hash if known else None,
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
            await end(process)
            raise
        finally:
            snapshots.discard_unpacked()
        return anvil

    async def snapshot(self) -> None:
        """The whole chain, durable on return; the snapshot before is kept as one older copy."""
        async with self._saving:
            # Asked first: a block mined meanwhile may be in the dump, and is saved again.
            number = await self.block_number()
            dumped = data(await self.client.request("anvil_dumpState", [True]), "the chain's state")
            await asyncio.to_thread(self._snapshots.save, dumped)
            self._saved_number = number

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
