"""Ganache as an embedded development chain: another client, with headers and proofs of its own making.

It keeps its state in a database, where every block is before its transaction's receipt can be asked for:
killed at any moment it goes on where it was. It calls every block final at once.
"""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from testamur.node.chain.client import ChainClient
from testamur.node.chain.embedded import EmbeddedChain, end, launch, listening_port
from testamur.node.chain.snapshots import SnapshotFolder
from testamur.node.errors import ConfigError, StoreCorrupt
from testamur.node.files import sync_folder, translated_errors

CHAIN_ID: Final = 1337
"""Ganache's default: wallets and people know it as a development chain."""

START_SECONDS: Final = 90.0
"""Ganache listens after 2.5 s, after four times as long on a busy machine."""

LOG_NAME: Final = "ganache.log"
DATABASE_NAME: Final = "ganache"

_SERVER: Final = """
const [path, dbPath, chainId] = process.argv.slice(1);
const server = require(path).server({
  chain: {chainId: Number(chainId), networkId: Number(chainId), hardfork: "shanghai"},
  database: {dbPath}, logging: {quiet: true},
  wallet: {seed: "testamur", totalAccounts: 1, defaultBalance: 1000000},
});
const stop = (error) => {
  if (error) console.error(String(error.message || error).split("\\n")[0]);
  server.close().catch(() => {}).finally(() => process.exit(error ? 1 : 0));
};
process.on("SIGTERM", () => stop());
process.on("SIGINT", () => stop());
server.listen(0, "127.0.0.1")
  .then(() => console.log(`Listening on 127.0.0.1:${server.address().port}`)).catch(stop);
"""
"""Ganache's command line takes no free port; its library does. The one account is the same at every start:
its seed is public, like everything on a chain of one machine."""


def find_ganache(root: Path) -> Path:
    """The package `ganache` that npm puts below `root`. Raises ConfigError naming what installs it."""
    path = root / "node_modules" / "ganache"
    if not (path / "package.json").is_file():
        cure = '`make run ARGS="--chain ganache"` or `npm ci --ignore-scripts` installs it'
        raise ConfigError("ganache", f"{path} is missing; {cure}")
    return path


class Ganache(EmbeddedChain):
    """One running Ganache whose database lives in a folder. Start it with `start`, end it with `stop`."""

    def __init__(self, database: Path, process: asyncio.subprocess.Process, client: ChainClient) -> None:
        super().__init__(process, client)
        self._database = database

    @classmethod
    async def start(cls, package: Path, folder: Path) -> "Ganache":
        """Ganache on a free port of 127.0.0.1, with the database in `folder` or a new chain.

        It dies with the thread that calls this. Raises ConfigError without `node`, StoreCorrupt for a
        database that is gone, WrongChain when the chain is not the folder's, ChainUnavailable when Ganache
        does not start.
        """
        node = shutil.which("node")
        if node is None:
            raise ConfigError("ganache", "needs Node.js. Debian, Ubuntu: apt-get install nodejs npm")
        identities = SnapshotFolder(folder)
        known, database = identities.identity(), folder / DATABASE_NAME
        if known is not None and not (database / "CURRENT").exists():
            cure = "restore it, or remove the whole home folder for a new registry"
            raise StoreCorrupt(f"{database} is missing although the chain began; {cure}")
        command = [node, "-e", _SERVER, str(package), str(database), str(CHAIN_ID)]
        process = await launch(command, folder / LOG_NAME)
        try:
            port = await listening_port(process, folder / LOG_NAME, name="Ganache", seconds=START_SECONDS)
            client = ChainClient(
                f"http://127.0.0.1:{port}",
                chain_id=CHAIN_ID,
                genesis_hash=known.genesis_hash if known else None,
            )
            ganache = cls(database, process, client)
            try:
                identity = await client.check()
                if known is None:
                    await ganache.snapshot()
                    identities.remember(identity)
            except BaseException:
                await client.close()
                raise
        except BaseException:
            await end(process)
            raise
        return ganache

    async def snapshot(self) -> None:
        """The database as it is, synced: a power cut takes nothing back that was mined before."""
        number = await self.block_number()
        await asyncio.to_thread(_sync, self._database)
        self._saved_number = number

    async def mine(self, blocks: int) -> None:
        """Mine empty blocks at once. They take the wall clock's time: the chain's never runs ahead of it."""
        if blocks > 0:
            await self.client.request("evm_mine", [{"blocks": blocks}])

    async def mine_until_final(self, block_number: int) -> int:
        """Mine just enough for `block_number` to be final, and nothing when it is. Returns the final height.

        Ganache calls a block final when it is there. It is on disk when this returns.
        """
        head = await self.client.head()
        if head.number < block_number:
            await self.mine(block_number - head.number)
        await self.snapshot_if_grown()
        return (await self.client.finalized()).number


def _sync(folder: Path) -> None:
    with translated_errors(folder):
        for path in folder.iterdir():
            # LevelDB removes files that it has merged, at any moment.
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
