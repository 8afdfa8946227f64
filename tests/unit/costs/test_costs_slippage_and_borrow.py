"""Slippage and borrow fees by hand and against the standard library."""

import datetime as dt
import itertools
import statistics
from decimal import Decimal

import pytest

from tradingd.config.execution import FixedSlippage, NoSlippage, SpreadVolatilitySlippage
from tradingd.costs.make import borrow_model, slippage_model
from tradingd.domain.money import nanos

CENT = nanos("0.01")


def usd(amount: str) -> int:
    return nanos(Decimal(amount))


def test_no_slippage_costs_nothing():
    model = slippage_model(NoSlippage())
    model.observe("AAA", usd("100"))
    model.split("AAA", 2, 1)
    assert model.per_share("AAA", usd("100"), CENT) == 0


@pytest.mark.parametrize(
    ("basis_points", "price", "expected"),
    [
        (1.0, "100", "0.01"),  # 0.0100 is exactly one tick
        (1.0, "100.01", "0.02"),  # 0.010001 is rounded up, against the order
        (2.0, "25", "0.01"),  # 0.0050 becomes a whole tick
        (2.5, "400", "0.10"),  # 0.1000
        (0.0, "100", "0"),
    ],
)
def test_fixed_slippage_is_a_part_of_the_price_rounded_up_to_the_tick(
    basis_points, price, expected
):
    model = slippage_model(FixedSlippage(basis_points=basis_points))
    assert model.per_share("AAA", usd(price), CENT) == usd(expected)


CLOSES = ["100", "101", "99.5", "100.25", "102", "101.5", "101.5", "98"]


def observed(window: int, half_spread: float = 1.0, share: float = 0.5):
    model = slippage_model(
        SpreadVolatilitySlippage(half_spread_bps=half_spread, volatility_share=share, window=window)
    )
    for close in CLOSES:
        model.observe("AAA", usd(close))
    return model


@pytest.mark.parametrize("window", [2, 3, 5, 7, 30])
def test_the_deviation_is_that_of_the_last_returns(window):
    values = [float(close) for close in CLOSES]
    returns = [later / earlier - 1 for earlier, later in itertools.pairwise(values)]
    expected = statistics.stdev(returns[-window:])
    assert observed(window).deviation("AAA") == pytest.approx(expected, rel=1e-12)


def test_slippage_is_half_the_spread_plus_a_share_of_the_deviation():
    # returns +1 % and -1 %: mean 0, sample deviation 0.01 x sqrt(2) = 0.0141421...
    model = slippage_model(
        SpreadVolatilitySlippage(half_spread_bps=1.0, volatility_share=0.5, window=30)
    )
    for close in ("100", "101", "99.99"):
        model.observe("AAA", usd(close))
    # 100 x (0.0001 + 0.5 x 0.0141421) = 0.01 + 0.707107 = 0.717107 -> 0.72
    assert model.per_share("AAA", usd("100"), CENT) == usd("0.72")


def test_before_two_returns_only_the_spread_is_charged():
    model = slippage_model(SpreadVolatilitySlippage(half_spread_bps=1.0, volatility_share=10))
    assert model.per_share("AAA", usd("100"), CENT) == CENT
    model.observe("AAA", usd("100"))
    model.observe("AAA", usd("150"))
    assert model.per_share("AAA", usd("100"), CENT) == CENT


@pytest.mark.parametrize("window", [2, 3, 5])
def test_the_last_closes_that_memory_names_decide_the_cost(window):
    whole, late = observed(window), observed(window)
    for model, closes in ((whole, ["97", *CLOSES]), (late, CLOSES[-whole.memory :])):
        for close in closes:
            model.observe("AAA", usd(close))
    assert whole.memory == window + 1
    assert late.deviation("AAA") == whole.deviation("AAA")


def test_models_that_need_no_closes_say_so():
    assert slippage_model(NoSlippage()).memory == 0
    assert slippage_model(FixedSlippage()).memory == 0


def test_symbols_do_not_share_their_volatility():
    assert observed(30).per_share("BBB", usd("100"), CENT) == CENT


def test_a_split_is_not_taken_for_volatility():
    model = observed(30)
    before = model.deviation("AAA")
    split = observed(30)
    split.split("AAA", 7, 1)
    split.observe("AAA", usd("14"))  # 98 / 7: unchanged
    model.observe("AAA", usd("98"))
    assert split.deviation("AAA") == pytest.approx(model.deviation("AAA"), rel=1e-9)
    assert model.deviation("AAA") < before
    split.split("unknown", 2, 1)


def test_volatility_varied_alone_changes_only_its_own_part():
    calm, wild = observed(30, share=0.0), observed(30, share=1.0)
    assert calm.per_share("AAA", usd("100"), CENT) == CENT
    assert wild.per_share("AAA", usd("100"), CENT) > CENT


# -- borrow ----------------------------------------------------------------------------------------

DAY = dt.date(2024, 1, 5)


def test_borrow_is_actual_over_360_per_calendar_night():
    model = borrow_model(0.5)
    # 100 x 72 = 7,200 x 0.5 % = 36 a year / 360 = 0.10 a night; a weekend is three nights
    assert model.accrue(100, usd("72"), 1, DAY) == usd("0.10")
    assert model.accrue(-100, usd("72"), 3, DAY) == usd("0.30")
    assert model.accrue(100, usd("72"), 0, DAY) == 0


def test_borrow_rounds_half_up_to_a_nano():
    # 1 x 0.01 x 3 % / 360 = 0.000000833...
    assert borrow_model(3.0).accrue(1, CENT, 1, DAY) == 833


def test_a_rate_of_zero_lends_for_nothing():
    assert borrow_model(0).accrue(100, usd("72"), 30, DAY) == 0
