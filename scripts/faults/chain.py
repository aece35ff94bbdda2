"""The chain beside the lives: one Anvil on a thread, one contract, a new log for every fault."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

from anchor_life import LEAVES, REGISTRY, operator_of, root

from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.contracts import decode_result, encode_call
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.registry.entries import Origin
from testamur.registry.hashing import sha256

ROOT = Path(__file__).resolve().parents[2]
ETHER = 10**18
MINE_SECONDS = 0.05


class FaultChain:
    """A running chain that makes every transaction final at once. Calls come from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready, self._turn = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._live)
        self._failure: BaseException | None = None
        self._logs = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def new_log(self) -> str:
        """The slug of a log that was just admitted, with an operator of its own that can pay."""
        with self._turn:
            self._logs += 1
            slug = f"fault-{self._logs}"
            self._call(self._admit(slug))
        return slug

    def examine(self, slug: str) -> tuple[list[int], str]:
        """(sizes in the order in which they were anchored, what is wrong with the head)."""
        sizes, head_root = self._call(self._history(slug))
        return sizes, "" if head_root == root(len(LEAVES)) else "another root is anchored"

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as failure:  # noqa: BLE001  raised again by whoever waits for the chain
            self._failure = failure
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._anvil = await Anvil.start(find_anvil(ROOT), self._folder)
        council = ChainAccount(sha256(b"council"))
        await self._anvil.fund(council.address, 1000 * ETHER)
        self._council = TransactionSender(self._anvil.client, council, poll_seconds=0.02)
        deployed = await self._council.deploy(REGISTRY, council=council.address, recovery_delay_seconds=3600)
        self.contract = deployed.contract or b""
        self.rpc_url = self._anvil.rpc_url
        miner = asyncio.create_task(self._mine())
        self._ready.set()
        await self._stop.wait()
        miner.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await miner
        await self._anvil.stop()

    async def _mine(self) -> None:
        """Two blocks on top of whatever has come in make it final."""
        mined = 0
        while True:
            number = (await self._anvil.client.head()).number
            if number > mined:
                await self._anvil.mine(2)
                mined = number + 2
            await asyncio.sleep(MINE_SECONDS)

    async def _admit(self, slug: str) -> None:
        operator = operator_of(slug).address
        await self._anvil.fund(operator, ETHER)
        await self._council.call(
            self.contract,
            "admit",
            slug,
            f"did:example:{slug}",
            sha256(slug.encode()),
            operator,
            operator,
            sha256(b"key of " + slug.encode()),
        )

    async def _history(self, slug: str) -> tuple[list[int], bytes]:
        log_id = Origin(registry=REGISTRY, slug=slug, epoch=1).log_id
        (record,) = await self._read("log", log_id)
        sizes = [(await self._read("history", log_id, number + 1))[0][0] for number in range(record[2])]
        return sizes, record[0]

    async def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = await self._anvil.client.call(self.contract, encode_call(function, arguments))
        return decode_result(function, answer)
