"""How long money lasts: whole numbers, three states, nothing that divides by zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.node.chain.funds import (
    DAYS_IN_SIGHT,
    FundsLimits,
    FundsState,
    expected_wei,
    forecast_funds,
)
from testamur.node.chain.values import Fees

GWEI = 10**9
FEES = Fees(max_fee_wei=21 * GWEI, tip_wei=1 * GWEI)
LIMITS = FundsLimits(low_anchors=20, low_days=14)
ANCHOR_WEI = 100_000 * 11 * GWEI


def forecast(balance_wei, *, fees=FEES, weekly=7, gas=100_000):
    return forecast_funds(balance_wei=balance_wei, gas=gas, fees=fees, anchors_per_week=weekly, limits=LIMITS)


def test_gas_costs_the_base_fee_and_the_tip_and_not_the_room_above():
    assert expected_wei(FEES) == 11 * GWEI  # 2 · 10 + 1 is the limit, 10 + 1 is paid


@pytest.mark.parametrize(
    ("anchors", "weekly", "state", "text"),
    [
        (100, 7, FundsState.OK, "ok: enough for 100 anchors, about 100 days"),
        (20, 7, FundsState.OK, "ok: enough for 20 anchors, about 20 days"),
        (19, 7, FundsState.LOW, "low: enough for 19 anchors, about 19 days"),
        (1_000, 501, FundsState.LOW, "low: enough for 1000 anchors, about 13 days"),
        (1_000, 500, FundsState.OK, "ok: enough for 1000 anchors, about 14 days"),
        (1, 7, FundsState.LOW, "low: enough for 1 anchor, about 1 day"),
        (0, 7, FundsState.EMPTY, "empty: enough for 0 anchors, about 0 days"),
        (10**9, 7, FundsState.OK, "ok: enough for 1000000000 anchors, more than ten years"),
    ],
)
def test_a_balance_is_enough_for_so_long(anchors, weekly, state, text):
    found = forecast(anchors * ANCHOR_WEI, weekly=weekly)
    assert (found.state, found.to_text()) == (state, text)


def test_less_than_one_anchor_is_nothing():
    assert forecast(ANCHOR_WEI - 1).state is FundsState.EMPTY
    assert forecast(ANCHOR_WEI).state is FundsState.LOW


def test_where_gas_is_free_an_empty_account_is_enough():
    found = forecast(0, fees=Fees(max_fee_wei=0, tip_wei=0))
    assert (found.state, found.anchors) == (FundsState.OK, None)
    assert found.to_text() == "ok: transactions cost nothing here"


@pytest.mark.parametrize("wrong", [{"balance_wei": -1}, {"gas": 0}, {"weekly": 0}])
def test_quantities_that_cannot_be_are_a_programming_mistake(wrong):
    with pytest.raises(ValueError, match="positive"):
        forecast(**{"balance_wei": 1, **wrong})


@given(
    balance=st.integers(0, 1 << 128),
    more=st.integers(0, 1 << 96),
    base=st.integers(0, 1 << 64),
    gas=st.integers(1, 1 << 32),
    weekly=st.integers(1, 1 << 32),
)
def test_more_money_never_lasts_for_less(balance, more, base, gas, weekly):
    fees = Fees(max_fee_wei=2 * base + 1, tip_wei=1)
    poorer, richer = (forecast(wei, fees=fees, gas=gas, weekly=weekly) for wei in (balance, balance + more))
    assert poorer.anchors <= richer.anchors
    assert poorer.days <= richer.days <= DAYS_IN_SIGHT
    order = [FundsState.EMPTY, FundsState.LOW, FundsState.OK]
    assert order.index(poorer.state) <= order.index(richer.state)
