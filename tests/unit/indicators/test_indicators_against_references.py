"""Every indicator equals an independent library, bar by bar, after its documented warm-up."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.indicators.adx import Adx
from tradingd.indicators.atr import Atr
from tradingd.indicators.ema import Ema
from tradingd.indicators.rsi import Rsi
from tradingd.indicators.vwap import SessionVwap, VwapStretch
from tradingd.indicators.zscore import ZScore


class Bars(NamedTuple):
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


def random_bars(seed: int, size: int = 600, start: float = 100.0, step: float = 0.01) -> Bars:
    dice = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(dice.normal(0.0, step, size)))
    opened = np.concatenate([[start], close[:-1]]) * (1 + dice.normal(0.0, step / 4, size))
    high = np.maximum(opened, close) * (1 + np.abs(dice.normal(0.0, step / 2, size)))
    low = np.minimum(opened, close) * (1 - np.abs(dice.normal(0.0, step / 2, size)))
    return Bars(high, low, close, dice.integers(1, 10_000, size).astype(float))


def readings(indicator: Any, rows: Sequence[tuple[float, ...]], name: str = "value") -> np.ndarray:
    values = []
    for row in rows:
        indicator.update(*row)
        values.append(getattr(indicator, name))
    return np.array(values)


def closes(bars: Bars) -> list[tuple[float, ...]]:
    return [(float(one),) for one in bars.close]


def ranges(bars: Bars) -> list[tuple[float, ...]]:
    return list(zip(bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), strict=True))


def full(bars: Bars) -> list[tuple[float, ...]]:
    return [(*row, v) for row, v in zip(ranges(bars), bars.volume.tolist(), strict=True)]


def agree(ours: np.ndarray, theirs: np.ndarray, first: int) -> None:
    assert np.isnan(ours[:first]).all()
    np.testing.assert_allclose(ours[first:], theirs[first:], rtol=1e-9, atol=1e-9)


WALKS = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(2, 40),
    st.sampled_from([1.0, 100.0, 250_000.0]),
    st.sampled_from([1e-5, 0.01, 0.1]),
)
fast = settings(max_examples=25, deadline=None)


@fast
@given(WALKS)
def test_ema_is_pandas_ewm_without_adjustment_from_its_first_value_on(walk):
    seed, period, start, step = walk
    bars = random_bars(seed, 300, start, step)
    reference = pd.Series(bars.close).ewm(span=period, adjust=False).mean().to_numpy()
    agree(readings(Ema(period), closes(bars)), reference, period - 1)


@fast
@given(WALKS)
def test_rsi_is_talibs(walk):
    seed, period, start, step = walk
    bars = random_bars(seed, 300, start, step)
    agree(readings(Rsi(period), closes(bars)), talib.RSI(bars.close, period), period)


@fast
@given(WALKS)
def test_atr_is_talibs(walk):
    seed, period, start, step = walk
    bars = random_bars(seed, 300, start, step)
    agree(readings(Atr(period), ranges(bars)), talib.ATR(*bars[:3], period), period)


@fast
@given(WALKS)
def test_adx_and_both_directional_indicators_are_talibs(walk):
    seed, period, start, step = walk
    bars = random_bars(seed, 300, start, step)
    rows = ranges(bars)
    agree(readings(Adx(period), rows), talib.ADX(*bars[:3], period), 2 * period - 1)
    agree(readings(Adx(period), rows, "plus_di"), talib.PLUS_DI(*bars[:3], period), period)
    agree(readings(Adx(period), rows, "minus_di"), talib.MINUS_DI(*bars[:3], period), period)


@fast
@given(WALKS)
def test_z_score_is_the_two_pass_score_of_every_window_and_pandas_mean_and_deviation(walk):
    seed, period, start, step = walk
    bars = random_bars(seed, 300, start, step)
    shifted = bars.close - start  # the reference's own rounding would dominate otherwise
    windows = np.lib.stride_tricks.sliding_window_view(shifted, period)
    mean, deviation = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    ours = readings(ZScore(period), closes(bars))
    assert np.isnan(ours[: period - 1]).all()
    reference = (windows[:, -1] - mean) / deviation
    np.testing.assert_allclose(ours[period - 1 :], reference, rtol=1e-9, atol=1e-9)
    pandas_mean = pd.Series(bars.close).rolling(period).mean().to_numpy()
    agree(readings(ZScore(period), closes(bars), "mean"), pandas_mean, period - 1)
    pandas_deviation = pd.Series(bars.close).rolling(period).std().to_numpy()
    spread = readings(ZScore(period), closes(bars), "deviation")[period - 1 :]
    # pandas carries its own rounding along the series, in proportion to the prices.
    np.testing.assert_allclose(spread, pandas_deviation[period - 1 :], rtol=1e-6, atol=1e-9 * start)


def test_z_score_stays_exact_over_a_hundred_thousand_prices_far_from_zero():
    dice = np.random.default_rng(5)
    prices = 1e6 + np.cumsum(dice.normal(0.0, 0.01, 100_000))
    score = ZScore(50)
    for price in prices.tolist():
        score.update(price)
    last = prices[-50:] - prices[-1]
    last -= last.mean()
    expected = last[-1] / math.sqrt((last**2).sum() / 49)
    assert score.value == pytest.approx(expected, rel=1e-9)


def test_a_window_that_turns_flat_after_a_move_reads_zero():
    score = ZScore(5)
    for price in [10.0, 0.1, 5000.3, 7.7, 1.1, *[0.3] * 5, 0.3]:
        score.update(price)
    assert (score.value, score.mean, score.deviation) == (0.0, 0.3, 0.0)


def test_rsi_of_a_market_that_never_moves_is_neutral():
    assert readings(Rsi(3), [(7.0,)] * 5)[-1] == 50.0


def test_rsi_is_100_when_every_change_is_up_and_0_when_every_change_is_down():
    assert readings(Rsi(3), [(float(n),) for n in range(9)])[-1] == 100.0
    assert readings(Rsi(3), [(float(-n),) for n in range(9)])[-1] == 0.0


@fast
@given(WALKS)
def test_session_vwap_is_cumulative_turnover_over_cumulative_volume_of_each_session(walk):
    seed, _, start, step = walk
    bars = random_bars(seed, 120, start, step)
    day = pd.Series(np.arange(120) // 40)
    typical = (bars.high + bars.low + bars.close) / 3
    turnover = pd.Series(typical * bars.volume).groupby(day).cumsum()
    expected = turnover / pd.Series(bars.volume).groupby(day).cumsum()
    vwap, ours, away = SessionVwap(), [], []
    for index, row in enumerate(full(bars)):
        if index % 40 == 0:
            vwap.start_session()
        vwap.update(*row)
        ours.append(vwap.value)
        away.append(vwap.deviation)
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    np.testing.assert_allclose(away, bars.close - expected, rtol=1e-9, atol=1e-9 * start)


def test_vwap_by_hand_and_a_session_without_volume_has_none():
    vwap = SessionVwap()
    vwap.start_session()
    vwap.update(10.0, 10.0, 10.0, 0.0)
    assert not vwap.ready
    assert math.isnan(vwap.value)
    vwap.update(12.0, 9.0, 12.0, 100.0)  # typical price 11
    vwap.update(14.0, 13.0, 15.0, 300.0)  # typical price 14
    # (11 x 100 + 14 x 300) / 400 = 13.25; the close is 15 - 13.25 = 1.75 above it
    assert (vwap.value, vwap.deviation) == (13.25, 1.75)


@fast
@given(WALKS)
def test_stretch_is_the_deviation_over_the_root_mean_square_of_the_last_deviations(walk):
    seed, period, start, step = walk
    bars = random_bars(seed, 120, start, step)
    stretch, away, ours = VwapStretch(period), [], []
    for index, row in enumerate(full(bars)):
        if index % 60 == 0:
            stretch.start_session()
        stretch.update(*row)
        away.append(stretch.vwap.deviation)
        ours.append(stretch.value)
    windows = np.lib.stride_tricks.sliding_window_view(np.array(away) ** 2, period)
    unit = np.sqrt(windows.mean(axis=1))
    np.testing.assert_allclose(
        ours[period - 1 :], np.array(away)[period - 1 :] / unit, rtol=1e-9, atol=1e-9
    )
    assert np.isnan(ours[: period - 1]).all()
    assert np.nanmax(np.abs(ours)) <= math.sqrt(period) * (1 + 1e-9)


def test_stretch_by_hand():
    stretch = VwapStretch(2)
    stretch.start_session()
    stretch.update(10.0, 10.0, 10.0, 100.0)  # vwap 10, deviation 0
    stretch.update(16.0, 16.0, 16.0, 200.0)  # vwap (1000 + 3200) / 300 = 14, deviation 2
    # root mean square of (0, 2) is sqrt(2); 2 / sqrt(2) = sqrt(2)
    assert stretch.value == pytest.approx(math.sqrt(2))


MAKERS: dict[str, tuple[Callable[[], Any], Callable[[Bars], list[tuple[float, ...]]], str]] = {
    "ema": (lambda: Ema(20), closes, "value"),
    "rsi": (lambda: Rsi(14), closes, "value"),
    "atr": (lambda: Atr(14), ranges, "value"),
    "adx": (lambda: Adx(14), ranges, "value"),
    "plus_di": (lambda: Adx(14), ranges, "plus_di"),
    "minus_di": (lambda: Adx(14), ranges, "minus_di"),
    "z": (lambda: ZScore(20), closes, "value"),
    "z_mean": (lambda: ZScore(20), closes, "mean"),
    "z_deviation": (lambda: ZScore(20), closes, "deviation"),
    "vwap": (SessionVwap, full, "value"),
    "vwap_deviation": (SessionVwap, full, "deviation"),
    "stretch": (lambda: VwapStretch(20), full, "value"),
}


@pytest.mark.parametrize("split_at", [7, 17, 100], ids=["cold", "warming", "warm"])
@pytest.mark.parametrize("name", MAKERS)
def test_rescaling_at_a_split_equals_running_on_the_split_adjusted_series(name, split_at):
    make, rows_of, attribute = MAKERS[name]
    factor = 1.0 / 7.0  # AAPL 2014: one share becomes seven
    adjusted = random_bars(11, 200)
    raw = Bars(*(column.copy() for column in adjusted))
    for column in raw[:3]:
        column[:split_at] /= factor
    raw.volume[:split_at] *= factor
    expected = readings(make(), rows_of(adjusted), attribute)
    indicator = make()
    before = readings(indicator, rows_of(raw)[:split_at], attribute)
    indicator.rescale(factor)
    at_the_split = getattr(indicator, attribute)
    after = readings(indicator, rows_of(raw)[split_at:], attribute)
    assert len(before) == split_at
    np.testing.assert_allclose(at_the_split, expected[split_at - 1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after, expected[split_at:], rtol=1e-9, atol=1e-9)


@pytest.mark.real_data
def test_spy_2019_2021_equals_the_reference_vectors(real_data: Path):
    folder = real_data / "oracles"
    prices = pd.read_csv(folder / "ttr" / "spy_2019_2021_ohlcv.csv")
    prices.columns = prices.columns.str.lower()
    reference = pd.read_csv(folder / "talib" / "talib_reference.csv")
    bars = Bars(*(prices[name].to_numpy(float) for name in ("high", "low", "close", "volume")))
    cases = [
        (readings(Rsi(14), closes(bars)), "RSI14", 14),
        (readings(Atr(14), ranges(bars)), "ATR14", 14),
        (readings(Adx(14), ranges(bars)), "ADX14", 27),
    ]
    for ours, column, first in cases:
        theirs = reference[column].to_numpy(float)
        assert np.isfinite(theirs[first:]).all()
        # The file prints twelve significant digits.
        np.testing.assert_allclose(ours[first:], theirs[first:], rtol=1e-9, atol=1e-9)
    # TA-Lib seeds its EMA with a simple mean: (19 / 21) ** 300 of a few dollars is below 1e-12.
    ema = readings(Ema(20), closes(bars))
    np.testing.assert_allclose(ema[320:], reference["EMA20"].to_numpy(float)[320:], rtol=1e-9)
