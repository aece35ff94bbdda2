"""Two things that an operator must see coming: the anchoring account's money, and a clock that is wrong.

Both are looked at now and then, shown, and logged when they change. Nothing waits for them: issuing goes on
without money, and anchoring goes on with a wrong clock.
"""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from testamur.node.chain.anchorer import Anchorer
from testamur.node.chain.clocks import ClockWatch
from testamur.node.chain.funds import FundsForecast, FundsLimits, FundsState, forecast_funds
from testamur.node.chain.ports import Chain
from testamur.node.index.store import Index

FUNDS = "funds"
CLOCK = "clock"

FUNDS_SECONDS = 60.0
"""How often the balance is read: an anchor costs one of many, and money arrives rarely."""

RATE_SECONDS = 3_600.0
"""How often anchors are counted: it reads every anchor's row."""

CLOCK_SECONDS = 60.0
CLOCK_LOOKS = 8
"""Looks in a row for a new block; on a chain that is idle the next ones come after CLOCK_SECONDS."""

WEEK_SECONDS = 7 * 24 * 3_600

logger = structlog.get_logger(__name__)


class ChainWatch:
    """The state of money and clock. One task at a time."""

    def __init__(
        self,
        client: Chain,
        anchorer: Anchorer,
        *,
        limits: FundsLimits,
        weekly_anchors: Callable[[], int],
        now: Callable[[], float],
        elapsed: Callable[[], float],
    ) -> None:
        """`weekly_anchors` may read a disk; `now` is seconds since 1970, `elapsed` never goes back."""
        self._client = client
        self._anchorer = anchorer
        self._limits = limits
        self._weekly_anchors = weekly_anchors
        self._now = now
        self._elapsed = elapsed
        self._clocks = ClockWatch()
        self._looks = 0
        self._clock_at = self._funds_at = self._rate_at = 0.0
        self._rate = 0
        self._was_funds = FundsState.OK
        self._was_clock = "ok"
        self.funds: FundsForecast | None = None

    def parts(self) -> dict[str, str]:
        """A word or a sentence each; one that is well begins with "ok"."""
        return {FUNDS: self._funds_text(), CLOCK: self._clocks.skew.to_text()}

    async def look(self) -> None:
        """Look at what is due. Raises ChainUnavailable."""
        elapsed = self._elapsed()
        if elapsed >= self._clock_at:
            await self._look_at_clocks()
        if elapsed >= self._funds_at:
            await self._look_at_funds(elapsed)
            self._funds_at = elapsed + FUNDS_SECONDS

    async def _look_at_clocks(self) -> None:
        told = self._clocks.observe(await self._client.head(), now=self._now(), elapsed=self._elapsed())
        self._looks += 1
        if told or self._looks >= CLOCK_LOOKS:
            self._looks = 0
            self._clock_at = self._elapsed() + CLOCK_SECONDS
        text = self._clocks.skew.to_text()
        if (text == "ok") != (self._was_clock == "ok"):
            if text == "ok":
                logger.info("clock-right-again")
            else:
                logger.warning("clock-wrong", ahead_seconds=self._clocks.skew.ahead_seconds, reason=text)
        self._was_clock = text

    async def _look_at_funds(self, elapsed: float) -> None:
        if not self._rate or elapsed >= self._rate_at:
            self._rate = await asyncio.to_thread(self._weekly_anchors)
            self._rate_at = elapsed + RATE_SECONDS
        self.funds = forecast_funds(
            balance_wei=await self._client.balance_wei(self._anchorer.address),
            gas=self._anchorer.typical_gas,
            fees=await self._client.fees(),
            anchors_per_week=self._rate,
            limits=self._limits,
        )
        state = self.funds.state
        if state is not self._was_funds:
            report = logger.info if state is FundsState.OK else logger.warning
            report("funds-changed", state=str(state), was=str(self._was_funds), forecast=self._funds_text())
        self._was_funds = state

    def _funds_text(self) -> str:
        if self.funds is None:
            return "ok: not asked for yet"
        text = self.funds.to_text()
        if self.funds.state is FundsState.OK:
            return text
        return f"{text}; send money to 0x{self._anchorer.address.hex()}; issuing goes on without"


def count_weekly_anchors(
    index: Index, origins: Iterable[str], *, heartbeat_hours: float, now_seconds: float
) -> int:
    """Anchors of the last seven days, and no fewer than the heartbeats of these logs; at least one."""
    heartbeats = int(WEEK_SECONDS / 3_600 // heartbeat_hours)
    total = 0
    for origin in origins:
        recent = sum(anchor.timestamp > now_seconds - WEEK_SECONDS for anchor in index.anchors(origin))
        total += max(recent, heartbeats)
    return max(total, 1)
