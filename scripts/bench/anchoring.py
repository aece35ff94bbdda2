"""One anchor on a real chain, client CPU: our sender and anchorer beside web3's contract call and receipt.

web3 is given what it needs to be quick: a kept connection, a local account, a receipt that is asked for as
often as ours. The anchorer does more than either: it journals to disk before it sends, reads the register
with proofs before and after, and reports only what is final.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _registry_chain import ADA, OPERATOR, OPERATOR_SECRET, Chain, Tree, registry_chain
from _report import ROUNDS, Row, compare, report
from web3 import Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions
from testamur.node.chain.capture import LogHead
from testamur.node.chain.client import ChainClient
from testamur.node.chain.contracts import ContractRefused, artifact
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.transactions import TransactionSender

PER_ROUND = 6
GOAL = 5


class Log:
    """A log that grows by one entry each time the chain has caught up; both sides anchor it in turns."""

    def __init__(self) -> None:
        self._tree = Tree(8 * ROUNDS * PER_ROUND + 1)
        self.size = 0
        self.wanted = 0

    def grow(self) -> tuple[bytes, int, int, bytes, int, list[bytes]]:
        """The arguments of the next anchor, which will be mined."""
        old, self.size = self.size, self.size + 1
        return self._tree.call(old, self.size)

    async def newest(self, log_id: bytes, old_size: int) -> AnchorRequest | None:
        """As `AnchorSource.newest`."""
        if old_size >= self.wanted:
            return None
        _, old, size, root, statement, proof = self._tree.call(old_size, self.wanted)
        return AnchorRequest(
            log_id=log_id, old_size=old, size=size, root=root, statement=statement, proof=tuple(proof)
        )

    async def anchored(self, head: LogHead, transaction_hash: bytes | None) -> None:  # noqa: ARG002
        """As `AnchorSource.anchored`."""
        self.size = head.size

    async def refused(self, log_id: bytes, error: ContractRefused) -> None:
        """As `AnchorSource.refused`."""
        raise RuntimeError(f"{log_id.hex()}: {error}")


def main() -> None:
    """Print the table."""
    with asyncio.Runner() as runner, TemporaryDirectory() as folder:
        context = registry_chain()
        chain = runner.run(context.__aenter__())
        try:
            rows = _measure(runner, chain, Path(folder))
        finally:
            runner.run(context.__aexit__(None, None, None))
    report(rows)


def _measure(runner: asyncio.Runner, chain: Chain, folder: Path) -> list[Row]:
    log = Log()
    peer = Web3(Web3.HTTPProvider(chain.anvil.rpc_url))
    account = peer.eth.account.from_key(OPERATOR_SECRET)
    peer.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)  # type: ignore[arg-type]
    contract = peer.eth.contract(Web3.to_checksum_address(chain.contract), abi=artifact()["abi"])
    clients = {
        "HTTP": ChainClient(chain.anvil.rpc_url, chain_id=31337),
        "WebSocket": ChainClient(chain.anvil.rpc_url.replace("http", "ws", 1), chain_id=31337),
    }
    for client in clients.values():
        runner.run(client.check())

    def of_web3() -> Any:
        for _ in range(PER_ROUND):
            sent = contract.functions.anchor(*log.grow()).transact({"from": account.address})
            peer.eth.wait_for_transaction_receipt(sent, poll_latency=0.002)

    def sending(client: ChainClient) -> Any:
        sender = TransactionSender(client, OPERATOR, poll_seconds=0.002)

        def ours() -> None:
            for _ in range(PER_ROUND):
                runner.run(sender.call(chain.contract, "anchor", *log.grow()))

        return ours

    def anchoring(client: ChainClient) -> Any:
        anchorer = Anchorer(
            client,
            chain.contract,
            OPERATOR,
            IntentStore(folder / client.rpc_url.partition(":")[0] / "intent"),
            log,
            clock=time.monotonic,
            options=AnchorerOptions(poll_seconds=0.001),
        )

        async def one() -> None:
            log.wanted = log.size + 1
            anchorer.wake(ADA.log_id)
            while log.size < log.wanted:
                await anchorer.advance()
                if anchorer.unsettled_block is not None:
                    await chain.anvil.mine(2)

        def ours() -> None:
            for _ in range(PER_ROUND):
                runner.run(one())

        return ours

    rows = [
        compare(
            f"{what}, {name}",
            ours=make(client),
            limit=of_web3,
            beside="web3 transact + receipt",
            count=PER_ROUND,
            at_least=GOAL,
        )
        for name, client in clients.items()
        for what, make in (("send an anchor", sending), ("anchor durably until final", anchoring))
    ]
    for client in clients.values():
        runner.run(client.close())
    return rows


if __name__ == "__main__":
    main()
