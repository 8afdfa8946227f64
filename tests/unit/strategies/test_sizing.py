"""Sizes: floor of the risk budget over the stop distance, capped by the position's value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingd.strategies.sizing import equal_share, shares_by_risk


def shares(**changes) -> int:
    asked = {
        "equity": Decimal(100_000),
        "price": 50.0,
        "stop": 48.0,
        "risk_percent": 0.2,
        "max_position_percent": 100.0,
    } | changes
    return shares_by_risk(**asked)


def test_the_risk_budget_over_the_stop_distance():
    # 0.2 % of 100,000 = 200 USD; 200 / (50 - 48) = 100 shares
    assert shares() == 100
    assert shares(stop=52.0) == 100


def test_a_fraction_of_a_share_is_not_bought():
    # 200 / 2.01 = 99.50
    assert shares(stop=47.99) == 99


def test_the_position_cap_binds_where_the_stop_is_near():
    # 4.5 % of 100,000 = 4,500 USD; 4,500 / 50 = 90 shares, although the risk allows 2,000
    assert shares(stop=49.9, max_position_percent=4.5) == 90


def test_decimal_arithmetic_keeps_exact_multiples():
    # In binary floating point 0.3 / 0.1 is 2.9999999999999996: one share too few.
    assert shares(equity=Decimal(100), risk_percent=0.3, price=10.0, stop=9.9) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"equity": Decimal(0)},
        {"equity": Decimal(-5)},
        {"stop": 50.0},
        {"price": 0.0, "stop": 1.0},
        {"risk_percent": 0.0},
        {"equity": Decimal(500), "max_position_percent": 4.5},
    ],
    ids=["broke", "in-debt", "no-distance", "no-price", "no-risk", "too-small"],
)
def test_no_order_where_no_whole_share_fits(changes):
    assert shares(**changes) == 0


@given(
    st.decimals(1_000, 10_000_000, places=2),
    st.decimals("0.01", 5_000, places=2).map(float),
    st.decimals("0.01", 5_000, places=2).map(float),
    st.sampled_from([0.1, 0.2, 0.3]),
    st.sampled_from([1.0, 4.5]),
)
def test_neither_budget_is_ever_exceeded_and_one_more_share_would_exceed_one(
    equity, price, stop, risk, cap
):
    count = shares_by_risk(
        equity=equity, price=price, stop=stop, risk_percent=risk, max_position_percent=cap
    )
    distance = abs(Decimal(str(price)) - Decimal(str(stop)))
    if not distance:
        assert count == 0
        return
    by_risk = equity * Decimal(str(risk)) / 100
    by_value = equity * Decimal(str(cap)) / 100

    def fits(number: int) -> bool:
        return number * distance <= by_risk and number * Decimal(str(price)) <= by_value

    assert fits(count)
    assert not fits(count + 1)


def test_equal_shares_of_the_equity():
    # 100,000 / 3 = 33,333.33; / 7.01 = 4,755.11
    assert equal_share(equity=Decimal(100_000), price=7.01, parts=3) == 4_755
    assert equal_share(equity=Decimal(10), price=11.0, parts=1) == 0
