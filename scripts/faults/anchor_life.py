"""The life of an anchorer in one process, to be killed anywhere: `anchor_life.py FOLDER RPC CONTRACT SLUG`.

Anchors three checkpoints of one log, the next one after the one before is final. Says what it is doing
(`@ arrow`) and what was reported to it as anchored (`= size`).
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions
from testamur.node.chain.capture import LogHead
from testamur.node.chain.client import ChainClient
from testamur.node.chain.contracts import ContractRefused
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.signing import ChainAccount
from testamur.registry.entries import Origin
from testamur.registry.hashing import sha256
from testamur.registry.merkle import leaf_hash, prove_consistency, root_hash

REGISTRY = "registry.example"
CHAIN_ID = 31337
SIZES = (3, 7, 20)
LEAVES = [leaf_hash(number.to_bytes(2)) for number in range(SIZES[-1])]


def operator_of(slug: str) -> ChainAccount:
    """The account that anchors this log: one for each, so that lives can run side by side."""
    return ChainAccount(sha256(f"operator of {slug}".encode()))


def root(size: int) -> bytes:
    """The root of the log's first `size` leaves."""
    return root_hash(LEAVES[:size])


def say(line: str) -> None:
    """A line in one write, without a buffer."""
    os.write(1, f"{line}\n".encode())


class Source:
    """Offers the checkpoint after the one that is anchored; the last one being final ends the life."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def newest(self, log_id: bytes, old_size: int) -> AnchorRequest | None:
        """See AnchorSource."""
        size = next((size for size in SIZES if size > old_size), None)
        if size is None:
            self.done.set()
            return None
        proof = tuple(prove_consistency(LEAVES[:size], old_size, size)) if old_size else ()
        return AnchorRequest(
            log_id=log_id, old_size=old_size, size=size, root=root(size), statement=1, proof=proof
        )

    async def anchored(self, head: LogHead, transaction_hash: bytes | None) -> None:
        """See AnchorSource."""
        if head.root != root(head.size) or (transaction_hash is not None and len(transaction_hash) != 32):
            say("! anchored something else")
        say(f"= {head.size}")

    async def refused(self, log_id: bytes, error: ContractRefused) -> None:
        """See AnchorSource."""
        say(f"! {log_id.hex()[:8]} refused: {error}")


async def live(folder: Path, rpc_url: str, contract: bytes, slug: str) -> None:
    """Anchor until everything is final, from wherever an earlier process left it."""
    source, log_id = Source(), Origin(registry=REGISTRY, slug=slug, epoch=1).log_id
    client = ChainClient(rpc_url, chain_id=CHAIN_ID)
    await client.check()
    anchorer = Anchorer(
        client,
        contract,
        operator_of(slug),
        IntentStore(folder / "intent"),
        source,
        clock=time.monotonic,
        options=AnchorerOptions(poll_seconds=0.05, resend_seconds=0.5),
    )
    anchorer.wake(log_id)
    working = asyncio.create_task(anchorer.run())
    arrow = ""
    while not source.done.is_set():
        if arrow != str(anchorer.status.state):
            arrow = str(anchorer.status.state)
            say(f"@ {arrow}")
        done, _ = await asyncio.wait([working], timeout=0.01)
        if done:
            working.result()
    working.cancel()
    await client.close()
    say("@ end")


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3]), sys.argv[4]))
