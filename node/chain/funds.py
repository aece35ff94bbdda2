"""How long an account's money lasts at the rate at which it anchors, in whole anchors and days."""

import enum
from dataclasses import dataclass
from typing import Final

from testamur.node.chain.values import Fees
from testamur.registry.verification.words import counted

TYPICAL_GAS: Final = 110_000
"""An anchor of a large log, proof included: taken until this process has seen what its own anchors use."""

DAYS_IN_SIGHT: Final = 3_650
"""Beyond ten years a forecast says no more than that."""


class FundsState(enum.StrEnum):
    """Whether an operator has to do something about the money."""

    OK = "ok"
    LOW = "low"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsLimits:
    """Money is low when it lasts for fewer anchors, or for fewer days, than these."""

    low_anchors: int
    low_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsForecast:
    """`anchors` and `days` are what the balance is enough for; None where transactions cost nothing.

    `days` is DAYS_IN_SIGHT for all that is longer.
    """

    state: FundsState
    balance_wei: int
    anchor_wei: int
    anchors: int | None
    days: int | None

    def to_text(self) -> str:
        """The forecast in a sentence that begins with its state."""
        if self.anchors is None or self.days is None:
            return f"{self.state}: transactions cost nothing here"
        days = f"about {counted(self.days, 'day')}" if self.days < DAYS_IN_SIGHT else "more than ten years"
        return f"{self.state}: enough for {counted(self.anchors, 'anchor')}, {days}"


def expected_wei(fees: Fees) -> int:
    """What a unit of gas will cost: the limit without the room for the base fee to double."""
    return (fees.max_fee_wei + fees.tip_wei + 1) // 2


def forecast_funds(
    *, balance_wei: int, gas: int, fees: Fees, anchors_per_week: int, limits: FundsLimits
) -> FundsForecast:
    """What a balance is enough for, if an anchor uses `gas` and fees stay as they are.

    Empty means that the next anchor cannot be paid; an endpoint refuses it then. Raises ValueError for
    quantities that cannot be.
    """
    if balance_wei < 0 or gas <= 0 or anchors_per_week <= 0:
        raise ValueError("a balance is not negative, and gas and rate are positive")
    anchor_wei = gas * expected_wei(fees)
    if anchor_wei == 0:
        return FundsForecast(
            state=FundsState.OK, balance_wei=balance_wei, anchor_wei=0, anchors=None, days=None
        )
    anchors = balance_wei // anchor_wei
    days = min(7 * anchors // anchors_per_week, DAYS_IN_SIGHT)
    if anchors == 0:
        state = FundsState.EMPTY
    elif anchors < limits.low_anchors or days < limits.low_days:
        state = FundsState.LOW
    else:
        state = FundsState.OK
    return FundsForecast(
        state=state, balance_wei=balance_wei, anchor_wei=anchor_wei, anchors=anchors, days=days
    )
