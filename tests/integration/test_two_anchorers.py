"""Two anchorers with one key on a real chain: never wrong, never lost, and both end with the same truth."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from fakes.anvil_registry import OPERATOR, GrowingLog, registry_on
from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.anchoring import AnchorerOptions, AnchorState
from testamur.node.chain.anvil import find_anvil
from testamur.node.chain.capture import read_log_head
from testamur.node.chain.client import ChainClient
from testamur.node.chain.events import Anchored, read_events
from testamur.node.chain.intents import IntentStore
from testamur.node.errors import ChainUnavailable

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])


@pytest.fixture
async def twin(registry, tmp_path):
    """Makes a twin; its connection is closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        def make(name, log):
            made = Twin(registry, tmp_path, name, log)
            stack.push_async_callback(made.client.close)
            return made

        yield make


@pytest.fixture
async def registry(tmp_path):
    async with registry_on(ANVIL, tmp_path / "chain") as made:
        for slug in ("ada", "bob"):
            await made.admit(slug)
        yield made


class Twin:
    """An anchorer with its own journal and connection, as a second process has them."""

    def __init__(self, registry, folder, name, log):
        self.log = log
        self.client = ChainClient(registry.anvil.rpc_url, chain_id=31337)
        self.store = IntentStore(folder / name / "intent")
        self.anchorer = Anchorer(
            self.client,
            registry.address,
            OPERATOR,
            self.store,
            log,
            clock=time.monotonic,
            options=AnchorerOptions(poll_seconds=0.01, resend_seconds=0.05, stuck_seconds=0.3),
        )

    def wants(self, size):
        self.log.size = size
        self.anchorer.wake(self.log.origin.log_id)


@contextlib.asynccontextmanager
async def running(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
        assert [task for task in tasks if task.done()] == []
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def mining(registry):
    """A block now and then, whether or not there is a transaction for it."""
    while True:
        with contextlib.suppress(ChainUnavailable):
            await registry.anvil.mine(1)
        await asyncio.sleep(0.05)


async def until(condition):
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("never happened")


async def anchors_of(registry, log):
    last = (await registry.client.head()).number
    events = await read_events(registry.client, registry.address, first=0, last=last)
    return [
        (event.sequence, event.size, event.root)
        for event in events
        if isinstance(event, Anchored) and event.log_id == log.origin.log_id
    ]


async def check_end(registry, twin, size):
    """The register, the twin's report and its journal agree, and the account waits for nothing."""
    log = twin.log
    await registry.anvil.mine(3)
    head = await read_log_head(
        registry.client, registry.address, log.origin.log_id, await registry.client.head()
    )
    assert (head.size, head.root) == (size, log.root(size))
    sequences = await anchors_of(registry, log)
    assert [sequence for sequence, _, _ in sequences] == list(range(1, len(sequences) + 1))
    sizes = [grown for _, grown, _ in sequences]
    assert sizes == sorted(set(sizes))
    assert all(root == log.root(grown) for _, grown, root in sequences)
    assert {(head.sequence, head.size, head.root) for head in log.heads} <= set(sequences)
    assert log.heads[-1].size == size
    await until(lambda: not twin.store.path.exists())
    assert twin.anchorer.status.state in (AnchorState.IDLE, AnchorState.SIGNED, AnchorState.MINED)


@pytest.mark.parametrize("automine", [True, False], ids=["a block each", "a mempool"])
async def test_two_with_a_log_each_share_the_account_and_lose_nothing(registry, twin, automine):
    await registry.client.request("evm_setAutomine", [automine])
    ada = twin("a", GrowingLog("ada"))
    bob = twin("b", GrowingLog("bob"))
    async with running(ada.anchorer.run(), bob.anchorer.run(), mining(registry)):
        for size in (3, 10, 40):
            for each in (ada, bob):
                each.wants(size)
            await until(
                lambda size=size: all(t.log.heads and t.log.heads[-1].size == size for t in (ada, bob))
            )
        await until(lambda: not ada.store.path.exists() and not bob.store.path.exists())
    for each in (ada, bob):
        await check_end(registry, each, 40)
        assert [head.size for head in each.log.heads] == [3, 10, 40]


@pytest.mark.parametrize("automine", [True, False], ids=["a block each", "a mempool"])
async def test_two_with_the_same_log_at_different_sizes_end_at_the_larger_one(registry, twin, automine):
    """A node and a copy of it that somebody started by mistake: the copy lags behind."""
    await registry.client.request("evm_setAutomine", [automine])
    node = twin("node", GrowingLog("ada"))
    copy = twin("copy", GrowingLog("ada"))
    async with running(node.anchorer.run(), copy.anchorer.run(), mining(registry)):
        for size in (5, 17, 64):
            copy.wants(size - 2)
            node.wants(size)
            await until(lambda size=size: node.log.heads and node.log.heads[-1].size == size)
        copy.wants(64)
        await until(lambda: not node.store.path.exists() and not copy.store.path.exists())
    await check_end(registry, node, 64)
    assert copy.log.refusals == []
    assert all(head.root == copy.log.root(head.size) for head in copy.log.heads)


async def test_what_the_other_one_anchored_is_reported_from_the_register_without_a_transaction(
    registry, twin
):
    """Both have signed for the same nonce; the first one's is mined, and the second one's never will be."""
    first = twin("a", GrowingLog("ada", size=9))
    second = twin("b", GrowingLog("ada", size=9))
    for each in (first, second):
        each.wants(9)
        await each.anchorer.advance()
        assert each.anchorer.status.state is AnchorState.SIGNED
    for each in (first, second):
        for _ in range(100):
            if each.log.heads:
                break
            await each.anchorer.advance()
            await registry.anvil.mine(1)
        assert [(head.sequence, head.size) for head in each.log.heads] == [(1, 9)]
        await check_end(registry, each, 9)
    assert len(await anchors_of(registry, first.log)) == 1
    assert first.log.transactions[0] is not None


async def test_the_slower_one_of_two_with_a_log_each_signs_again_for_the_next_nonce(registry, twin):
    ada = twin("a", GrowingLog("ada", size=9))
    bob = twin("b", GrowingLog("bob", size=4))
    for each, size in ((ada, 9), (bob, 4)):
        each.wants(size)
        await each.anchorer.advance()
    lost = bob.anchorer.status.transaction_hash
    for each in (ada, bob):
        for _ in range(100):
            if each.log.heads:
                break
            await each.anchorer.advance()
            await registry.anvil.mine(1)
    assert await registry.client.find_receipt(lost) is None
    assert bob.log.transactions[0] not in (None, lost)
    for each, size in ((ada, 9), (bob, 4)):
        await check_end(registry, each, size)
