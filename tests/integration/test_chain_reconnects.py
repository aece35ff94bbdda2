"""A WebSocket to a real Anvil that is cut, falls silent, and leads to another chain: nothing is missed or believed."""

import asyncio
import contextlib
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fakes.tcp_proxy import TcpProxy
from testamur.node.chain.anvil import BLOCKS_TO_FINAL, Anvil, find_anvil
from testamur.node.chain.client import ChainClient
from testamur.node.chain.news import BlockNews
from testamur.node.chain.pool import ChainPool
from testamur.node.errors import ChainUnavailable, WrongChain
from testamur.node.service.following import FinalChain

pytestmark = pytest.mark.chain

ANVIL = find_anvil(Path(__file__).resolve().parents[2])


def address_of(anvil):
    parts = urlsplit(anvil.rpc_url)
    return parts.hostname, parts.port


@pytest.fixture
async def anvil(tmp_path):
    started = await Anvil.start(ANVIL, tmp_path / "chain")
    yield started
    await started.stop()


@pytest.fixture
async def proxy(anvil):
    async with TcpProxy(address_of(anvil)) as made:
        yield made


@contextlib.asynccontextmanager
async def client_through(proxy, seconds=2.0):
    made = ChainClient(f"ws://127.0.0.1:{proxy.port}", chain_id=31337, call_seconds=seconds)
    try:
        yield made
    finally:
        await made.close()


async def answered(question):
    """The answer, once the connection rests no more."""
    for _ in range(200):
        with contextlib.suppress(ChainUnavailable):
            return await question()
        await asyncio.sleep(0.02)
    return await question()


async def test_a_new_block_wakes_the_follower_long_before_the_next_poll(anvil, proxy):
    async with client_through(proxy) as client:
        chain = FinalChain(client)
        first = await chain.advance()
        seen = client.news.count
        await anvil.mine(1)
        async with asyncio.timeout(10):
            await client.news.wait(3_600, seen)
            assert (await chain.advance()).number >= first.number


async def test_a_cut_connection_comes_back_subscribed_and_every_missed_block_is_walked(anvil, proxy):
    async with client_through(proxy) as client:
        await client.check()
        chain = FinalChain(client)
        await anvil.mine(BLOCKS_TO_FINAL + 1)
        before = await chain.advance()
        proxy.is_refusing = True
        seen = client.news.count
        proxy.cut()
        async with asyncio.timeout(10):
            await client.news.wait(3_600, seen)  # that it broke is reason to look
        with pytest.raises(ChainUnavailable):
            await chain.advance()
        await anvil.mine(30)
        proxy.is_refusing = False
        walked = []
        ask = client.header

        async def noted(number):
            walked.append(number)
            return await ask(number)

        client.header = noted
        final = await answered(chain.advance)
        assert final.hash == (await anvil.client.finalized()).hash
        assert walked == list(range(before.number + 1, final.number))
        seen = client.news.count
        await anvil.mine(1)
        async with asyncio.timeout(10):
            assert await client.news.wait(3_600, seen) > seen


async def test_a_question_that_was_cut_off_fails_and_the_next_one_is_answered(anvil, proxy):
    async with client_through(proxy) as client:
        await client.check()
        proxy.is_silent = True
        asking = asyncio.create_task(client.head())
        await asyncio.sleep(0)
        proxy.cut()
        with pytest.raises(ChainUnavailable):
            await asking
        proxy.is_silent = False
        assert (await answered(client.head)).hash == (await anvil.client.head()).hash


async def test_an_endpoint_that_falls_silent_times_out_and_is_asked_on_a_new_connection(anvil, proxy):
    async with client_through(proxy, seconds=0.2) as client:
        await client.check()
        proxy.is_silent = True
        with pytest.raises(ChainUnavailable, match=r"within 0\.2 s"):
            await client.head()
        proxy.is_silent = False
        connections = proxy.accepted
        assert (await answered(client.head)).number == 0
        assert proxy.accepted == connections + 1


async def test_another_genesis_behind_the_same_address_is_refused_before_it_is_asked_anything(
    anvil, proxy, tmp_path
):
    other = await another_chain(anvil, tmp_path)
    try:
        async with client_through(proxy) as client:
            await client.check()
            proxy.target = address_of(other)
            proxy.cut()
            await asyncio.sleep(0)
            with pytest.raises(WrongChain, match="begins with"):
                await asked_of_another(client)
            proxy.target = address_of(anvil)
            assert (await answered(client.check)).genesis_hash == client.identity.genesis_hash
    finally:
        await other.stop()


async def another_chain(anvil, folder):
    """Anvil dates its genesis to the second: two that start within one are the same chain."""
    first = await anvil.client.header(0)
    for number in range(100):
        other = await Anvil.start(ANVIL, folder / f"other{number}")
        if (await other.client.header(0)).hash != first.hash:
            return other
        await other.stop()
    return pytest.fail("a hundred starts within one second")


async def asked_of_another(client):
    """A transaction would be a loss; the connection may need a moment to notice that it was cut."""
    for _ in range(200):
        with contextlib.suppress(ChainUnavailable):
            await client.send_raw(b"\x02")
            pytest.fail("another chain took a transaction")
        await asyncio.sleep(0.02)


async def test_an_older_snapshot_of_the_same_chain_is_an_outage_that_names_it(anvil, proxy, tmp_path):
    await anvil.mine(3)
    await anvil.snapshot()
    shutil.copytree(tmp_path / "chain", tmp_path / "older")
    await anvil.mine(20)
    older = await Anvil.start(ANVIL, tmp_path / "older")
    try:
        async with client_through(proxy) as client:
            await client.check()
            final = await client.finalized()
            proxy.target = address_of(older)
            proxy.cut()
            with pytest.raises(ChainUnavailable, match="restored from an older snapshot"):
                await until_named(client)
            proxy.target = address_of(anvil)
            assert (await answered(client.finalized)).hash == final.hash
    finally:
        await older.stop()


async def until_named(client):
    """Ask until it says more than that the connection broke."""
    for _ in range(200):
        try:
            await client.head()
        except ChainUnavailable as error:
            if "snapshot" in str(error):
                raise
        await asyncio.sleep(0.02)


async def test_an_endpoint_of_a_pool_may_be_a_websocket_that_announces_for_all(anvil, proxy):
    news = BlockNews()
    urls = (anvil.rpc_url, f"ws://127.0.0.1:{proxy.port}", anvil.rpc_url.replace("http", "ws"))
    pool = ChainPool(
        [ChainClient(url, chain_id=31337, call_seconds=1.0, news=news) for url in urls], news=news
    )
    try:
        await pool.check()
        seen = pool.news.count
        await anvil.mine(4)
        async with asyncio.timeout(10):
            assert await pool.news.wait(3_600, seen) > seen
        proxy.is_refusing = True
        proxy.cut()
        assert (await pool.finalized()).hash == (await anvil.client.finalized()).hash
        assert list(pool.endpoints().values()).count("ok") == 2
    finally:
        await pool.close()
