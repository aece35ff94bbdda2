"""One endpoint before a real Anvil that takes what it is given and says nothing, or something untrue."""

import contextlib
from pathlib import Path

import pytest

from fakes.anvil_registry import OPERATOR, AnchoringBench, client_behind, registry_on
from fakes.rpc_proxy import RpcProxy
from testamur.node.chain.anchoring import AnchorState
from testamur.node.chain.anvil import find_anvil
from testamur.node.errors import ChainUnavailable

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])
STEPS = 40


class Bench(AnchoringBench):
    """An anchorer of one log behind a proxy; `steps` makes it advance, with a block for each step."""

    async def steps(self, anchorer, until=lambda: False):
        states = []
        for _ in range(STEPS):
            if until():
                break
            with contextlib.suppress(ChainUnavailable):
                await anchorer.advance()
            states.append(anchorer.status.state)
            await self.registry.anvil.mine(1)
        return states

    async def sent(self):
        """Transactions of the operator that are in blocks."""
        return await self.registry.client.transaction_count(OPERATOR.address)


@pytest.fixture
async def bench(tmp_path):
    async with (
        registry_on(ANVIL, tmp_path / "chain") as registry,
        RpcProxy(registry.anvil.rpc_url) as proxy,
        client_behind(registry, proxy.url) as client,
    ):
        yield Bench(registry, proxy, client, tmp_path, resend_seconds=0.0)


async def test_a_transaction_whose_answer_is_lost_is_mined_once_and_reported_once(bench):
    bench.proxy.lost.add("eth_sendRawTransaction")
    await bench.steps(bench.anchorer(), lambda: bench.log.heads)
    assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]
    assert bench.proxy.asked.count("eth_sendRawTransaction") >= 1
    assert await bench.sent() == 1


@pytest.mark.parametrize("method", ["eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getProof"])
async def test_an_endpoint_whose_answers_are_lost_for_a_while_costs_time_and_nothing_else(bench, method):
    anchorer = bench.anchorer()
    await bench.steps(anchorer, lambda: anchorer.status.state is AnchorState.SIGNED)
    bench.proxy.lost.add(method)
    await bench.steps(anchorer)
    assert bench.proxy.asked.count(method) > 1
    assert bench.log.heads == []
    bench.proxy.lost.clear()
    await bench.steps(anchorer, lambda: bench.log.heads)
    assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]
    assert await bench.sent() == 1


async def test_a_transaction_that_an_endpoint_swallows_is_never_reported_whatever_it_claims(bench):
    """It says that everything was mined and final long ago; the register's proof does not say so."""

    def receipt(params):
        zero = "0x" + "00" * 32
        return {
            "transactionHash": params[0],
            "blockHash": zero,
            "blockNumber": "0x1",
            "status": "0x1",
            "gasUsed": "0x10000",
            "effectiveGasPrice": "0x1",
            "contractAddress": None,
            "logs": [],
        }

    anchorer = bench.anchorer()
    await bench.steps(anchorer, lambda: anchorer.status.state is AnchorState.SIGNED)
    bench.proxy.inventions = {
        "eth_sendRawTransaction": lambda _params: "0x" + "11" * 32,
        "eth_getTransactionReceipt": receipt,
        "eth_getTransactionCount": lambda _params: "0x1",
    }
    await bench.steps(anchorer)
    assert bench.log.heads == []
    assert await bench.sent() == 0
    bench.proxy.inventions = {}
    await bench.steps(anchorer, lambda: bench.log.heads)
    assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]
