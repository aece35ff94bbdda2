"""An embedded development chain: a child process whose state lives in a folder.

For development registries only. What Anvil and Ganache have in common; `devchains` starts either.
"""

import abc
import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from testamur.node.chain.capture import attestable_height
from testamur.node.chain.client import ChainClient
from testamur.node.chain.values import data, elements, quantity, to_hex
from testamur.node.errors import ChainUnavailable
from testamur.node.files import translated_errors

STOP_SECONDS: Final = 5.0
"""A chain ends at once; what does not end is killed, because its state was saved before."""

FUND_SECONDS: Final = 30.0
"""A development chain mines a transaction in milliseconds; a busy machine may take longer."""

SNAPSHOT_POLLS: Final = 10
"""About a second: what a killed devnet may lose of its chain, finality aside."""

_LISTENING: Final = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")

_LAUNCHER: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    raise SystemExit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Asks the kernel to kill the chain when this process dies, then becomes the chain (the request survives
execve). A launcher, because Python code between fork and exec is unsafe in a process with threads."""

Sleep = Callable[[float], Awaitable[None]]


class EmbeddedChain(abc.ABC):
    """One running development chain. Its class starts it; `stop` ends it, and it dies with its parent."""

    def __init__(self, process: asyncio.subprocess.Process, client: ChainClient) -> None:
        self._process = process
        self._saved_number = -1
        self.client = client

    @property
    def rpc_url(self) -> str:
        """Where it listens."""
        return self.client.rpc_url

    @property
    def process_id(self) -> int:
        """The process id of the chain itself."""
        return self._process.pid

    @abc.abstractmethod
    async def snapshot(self) -> None:
        """The whole chain, durable on return."""

    @abc.abstractmethod
    async def mine(self, blocks: int) -> None:
        """Mine empty blocks at once. They take the wall clock's time: the chain's never runs ahead of it."""

    @abc.abstractmethod
    async def mine_until_final(self, block_number: int) -> int:
        """Mine what `block_number` needs to be final, and nothing when it is. Returns the final height."""

    async def ended(self) -> int:
        """Return the exit status once the chain has ended, by `stop` or by itself."""
        return await self._process.wait()

    async def snapshot_if_grown(self) -> None:
        """A snapshot, if there are blocks that the last one does not hold."""
        if await self.block_number() != self._saved_number:
            await self.snapshot()

    async def block_number(self) -> int:
        """The number of the newest block."""
        return quantity(await self.client.request("eth_blockNumber", []), "the head")

    async def stop(self) -> None:
        """Save the state and end the process. A second call, or one after the chain died, saves nothing."""
        try:
            if self._process.returncode is None:
                await self.snapshot()
        finally:
            await self.client.close()
            await end(self._process)

    async def fund(self, address: bytes, wei: int) -> None:
        """Give an account money from the chain's first account, the only one that anybody unlocks.

        It is there on return: Anvil answers with the transaction's hash before it has mined the block.
        """
        accounts = elements(await self.client.request("eth_accounts", []), "accounts")
        if not accounts:
            raise ChainUnavailable("the development chain has no account to take money from")
        transfer = {"from": accounts[0], "to": to_hex(address), "value": to_hex(wei)}
        sent = data(await self.client.request("eth_sendTransaction", [transfer]), "a transaction", length=32)
        deadline = asyncio.get_running_loop().time() + FUND_SECONDS
        while await self.client.find_receipt(sent) is None:
            if asyncio.get_running_loop().time() > deadline:
                raise ChainUnavailable(f"the development chain mined no transfer within {FUND_SECONDS:.0f} s")
            await asyncio.sleep(0.01)


async def pump(
    chain: EmbeddedChain,
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
                await chain.mine_until_final(attestable_height(block_number, interval_blocks))
            elif polls % SNAPSHOT_POLLS == 0:
                await chain.snapshot_if_grown()
        await sleep(poll_seconds)


async def launch(command: Sequence[str], log: Path) -> asyncio.subprocess.Process:
    """Start a chain that is killed when the calling thread dies; what it says goes into the file `log`."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
    with translated_errors(log), log.open("wb") as output:
        # A session of its own: Ctrl-C at a terminal is for the node, which saves the state and then ends
        # the chain.
        return await asyncio.create_subprocess_exec(
            *launcher,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def listening_port(process: asyncio.subprocess.Process, log: Path, *, name: str, seconds: float) -> int:
    """The port that the chain says it listens on. Raises ChainUnavailable with the last that it said."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while process.returncode is None:
                found = _LISTENING.search(_said(log))
                if found:
                    return int(found[1])
                await asyncio.sleep(0.01)
    last = _said(log).decode("utf-8", "replace").strip().splitlines()[-1:]
    raise ChainUnavailable(f"{name} did not start (see {log}): {' '.join(last)[:300] or 'it said nothing'}")


def _said(log: Path) -> bytes:
    return log.read_bytes()


async def end(process: asyncio.subprocess.Process) -> None:
    """End the process: asked first, killed when it does not. Nothing when it has ended."""
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
