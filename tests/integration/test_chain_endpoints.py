"""Several RPC endpoints before a real Anvil: one that lies, lags, hangs or breaks off changes nothing."""

import contextlib
import re
import time
from pathlib import Path

import pytest

from fakes.rpc_proxy import RpcProxy
from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions, AnchorState
from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.capture import WantedLog, capture_anchor, read_log_head
from testamur.node.chain.client import ChainClient
from testamur.node.chain.intents import AnchorRequest, IntentStore
from testamur.node.chain.pool import ChainPool
from testamur.node.chain.signing import ChainAccount
from testamur.node.chain.transactions import TransactionSender
from testamur.node.errors import ChainUnavailable, WrongChain
from testamur.registry.entries import Origin
from testamur.registry.evm.anchors import prove_anchor
from testamur.registry.hashing import sha256

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])
ADA = Origin(registry="registry.example", slug="ada", epoch=1)
COUNCIL, OPERATOR = ChainAccount(sha256(b"council")), ChainAccount(sha256(b"operator"))
ROOT = sha256(b"root of nine leaves")
WANTED = WantedLog(issuer_id=ADA.issuer_id, log_id=ADA.log_id, epoch=1)


class Bench:
    """A chain with a registry in it, and proxies before it."""

    def __init__(self, anvil, contract, proxies):
        self.anvil, self.contract, self.proxies = anvil, contract, proxies
        self.identity = anvil.client.identity

    def pool(self, *proxies, seconds=2.0):
        clients = [
            ChainClient(
                proxy.url,
                chain_id=31337,
                genesis_hash=self.identity.genesis_hash,
                call_seconds=seconds,
                max_answer_bytes=1 << 20,
            )
            for proxy in proxies or self.proxies
        ]
        return contextlib.aclosing(Closing(clients))


class Closing(ChainPool):
    async def aclose(self):
        await self.close()


@pytest.fixture
async def bench(tmp_path):
    anvil = await Anvil.start(ANVIL, tmp_path / "chain")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(anvil.stop)
        for account in (COUNCIL, OPERATOR):
            await anvil.fund(account.address, 10**20)
        council = TransactionSender(anvil.client, COUNCIL)
        receipt = await council.deploy(ADA.registry, council=COUNCIL.address, recovery_delay_seconds=1)
        digest = sha256(b"admission")
        arguments = (ADA.slug, "did:web:a.example", digest, COUNCIL.address, OPERATOR.address, sha256(b"key"))
        await council.call(receipt.contract, "admit", *arguments)
        operator = TransactionSender(anvil.client, OPERATOR)
        await operator.call(receipt.contract, "anchor", ADA.log_id, 0, 9, ROOT, 1, [])
        await anvil.mine(6)
        proxies = [await stack.enter_async_context(RpcProxy(anvil.rpc_url)) for _ in range(3)]
        yield Bench(anvil, receipt.contract, proxies)


def other_state(_params, block):
    """Another state root, and the hash of the honest block."""
    return block and {**block, "stateRoot": "0x" + "77" * 32}


def shorter(_params, answer):
    answer["storageProof"][0]["proof"] = answer["storageProof"][0]["proof"][:-1]
    return answer


def mode(name):
    return lambda proxy: setattr(proxy, "mode", name)


def changing(method, change):
    return lambda proxy: proxy.changes.update({method: change})


TROUBLE = {
    "answers HTML": (mode("html"), "unavailable"),
    "answers 500": (mode("500"), "unavailable: .*500"),
    "answers without end": (mode("huge"), "unavailable: .*more than 1048576 bytes"),
    "breaks off": (mode("truncated"), "unavailable"),
    "hangs": (mode("hang"), "unavailable: .*within 0.5 s"),
    "serves another chain": (changing("eth_chainId", lambda _p, _a: "0x1"), "refused: .*serves chain 1, not"),
    "gives blocks that do not hash": (changing("eth_getBlockByNumber", other_state), "header-hash-mismatch"),
    "gives false proofs": (changing("eth_getProof", shorter), "did not prove"),
    "gives no blocks": (changing("eth_getBlockByNumber", lambda _p, _a: None), "has no block"),
    "gives numbers for blocks": (changing("eth_getBlockByNumber", lambda _p, _a: 7), "gave no block"),
    "lags": (lambda proxy: proxy.freeze(4, 2), "7 blocks behind"),
}


@pytest.mark.parametrize("name", TROUBLE)
async def test_one_of_three_endpoints_is_no_use_and_is_named(bench, name):
    spoil, said = TROUBLE[name]
    spoil(bench.proxies[0])
    honest = await bench.anvil.client.finalized()
    async with bench.pool(seconds=0.5) as pool:
        await pool.check()
        final = await pool.finalized()
        assert final.hash == honest.hash
        head = await read_log_head(pool, bench.contract, ADA.log_id, final)
        assert (head.size, head.root) == (9, ROOT)
        anchor = await capture_anchor(pool, bench.contract, [WANTED], final.number)
        proven = prove_anchor(anchor, issuer_id=ADA.issuer_id, log_id=ADA.log_id, epoch=1)
        assert proven.header.hash == honest.hash
        states = list(pool.endpoints().values())
    assert states[1:] == ["ok", "ok"]
    assert re.search(said, states[0]), states[0]


@pytest.mark.parametrize(
    "name", ["answers HTML", "hangs", "gives blocks that do not hash", "gives no blocks"]
)
async def test_two_of_three_that_fail_leave_one_that_is_enough_to_prove(bench, name):
    spoil, _ = TROUBLE[name]
    for proxy in bench.proxies[:2]:
        spoil(proxy)
    async with bench.pool(seconds=0.5) as pool:
        await pool.check()
        final = await pool.finalized()
        assert (await read_log_head(pool, bench.contract, ADA.log_id, final)).size == 9


@pytest.mark.parametrize(
    "name", sorted(set(TROUBLE) - {"serves another chain", "gives false proofs", "lags"})
)
async def test_when_every_endpoint_fails_it_is_an_outage_with_all_names(bench, name):
    spoil, _ = TROUBLE[name]
    for proxy in bench.proxies:
        spoil(proxy)
    async with bench.pool(seconds=0.2) as pool:
        with pytest.raises(ChainUnavailable) as caught:
            await pool.check()
    assert all(proxy.url in str(caught.value) for proxy in bench.proxies)


async def test_false_proofs_from_everybody_prove_nothing(bench):
    for proxy in bench.proxies:
        proxy.changes["eth_getProof"] = shorter
    async with bench.pool() as pool:
        final = await pool.finalized()
        with pytest.raises(ChainUnavailable, match="did not prove"):
            await read_log_head(pool, bench.contract, ADA.log_id, final)


async def test_a_chain_of_another_genesis_is_refused_alone_and_as_a_whole(bench):
    first = await bench.anvil.client.request("eth_getBlockByNumber", ["0x1", False])

    def elsewhere(params, block):
        return first if params[0] == "0x0" else block

    strangers = bench.proxies[:2]
    for proxy in strangers:
        proxy.changes["eth_getBlockByNumber"] = elsewhere
    async with bench.pool(strangers[0], bench.proxies[2]) as pool:
        await pool.check()
        assert (await pool.finalized()).hash == (await bench.anvil.client.finalized()).hash
        assert "begins with" in pool.endpoints()[strangers[0].url]
    async with bench.pool(*strangers) as pool:
        with pytest.raises(WrongChain, match="no endpoint serves this registry's chain"):
            await pool.check()


async def test_two_endpoints_with_different_final_blocks_stop_the_work_and_are_named(bench, tmp_path):
    """The second one has the same genesis and another history, as after a fork or an attack."""
    honest = await bench.anvil.client.finalized()
    another = await bench.anvil.client.request("eth_getBlockByNumber", [hex(honest.number - 1), False])
    liar = bench.proxies[1]

    def elsewhere(params, block):
        """The block before in place of the final one: it hashes, and it is another block."""
        tag = params[0]
        return another if tag in ("finalized", hex(honest.number)) else block

    liar.changes["eth_getBlockByNumber"] = elsewhere
    async with bench.pool(bench.proxies[0], liar) as pool:
        await pool.check()
        assert (await pool.finalized()).number == honest.number - 1
    async with bench.pool(*bench.proxies) as pool:
        assert (await pool.finalized()).hash == honest.hash
        assert (await pool.header(honest.number)).hash == honest.hash
        assert pool.endpoints()[liar.url].startswith("contradicted")
    async with bench.pool(bench.proxies[0], liar) as pool:
        with pytest.raises(ChainUnavailable, match="disagree about block") as caught:
            await pool.header(honest.number)
        assert bench.proxies[0].url in str(caught.value)
        assert liar.url in str(caught.value)


class Source:
    """One log with one more checkpoint to anchor."""

    def __init__(self):
        self.heads = []

    async def newest(self, log_id, old_size):
        if old_size:
            return None
        return AnchorRequest(log_id=log_id, old_size=0, size=5, root=sha256(b"5"), statement=1, proof=())

    async def anchored(self, head, transaction_hash):
        self.heads.append((head.size, transaction_hash))

    async def refused(self, log_id, error):
        raise AssertionError(error)


async def test_an_anchor_becomes_final_although_one_endpoint_denies_receipts_and_another_hangs_later(
    bench, tmp_path
):
    council = TransactionSender(bench.anvil.client, COUNCIL)
    bob = Origin(registry=ADA.registry, slug="bob", epoch=1)
    arguments = ("bob", "did:web:b.example", sha256(b"b"), COUNCIL.address, OPERATOR.address, sha256(b"bk"))
    await council.call(bench.contract, "admit", *arguments)
    bench.proxies[0].changes["eth_getTransactionReceipt"] = lambda _params, _answer: None
    bench.proxies[0].changes["eth_getTransactionCount"] = lambda _params, _answer: "0x0"
    source = Source()
    async with bench.pool(seconds=0.3) as pool:
        anchorer = Anchorer(
            pool,
            bench.contract,
            OPERATOR,
            IntentStore(tmp_path / "intent"),
            source,
            clock=time.monotonic,
            options=AnchorerOptions(poll_seconds=0.01),
        )
        anchorer.wake(bob.log_id)
        states = []
        for step in range(12):
            await anchorer.advance()
            states.append(anchorer.status.state)
            if step == 4:
                assert source.heads == []  # mined, and not final yet
                bench.proxies[2].mode = "hang"
                bench.proxies[0].changes.clear()
                await bench.anvil.mine(4)
            if source.heads:
                break
    assert [size for size, _ in source.heads] == [5]
    assert AnchorState.MINED in states
