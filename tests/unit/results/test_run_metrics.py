import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import empyrical
import numpy as np
import pandas as pd
import pytest
import quantstats.stats as qs

from tests.unit.results.result_rows import cash, denial, equity, fill, order, position, record
from tradingd.domain.money import nanos
from tradingd.results.measure import measure
from tradingd.results.metrics import DEFINITIONS, Metrics, show
from tradingd.results.performance import drawdowns, longest_drawdown, return_metrics
from tradingd.results.ratios import Ratios, significant
from tradingd.results.tables import DailyEquity, daily_equity, money, read


def measured(root: Path, *rows: Any) -> Metrics:
    return measure(record(root, *rows), cash=Decimal(100_000), seed=7)


def wobbly(sessions: int = 750) -> DailyEquity:
    """Three years of fat-tailed daily returns around a small drift."""
    rng = np.random.default_rng(20_140_102)
    returns = 0.0006 + 0.011 * rng.standard_t(4, sessions)
    days = pd.bdate_range("2012-01-02", periods=sessions).date
    return DailyEquity(tuple(days), 100_000 * np.cumprod(1 + returns))


def test_daily_equity_is_the_last_sample_of_each_new_york_day(tmp_path: Path) -> None:
    # 02:00 UTC on the 3rd is 21:00 in New York on the 2nd.
    folder = record(
        tmp_path,
        equity("2014-01-02", "100100", "20:00"),
        equity("2014-01-03", "100200", "02:00"),
        equity("2014-01-03", "100300", "21:00"),
    )
    daily = daily_equity(read(folder, "equity"))
    assert daily.days == (dt.date(2014, 1, 2), dt.date(2014, 1, 3))
    assert daily.equity.tolist() == [100_200.0, 100_300.0]


def test_returns_by_hand(tmp_path: Path) -> None:
    metrics = measured(
        tmp_path,
        equity("2014-01-02", "101000"),  # +1 % on the starting cash
        equity("2014-01-03", "98980"),  # -2 %
        equity("2014-01-06", "99969.8"),  # +1 %, still below the high of 101,000
    )
    returns = metrics.returns
    assert returns.total_return == pytest.approx(-0.000302)
    assert returns.max_drawdown == pytest.approx(-0.02)
    assert returns.longest_drawdown == 2
    assert (returns.best_day, returns.worst_day) == (0.01, -0.02)
    assert returns.best_day_date == dt.date(2014, 1, 2)
    assert returns.worst_day_date == dt.date(2014, 1, 3)
    # mean 0, so the Sharpe ratio is 0; deviation sqrt((1 + 4 + 1) / 2) % = sqrt(3) %
    assert returns.sharpe == pytest.approx(0, abs=1e-9)
    assert returns.annual_volatility == pytest.approx(0.01 * math.sqrt(3) * math.sqrt(252))
    assert returns.sortino == pytest.approx(0, abs=1e-9)
    growth = 0.999698 ** (252 / 3) - 1
    assert returns.annual_return == pytest.approx(growth)
    assert returns.calmar == pytest.approx(growth / 0.02)


def test_an_independent_library_agrees_on_a_long_series() -> None:
    daily = wobbly()
    metrics = return_metrics(daily, 100_000.0, Ratios())
    returns = pd.Series(daily.returns(100_000.0), index=pd.DatetimeIndex(daily.days))
    assert metrics.sharpe == pytest.approx(qs.sharpe(returns))
    assert metrics.sortino == pytest.approx(qs.sortino(returns))
    assert metrics.max_drawdown == pytest.approx(qs.max_drawdown(returns))
    assert metrics.annual_volatility == pytest.approx(qs.volatility(returns, periods=252))
    years = len(returns) / 252
    assert metrics.annual_return == pytest.approx((daily.equity[-1] / 100_000) ** (1 / years) - 1)
    assert metrics.calmar == pytest.approx(metrics.annual_return / -metrics.max_drawdown)


def test_the_deepest_point_of_the_plotted_drawdown_is_the_metric() -> None:
    daily = wobbly()
    deepest = drawdowns(daily.equity, 100_000.0).min()
    assert deepest == pytest.approx(empyrical.max_drawdown(daily.returns(100_000.0)))


def test_the_longest_drawdown_counts_sessions_below_a_high() -> None:
    equities = np.array([101.0, 99.0, 100.0, 102.0, 101.0, 101.0, 101.0, 103.0])
    assert longest_drawdown(equities, 100.0) == 3
    assert longest_drawdown(np.array([99.0, 98.0]), 100.0) == 2  # never regained


CASES = {
    "nothing recorded": ((), "no session with an equity sample"),
    "one day": (("101000",), "needs at least two sessions"),
    "still": (("100000", "100000", "100000"), "daily returns do not vary"),
    "constant growth": (("101000", "102010", "103030.1"), "daily returns do not vary"),
    "ruin": (("101000", "-5"), "equity fell to zero or below"),
}


@pytest.mark.parametrize(("values", "reason"), CASES.values(), ids=CASES)
def test_an_undefined_sharpe_is_null_with_its_reason(
    tmp_path: Path, values: tuple[str, ...], reason: str
) -> None:
    rows = [equity(f"2014-01-{6 + day:02d}", value) for day, value in enumerate(values)]
    metrics = measured(tmp_path, *rows)
    assert metrics.returns.sharpe is None
    assert metrics.undefined["sharpe"] == reason
    assert metrics.luck.probabilistic_sharpe is None


def test_a_run_that_never_lost_has_no_sortino_and_no_calmar(tmp_path: Path) -> None:
    metrics = measured(tmp_path, equity("2014-01-02", "101000"), equity("2014-01-03", "103000"))
    assert metrics.returns.sortino is None
    assert metrics.undefined["sortino"] == "no day lost money"
    assert metrics.returns.calmar is None
    assert metrics.undefined["calmar"] == "equity never fell below a high"
    assert metrics.returns.sharpe is not None


def test_every_null_has_a_reason_and_every_reason_a_null(tmp_path: Path) -> None:
    metrics = measured(tmp_path)
    nulls = {line.name for line in metrics.lines() if line.value is None and line.unit != "date"}
    assert nulls - {"longest_drawdown"} == set(metrics.undefined)


def test_no_infinity_leaves_a_ratio() -> None:
    ratios = Ratios()
    assert ratios.value("x", "", lambda: math.inf) is None
    assert ratios.value("y", "", lambda: math.nan) is None
    assert set(ratios.undefined) == {"x", "y"}


def test_ratios_keep_ten_significant_digits() -> None:
    assert significant(1 / 3) == 0.3333333333
    assert significant(123456.78901234) == 123456.789
    assert math.copysign(1, significant(-0.0)) == 1


def test_trades_by_hand(tmp_path: Path) -> None:
    metrics = measured(
        tmp_path,
        order(seq=1),
        order(seq=2, status="DENIED"),
        fill(seq=1),
        fill(seq=2, side="SELL", price=nanos("201.01")),
        fill(seq=3, purpose="CORPORATE", price=0, quantity=600),
        position(realised=nanos("97.40"), dividends=nanos("10"), borrow=0, bars_held=3),
        position(realised=nanos("-40"), dividends=0, borrow=nanos("7.40"), bars_held=2),
        position(realised=nanos("-2.60"), bars_held=1),
        equity("2014-01-02", "100000", positions=1, long_value=nanos("20000")),
        equity("2014-01-03", "100000", positions=1, short_value=nanos("10000")),
        equity("2014-01-06", "100000"),
    )
    trades = metrics.trades
    # results: 97.40 + 10 = 107.40; -40 - 7.40 = -47.40; -2.60
    assert (trades.orders, trades.fills, trades.trips) == (2, 2, 3)
    assert trades.win_rate == pytest.approx(1 / 3)
    assert trades.average_win == 107.4
    assert trades.average_loss == -25.0
    assert trades.profit_factor == pytest.approx(107.4 / 50)
    assert trades.expectancy == pytest.approx(57.4 / 3)
    assert trades.average_bars_held == 2
    assert trades.exposure_time == pytest.approx(2 / 3)
    assert trades.exposure_value == pytest.approx((0.2 + 0.1 + 0) / 3)
    # (100 x 200.01 + 100 x 201.01) / 2 over 100,000 in 3 of 252 sessions
    assert trades.turnover == pytest.approx(40_102 / 2 / 100_000 * 252 / 3)


def test_a_run_that_only_won_has_no_profit_factor(tmp_path: Path) -> None:
    metrics = measured(tmp_path, position())
    assert metrics.trades.win_rate == 1
    assert metrics.trades.profit_factor is None
    assert metrics.undefined["profit_factor"] == "no round trip lost money"
    assert metrics.undefined["average_loss"] == "no round trip lost money"


def test_costs_are_summed_exactly_by_component(tmp_path: Path) -> None:
    metrics = measured(
        tmp_path,
        fill(fee_regulatory=nanos("0.000000001"), commission=nanos("1.200000001")),
        fill(),
        cash("dividend", "71.50"),
        cash("dividend", "-3.25"),
        cash("borrow", "-0.40"),
        cash("cash_in_lieu", "12.34"),
    )
    costs = metrics.costs
    assert costs.commission == Decimal("2.500000001")
    assert costs.fee_broker == Decimal("2.00")
    assert costs.fee_exchange == Decimal("0.40")
    assert costs.fee_regulatory == Decimal("0.100000001")
    assert costs.slippage == Decimal("2.00")
    assert costs.borrow == Decimal("0.40")
    assert costs.dividends == Decimal("68.25")
    assert costs.other_cash == Decimal("12.34")


def test_denials_are_counted_by_limit(tmp_path: Path) -> None:
    metrics = measured(tmp_path, denial(), denial(limit="collar"), denial())
    assert metrics.denials == {"collar": 1, "position_percent": 2}


def test_a_metric_is_found_by_its_name(tmp_path: Path) -> None:
    metrics = measured(tmp_path, equity("2014-01-02", "101000"))
    assert metrics.value("total_return") == pytest.approx(0.01)
    with pytest.raises(KeyError):
        metrics.value("nonsense")


def test_names_of_metrics_are_unique_over_all_groups() -> None:
    names = [one.name for group in DEFINITIONS.values() for one in group]
    assert len(names) == len(set(names)) > 35


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ratio", "-"),
        (-0.0546, "percent", "-5.46 %"),
        (Decimal("94537.08"), "dollars", "94,537.08"),
        (1234, "count", "1,234"),
        (8.5, "bars", "8.5"),
        (375, "days", "375"),
        (dt.date(2014, 1, 2), "date", "2014-01-02"),
    ],
)
def test_values_read_well(value: object, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_money_keeps_two_decimals_or_as_many_as_it_needs() -> None:
    assert [str(money(Decimal(text))) for text in ("1E+5", "0E-9", "12.345000000")] == [
        "100000.00",
        "0.00",
        "12.345",
    ]
