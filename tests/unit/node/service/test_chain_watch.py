"""Money and clock, watched: shown always, logged once per change, and nothing waits for them."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from fakes.chain import FakeChain
from testamur.node.chain.funds import FundsLimits
from testamur.node.errors import ChainUnavailable
from testamur.node.service.chain_tasks import ASIDE
from testamur.node.service.chain_watch import (
    CLOCK,
    CLOCK_SECONDS,
    FUNDS,
    FUNDS_SECONDS,
    RATE_SECONDS,
    ChainWatch,
    count_weekly_anchors,
)
from testamur.node.service.parts import is_ok

HOUR, DAY = 3_600, 86_400
ADDRESS = b"\x0a" * 20
ANCHOR_WEI = 100_000 * 2 * 10**9


class Bench:
    """A watch over a fake chain, with clocks that the test sets."""

    def __init__(self):
        self.chain = FakeChain()
        self.elapsed, self.off, self.counted = 0.0, 0, 0
        self.watch = ChainWatch(
            self.chain,
            SimpleNamespace(address=ADDRESS, typical_gas=100_000),
            limits=FundsLimits(low_anchors=20, low_days=14),
            weekly_anchors=self._count,
            now=lambda: self.chain.state.timestamp + self.off,
            elapsed=lambda: self.elapsed,
        )

    def _count(self):
        self.counted += 1
        return 7

    async def look(self, *, seconds=FUNDS_SECONDS):
        self.elapsed += seconds
        with capture_logs() as logs:
            await self.watch.look()
        return [(row["event"], row["log_level"]) for row in logs]


@pytest.fixture
def bench():
    return Bench()


async def test_money_that_runs_out_is_said_once_per_change_and_shown_all_the_time(bench):
    said = []
    for anchors in (100, 100, 10, 10, 9, 0, 0, 0, 100, 100):
        bench.chain.balance = anchors * ANCHOR_WEI
        said.append(await bench.look())
    changed, better = [("funds-changed", "warning")], [("funds-changed", "info")]
    assert said == [[], [], changed, [], [], changed, [], [], better, []]
    assert bench.watch.parts()[FUNDS] == "ok: enough for 100 anchors, about 100 days"
    assert is_ok(bench.watch.parts()[FUNDS])


async def test_an_empty_account_says_where_the_money_goes(bench):
    assert is_ok(bench.watch.parts()[FUNDS])  # before anybody has looked
    bench.chain.balance = 0
    await bench.look()
    text = bench.watch.parts()[FUNDS]
    assert text.startswith("empty: enough for 0 anchors")
    assert f"send money to 0x{ADDRESS.hex()}; issuing goes on" in text
    assert not is_ok(text)


async def test_the_chain_is_not_asked_at_every_turn(bench):
    asked = []
    bench.chain.on_call = asked.append
    await bench.look()
    for _ in range(5):
        await bench.look(seconds=1.0)
    assert (asked.count("balance_wei"), bench.counted) == (1, 1)
    await bench.look(seconds=RATE_SECONDS)
    assert (asked.count("balance_wei"), bench.counted) == (2, 2)


@pytest.mark.parametrize("off", [HOUR, -HOUR])
async def test_a_clock_that_is_off_is_said_once_and_its_end_as_well(bench, off):
    bench.off = off
    said = []
    for _ in range(2):
        said += await bench.look(seconds=1.0)
        bench.chain.mine()
    assert said == [("clock-wrong", "warning")]
    assert f"{HOUR} s" in bench.watch.parts()[CLOCK]
    assert await bench.look(seconds=CLOCK_SECONDS) == []
    bench.off = 0
    said = []
    for _ in range(10):
        bench.chain.mine()
        said += await bench.look(seconds=CLOCK_SECONDS / 9)
    assert said == [("clock-right-again", "info")]
    assert bench.watch.parts()[CLOCK] == "ok"


async def test_an_outage_is_somebody_elses_to_report(bench):
    bench.chain.outages = 1
    with pytest.raises(ChainUnavailable):
        await bench.look()
    assert await bench.look() == []
    assert bench.watch.parts()[FUNDS].startswith("ok: enough for")


def test_neither_keeps_a_node_from_being_ready():
    assert FUNDS.startswith(ASIDE)
    assert CLOCK.startswith(ASIDE)


class Index:
    def __init__(self, **ages):
        self._ages = ages

    def anchors(self, origin):
        return [SimpleNamespace(timestamp=100 * DAY - age * DAY) for age in self._ages[origin]]


@pytest.mark.parametrize(
    ("ages", "hours", "expected"),
    [
        ({}, 24.0, 1),
        ({"a": []}, 24.0, 7),
        ({"a": [8, 9]}, 24.0, 7),
        ({"a": [0] * 30 + [8]}, 24.0, 30),
        ({"a": [0] * 30, "b": []}, 24.0, 37),
        ({"a": []}, 10_000.0, 1),
        ({"a": []}, 0.5, 336),
    ],
)
def test_a_week_has_the_last_weeks_anchors_and_no_fewer_than_the_heartbeats(ages, hours, expected):
    found = count_weekly_anchors(Index(**ages), list(ages), heartbeat_hours=hours, now_seconds=100.0 * DAY)
    assert found == expected
