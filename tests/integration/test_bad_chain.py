"""The chain at its worst, on a real Anvil: away, replaced, older, without money, in another hour."""

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fakes.anvil_registry import OPERATOR, AnchoringBench, client_behind, registry_on
from fakes.tcp_proxy import TcpProxy
from testamur.node.chain.anchoring import AnchorState
from testamur.node.chain.anvil import Anvil, find_anvil
from testamur.node.chain.clocks import TOLERATED_SECONDS, clock_skew
from testamur.node.chain.funds import FundsLimits, FundsState, forecast_funds
from testamur.node.errors import ChainUnavailable, ReorgBeyondFinality, WrongChain
from testamur.node.service.following import MAX_LAG_BLOCKS, FinalChain

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])
HOUR = 3_600


def address_of(anvil):
    parts = urlsplit(anvil.rpc_url)
    return parts.hostname, parts.port


class Bench(AnchoringBench):
    """A registry, a proxy before its chain, and an anchorer behind the proxy."""

    async def advance(self, anchorer, until):
        """Steps of the anchorer, and a block for each, until `until` is true."""
        for _ in range(200):
            if until():
                return
            with contextlib.suppress(ChainUnavailable):
                await anchorer.advance()
                await self.registry.anvil.mine(1)
        pytest.fail(f"never happened: {anchorer.status}")


@contextlib.asynccontextmanager
async def bench_in(folder, **options):
    async with (
        registry_on(ANVIL, folder / "chain", **options) as registry,
        TcpProxy(address_of(registry.anvil)) as proxy,
        client_behind(registry, f"http://127.0.0.1:{proxy.port}") as client,
    ):
        yield Bench(registry, proxy, client, folder, resend_seconds=0.05)


@pytest.fixture
async def bench(tmp_path):
    async with bench_in(tmp_path) as made:
        yield made


async def waited(task, condition):
    for _ in range(1_000):
        if condition():
            return
        assert not task.done()
        await asyncio.sleep(0.01)
    pytest.fail("never happened")


async def test_a_chain_that_is_down_at_the_start_is_waited_for(bench):
    bench.proxy.is_refusing = True
    anchorer = bench.anchorer()
    running = asyncio.create_task(anchorer.run())
    try:
        await waited(running, lambda: anchorer.status.state is AnchorState.WAITING)
        assert "did not answer" in anchorer.status.reason
        bench.proxy.is_refusing = False
        await waited(running, lambda: anchorer.unsettled_block is not None)
        await bench.registry.anvil.mine(3)
        await waited(running, lambda: bench.log.heads)
    finally:
        running.cancel()
    assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]


@pytest.mark.parametrize("state", [AnchorState.SIGNED, AnchorState.SENT, AnchorState.MINED])
async def test_a_chain_that_goes_away_in_the_middle_loses_no_anchor_and_makes_no_second_one(bench, state):
    anchorer = bench.anchorer()
    while anchorer.status.state is not state:
        await anchorer.advance()
    bench.proxy.is_refusing = True
    bench.proxy.cut()
    with pytest.raises(ChainUnavailable):
        await anchorer.advance()
    bench.proxy.is_refusing = False
    await bench.advance(anchorer, lambda: bench.log.heads)
    assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]


async def test_another_genesis_ends_the_anchorers_work_and_the_right_one_takes_it_up_again(bench, tmp_path):
    anchorer = bench.anchorer()
    while anchorer.status.state is not AnchorState.SIGNED:
        await anchorer.advance()
    other = await another_chain(bench.registry, tmp_path)
    try:
        bench.proxy.is_refusing = True
        bench.proxy.cut()
        with pytest.raises(ChainUnavailable):
            await anchorer.advance()
        bench.proxy.target, bench.proxy.is_refusing = address_of(other), False
        with pytest.raises(WrongChain, match="begins with"):
            await bench.anchorer().run()
        assert await other.client.transaction_count(OPERATOR.address) == 0
    finally:
        await other.stop()
    bench.proxy.target = address_of(bench.registry.anvil)
    bench.proxy.cut()
    again = bench.anchorer()
    await bench.advance(again, lambda: bench.log.heads)
    assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]


async def another_chain(registry, folder):
    """Anvil dates its genesis to the second: two that start within one are the same chain."""
    for number in range(100):
        other = await Anvil.start(ANVIL, folder / f"other{number}")
        if (await other.client.header(0)).hash != registry.client.identity.genesis_hash:
            return other
        await other.stop()
    return pytest.fail("a hundred starts within one second")


async def test_an_older_snapshot_is_an_outage_while_it_is_short_and_another_chain_once_it_is_not(
    bench, tmp_path
):
    """The snapshot lacks an anchor that was final; on it, other blocks are mined at the same heights."""
    anvil = bench.registry.anvil
    await anvil.snapshot()
    shutil.copytree(tmp_path / "chain", tmp_path / "older")
    await bench.advance(bench.anchorer(), lambda: bench.log.heads)
    await anvil.mine(MAX_LAG_BLOCKS + 8)
    chain = FinalChain(bench.client)
    final = await chain.advance()
    older = await Anvil.start(ANVIL, tmp_path / "older")
    try:
        bench.proxy.target = address_of(older)
        bench.proxy.cut()
        with pytest.raises(ChainUnavailable, match="restored from an older snapshot"):
            await answered(chain.advance)
        with pytest.raises(WrongChain, match="restore the newest one"):
            await bench.client.check_contains(final.number, final.hash)
        await older.mine(final.number + 8)
        with pytest.raises(ReorgBeyondFinality, match=f"block {final.number} was final"):
            await chain.advance()
    finally:
        await older.stop()


async def answered(question):
    """Once more when the kept connection was the one that was cut."""
    try:
        return await question()
    except ChainUnavailable as error:
        if "snapshot" in str(error):
            raise
    return await question()


async def test_an_account_without_money_waits_and_says_so_and_goes_on_once_it_is_paid(tmp_path):
    async with bench_in(tmp_path, operator_wei=0) as bench:
        anchorer = bench.anchorer()
        running = asyncio.create_task(anchorer.run())
        try:
            await waited(running, lambda: anchorer.status.state is AnchorState.WAITING)
            assert f"account 0x{OPERATOR.address.hex()} cannot pay for gas" in anchorer.status.reason
            assert (await funds(bench)).state is FundsState.EMPTY
            await bench.registry.anvil.fund(OPERATOR.address, 10**18)
            assert (await funds(bench)).state is FundsState.OK
            await waited(running, lambda: anchorer.unsettled_block is not None)
            await bench.registry.anvil.mine(3)
            await waited(running, lambda: bench.log.heads)
        finally:
            running.cancel()
        assert [(head.sequence, head.size) for head in bench.log.heads] == [(1, 5)]
        assert 50_000 < anchorer.typical_gas < 150_000


async def funds(bench):
    return forecast_funds(
        balance_wei=await bench.client.balance_wei(OPERATOR.address),
        gas=100_000,
        fees=await bench.client.fees(),
        anchors_per_week=7,
        limits=FundsLimits(low_anchors=20, low_days=14),
    )


async def test_on_a_chain_an_hour_ahead_an_anchor_has_the_chains_time_and_the_clock_is_named(bench):
    await bench.registry.client.request("evm_increaseTime", [HOUR])
    await bench.registry.anvil.mine(1)
    anchorer = bench.anchorer()
    await bench.advance(anchorer, lambda: bench.log.heads)
    assert abs(bench.log.heads[0].timestamp - time.time() - HOUR) < TOLERATED_SECONDS
    skew = await clock_skew(bench.client, now=time.time, elapsed=time.monotonic)
    assert abs(skew.ahead_seconds + HOUR) < TOLERATED_SECONDS
    assert "behind the chain's: set it" in skew.to_text()


async def test_a_node_an_hour_ahead_of_its_chain_anchors_as_well_and_is_told(bench):
    async def blocks():
        while True:
            await bench.registry.anvil.mine(1)
            await asyncio.sleep(0.1)

    mining = asyncio.create_task(blocks())
    try:
        skew = await clock_skew(
            bench.client, now=lambda: time.time() + HOUR, elapsed=time.monotonic, poll_seconds=0.3
        )
        right = await clock_skew(bench.client, now=time.time, elapsed=time.monotonic, poll_seconds=0.3)
    finally:
        mining.cancel()
    assert abs(skew.ahead_seconds - HOUR) < TOLERATED_SECONDS
    assert "ahead of the chain's: set it" in skew.to_text()
    assert right.to_text() == "ok"
