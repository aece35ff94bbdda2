"""The node's clock beside the chain's: what can be told from blocks, and what cannot."""

from dataclasses import replace

import pytest

from fakes.chain import FakeChain
from testamur.node.chain.clocks import FRESH_SECONDS, TOLERATED_SECONDS, ClockSkew, ClockWatch, clock_skew

HOUR = 3_600


@pytest.fixture
async def head():
    chain = FakeChain()
    chain.mine()
    return await chain.head()


def later(head, blocks=1):
    return replace(head, number=head.number + blocks, timestamp=head.timestamp + blocks)


@pytest.mark.parametrize("off", [HOUR, -HOUR, TOLERATED_SECONDS + 1, -TOLERATED_SECONDS - 1])
async def test_a_new_block_tells_a_clock_that_is_off_either_way(head, off):
    watch = ClockWatch()
    watch.observe(head, now=head.timestamp + off, elapsed=0.0)
    assert watch.observe(later(head), now=head.timestamp + 1 + off, elapsed=1.0)
    assert watch.skew.ahead_seconds == off
    way = "ahead of" if off > 0 else "behind"
    assert f"{abs(off)} s {way} the chain's: set it" in watch.skew.to_text()


@pytest.mark.parametrize("off", [0, TOLERATED_SECONDS, -TOLERATED_SECONDS])
async def test_a_clock_that_is_right_is_ok(head, off):
    watch = ClockWatch()
    watch.observe(head, now=head.timestamp + off, elapsed=0.0)
    assert watch.observe(later(head), now=head.timestamp + 1 + off, elapsed=1.0)
    assert watch.skew.to_text() == "ok"


async def test_an_old_block_says_nothing_about_a_clock_that_is_later(head):
    """An idle chain, and a node that was asleep between two looks."""
    watch = ClockWatch()
    assert not watch.observe(head, now=head.timestamp + HOUR, elapsed=0.0)
    assert not watch.observe(head, now=head.timestamp + HOUR, elapsed=1.0)
    assert not watch.observe(later(head), now=head.timestamp + HOUR, elapsed=2.0 + FRESH_SECONDS)
    assert watch.skew == ClockSkew(ahead_seconds=None)
    assert watch.skew.to_text() == "ok"


async def test_a_block_from_the_future_tells_at_the_first_look_and_is_over_once_the_clock_is_set(head):
    watch = ClockWatch()
    assert watch.observe(head, now=head.timestamp - HOUR, elapsed=0.0)
    assert watch.skew.ahead_seconds == -HOUR
    assert watch.observe(head, now=head.timestamp, elapsed=1.0)
    assert watch.skew.to_text() == "ok"


class Time:
    """A clock that goes on by a second with every look at the chain, on which a block comes."""

    def __init__(self, chain, off):
        self.chain, self.off, self.elapsed = chain, off, 0.0
        chain.on_call = self._tick

    def _tick(self, name):
        if name == "head":
            self.elapsed += 1.0
            self.chain.mine()

    def now(self):
        return self.chain.state.timestamp + self.off


@pytest.mark.parametrize("off", [HOUR, 0, -HOUR])
async def test_one_call_tells_what_new_blocks_tell(off):
    time = Time(FakeChain(), off)
    found = await clock_skew(time.chain, now=time.now, elapsed=lambda: time.elapsed, poll_seconds=0.0)
    assert found.ahead_seconds == off


async def test_one_call_gives_up_on_an_idle_chain():
    chain, elapsed = FakeChain(), iter(range(100))
    found = await clock_skew(
        chain, now=lambda: chain.state.timestamp + HOUR, elapsed=lambda: next(elapsed), poll_seconds=0.0
    )
    assert found.ahead_seconds is None
