"""Thousands of events from a real chain: our reader beside raw JSON-RPC, and web3's own decoder beside ours.

The raw limit is one eth_getLogs over a kept connection and `json.loads`, which nobody can avoid.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from _registry_chain import OPERATOR, Chain, Tree, registry_chain
from _report import Row, compare, report
from web3 import Web3

from testamur.node.chain.client import ChainClient
from testamur.node.chain.contracts import artifact, event_topic
from testamur.node.chain.events import Anchored, read_events
from testamur.node.chain.transactions import TransactionSender

EVENTS = 2_048
PER_TRANSACTION = 128
"""About 12 million gas: below the block limit."""


def main() -> None:
    """Print the table."""
    with asyncio.Runner() as runner:
        chain_context = registry_chain()
        chain = runner.run(chain_context.__aenter__())
        try:
            runner.run(_anchor(chain))
            last = runner.run(chain.anvil.client.head()).number
            rows = _measure(runner, chain, last)
        finally:
            runner.run(chain_context.__aexit__(None, None, None))
    report(rows)


async def _anchor(chain: Chain) -> None:
    """Anchors of one log that grows by an entry each, many to a transaction."""
    tree = Tree(EVENTS)
    sender = TransactionSender(chain.anvil.client, OPERATOR, poll_seconds=0.01)
    for start in range(0, EVENTS, PER_TRANSACTION):
        calls = [tree.call(size, size + 1) for size in range(start, start + PER_TRANSACTION)]
        await sender.call(chain.contract, "anchorMany", calls)


def _measure(runner: asyncio.Runner, chain: Chain, last: int) -> list[Row]:
    url = urlsplit(chain.anvil.rpc_url)
    raw = http.client.HTTPConnection(url.hostname or "", url.port)
    question = {
        "address": f"0x{chain.contract.hex()}",
        "fromBlock": "0x0",
        "toBlock": hex(last),
        "topics": [[f"0x{event_topic('Anchored').hex()}"]],
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [question]})
    peer = Web3(Web3.HTTPProvider(chain.anvil.rpc_url))
    contract = peer.eth.contract(Web3.to_checksum_address(chain.contract), abi=artifact()["abi"])
    clients = {
        "HTTP": ChainClient(chain.anvil.rpc_url, chain_id=31337),
        "WebSocket": ChainClient(f"ws://{url.hostname}:{url.port}", chain_id=31337),
    }

    def without_decoding() -> list[Any]:
        raw.request("POST", "/", body, {"Content-Type": "application/json"})
        rows: list[Any] = json.loads(raw.getresponse().read())["result"]
        return rows

    def ours(client: ChainClient) -> list[Anchored]:
        events = runner.run(read_events(client, chain.contract, first=0, last=last))
        return [event for event in events if isinstance(event, Anchored)]

    def of_web3() -> Any:
        return contract.events.Anchored.get_logs(from_block=0, to_block=last)

    theirs = [(bytes(row.args.logId), row.args.sequence, row.args.size) for row in of_web3()]
    rows = []
    for name, client in clients.items():
        mine = [(event.log_id, event.sequence, event.size) for event in ours(client)]
        assert len(mine) == EVENTS
        assert mine == theirs
        assert len(without_decoding()) == EVENTS
        rows += [
            compare(
                f"read an event, {name}",
                ours=lambda client=client: ours(client),  # type: ignore[misc]
                limit=without_decoding,
                beside="raw JSON-RPC",
                count=EVENTS,
                at_most=1.5,
            ),
        ]
    rows.append(
        compare(
            "read an event, HTTP",
            ours=lambda: ours(clients["HTTP"]),
            limit=of_web3,
            beside="web3 get_logs",
            count=EVENTS,
            at_least=10,
        )
    )
    for client in clients.values():
        runner.run(client.close())
    raw.close()
    return rows


if __name__ == "__main__":
    main()
