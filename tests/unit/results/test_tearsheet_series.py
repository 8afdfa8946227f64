import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.results.result_rows import at, equity, record
from tradingd.domain.money import nanos
from tradingd.results.tables import daily_equity, read
from tradingd.results.tearsheet.series import (
    MAX_CANDLES,
    candles,
    daily_exposure,
    histogram,
    local_times,
    monthly_returns,
    rolling_sharpe,
    thin,
)


def test_thinning_keeps_the_last_point_and_bounds_the_length() -> None:
    kept = thin(np.arange(10), 4)
    assert kept.tolist() == [0, 3, 6, 9]
    assert len(thin(np.arange(100_001), 4_000)) <= 4_000
    assert thin(np.arange(3), 4).tolist() == [0, 1, 2]


def test_months_compound_and_a_month_without_sessions_stays_empty() -> None:
    days = [dt.date(2013, 12, 30), dt.date(2013, 12, 31), dt.date(2014, 2, 3)]
    months = monthly_returns(days, np.array([0.10, 0.10, -0.05]))
    assert months.years == [2013, 2014]
    assert months.months[0][11] == pytest.approx(0.21)  # 1.1 x 1.1 - 1
    assert months.months[1][0] is None
    assert months.totals == pytest.approx([0.21, -0.05])


def test_the_rolling_sharpe_is_that_of_each_window() -> None:
    returns = np.array([0.01, -0.01, 0.02, 0.0, 0.01])
    rolled = rolling_sharpe(returns, 3)
    assert np.isnan(rolled[:2]).all()
    for end in (3, 4, 5):
        window = returns[end - 3 : end]
        expected = window.mean() / window.std(ddof=1) * np.sqrt(252)
        assert rolled[end - 1] == pytest.approx(expected)


def test_the_rolling_sharpe_of_a_still_window_is_a_gap() -> None:
    assert np.isnan(rolling_sharpe(np.zeros(5), 3)).all()
    assert np.isnan(rolling_sharpe(np.zeros(2), 3)).all()


def test_exposure_is_the_mean_of_a_sessions_samples(tmp_path: Path) -> None:
    folder = record(
        tmp_path,
        equity("2014-01-02", "100", "15:00", long_value=nanos("50")),
        equity("2014-01-02", "100", "21:00"),
        equity("2014-01-03", "200", "21:00", short_value=nanos("40")),
    )
    table = read(folder, "equity")
    long, short = daily_exposure(table, daily_equity(table))
    assert long.tolist() == [0.25, 0.0]
    assert short.tolist() == [0.0, -0.2]


def test_candles_join_bars_beyond_the_limit() -> None:
    count = MAX_CANDLES + 1  # two bars a candle
    closes = [Decimal(100 + index % 7) for index in range(count)]
    price = pa.array(closes, pa.decimal128(18, 9))
    times = pa.array([at("2014-01-02") + index * 60_000_000_000 for index in range(count)])
    bars = pa.table(
        {"ts_event": times.cast(pa.timestamp("ns")), "open": price, "close": price}
        | {"high": price, "low": price}
    )
    shown = candles(bars, daily=False)
    assert shown.bars == 2
    assert len(shown.times) == 751
    assert (shown.open[0], shown.high[0], shown.low[0], shown.close[0]) == (100, 101, 100, 101)
    assert shown.times[0] == "2014-01-02 16:01:00"  # New York time of the second bar


def test_times_are_new_york_times_or_days() -> None:
    ts = pa.chunked_array([pa.array([at("2014-07-02", "00:30")], pa.timestamp("ns"))])
    assert local_times(ts, daily=True) == ["2014-07-01"]
    assert local_times(ts, daily=False) == ["2014-07-01 20:30:00"]


@pytest.mark.parametrize("values", [[-5.0, -1.0, 2.0, 12.0], [3.0], [-3.0], [0.0], [1e-9, 7.0]])
def test_no_bin_mixes_wins_and_losses_and_none_is_lost(values: list[float]) -> None:
    centres, counts = histogram(np.array(values))
    assert counts.sum() == len(values)
    wins = sum(value >= 0 for value in values)
    assert counts[centres > 0].sum() == wins
