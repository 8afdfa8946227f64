"""The batch and the live computation of every kind of the price families are the same numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.config.features import FeaturesConfig
from tradingd.domain.feed import Batch, MarketBar
from tradingd.features.batch import compute
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.live import LiveFeatures
from tradingd.features.series import Series
from tradingd.features.sessions import place
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
PRICES = ("open", "high", "low", "close")

DECLARED: dict[str, dict[str, Any]] = {
    "return_1": {"kind": "return"},
    "return_5": {"kind": "return", "bars": 5},
    "log_return_3": {"kind": "log_return", "bars": 3},
    "roc_10": {"kind": "roc", "bars": 10},
    "gap": {"kind": "gap"},
    "close_over_open": {"kind": "price_ratio"},
    "high_over_low_before": {"kind": "price_ratio", "above": "high", "below": "low", "bars": 2},
    "bar_range": {"kind": "bar_range"},
    "momentum": {"kind": "momentum_skip", "bars": 20, "skip": 4},
    "sma_ratio": {"kind": "sma_ratio", "bars": 10},
    "sma_cross": {"kind": "sma_cross", "fast": 3, "slow": 17},
    "ema_ratio": {"kind": "ema_ratio", "bars": 9},
    "ema_cross": {"kind": "ema_cross", "fast": 4, "slow": 12},
    "macd": {"kind": "macd", "fast": 4, "slow": 9, "signal": 3},
    "macd_signal": {"kind": "macd", "fast": 4, "slow": 9, "signal": 3, "part": "signal"},
    "macd_histogram": {"kind": "macd", "fast": 4, "slow": 9, "signal": 3, "part": "histogram"},
    "adx": {"kind": "adx", "bars": 5},
    "plus_di": {"kind": "plus_di", "bars": 5},
    "minus_di": {"kind": "minus_di", "bars": 5},
    "aroon": {"kind": "aroon", "bars": 8},
    "aroon_up": {"kind": "aroon", "bars": 8, "part": "up"},
    "aroon_down": {"kind": "aroon", "bars": 8, "part": "down"},
    "trix": {"kind": "trix", "bars": 4},
    "price_channel": {"kind": "price_channel", "bars": 7},
    "rsi": {"kind": "rsi", "bars": 4},
    "stochastic": {"kind": "stochastic", "bars": 6},
    "stochastic_fast": {"kind": "stochastic", "bars": 6, "smooth": 1},
    "stochastic_d": {"kind": "stochastic", "bars": 6, "part": "d"},
    "williams_r": {"kind": "williams_r", "bars": 6},
    "cci": {"kind": "cci", "bars": 7},
    "mfi": {"kind": "mfi", "bars": 5},
    "obv_slope": {"kind": "obv_slope", "bars": 9},
    "balance_of_power": {"kind": "balance_of_power"},
    "balance_of_power_4": {"kind": "balance_of_power", "bars": 4},
    "bollinger_position": {"kind": "bollinger_position", "bars": 8},
    "bollinger_width": {"kind": "bollinger_width", "bars": 8, "width": 1.5},
    "zscore": {"kind": "zscore", "bars": 8},
    "natr": {"kind": "natr", "bars": 5},
    "atr_ratio": {"kind": "atr_ratio", "fast": 3, "slow": 8},
    "distance_from_high": {"kind": "distance_from_high", "bars": 12},
    "distance_from_low": {"kind": "distance_from_low", "bars": 12},
}


def compiled(declared: dict[str, dict[str, Any]] = DECLARED) -> FeatureSet:
    return compile_features(FeaturesConfig(declared=declared), calendar=CALENDAR)


def random_bars(
    seed: int, size: int, *, tick: float = 0.01, level: float = 50.0, calm: float = 0.3
) -> dict[str, Any]:
    """Bars in ticks with gaps in time, halts, bars without a trade and prices that repeat."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, rng.choice([1.0, 3.0, 40.0]), size).round()
    moves[rng.random(size) < calm] = 0.0
    start = int(rng.integers(0, max(size - 10, 1)))
    moves[start : start + int(rng.integers(0, 200))] = 0.0
    close = np.maximum(level / tick + np.cumsum(moves), 5.0)
    open_ = np.maximum(np.concatenate((close[:1], close[:-1])) + rng.integers(-1, 2, size), 3.0)
    quiet = (moves == 0.0) & (rng.random(size) < 0.9)
    open_[quiet] = close[quiet]
    reach = np.where(quiet, 0, rng.integers(0, 3, size))
    high = np.maximum(open_, close) + reach
    low = np.maximum(np.minimum(open_, close) - reach, 1.0)
    volume = np.floor(10 ** rng.uniform(0, 7, size))
    volume[rng.random(size) < 0.15] = 0.0
    minutes = np.concatenate(
        [
            np.arange(one.open_ns + 60_000_000_000, one.close_ns + 1, 60_000_000_000)
            for one in CALENDAR.sessions[5976:5986]  # two half days among them (Thanksgiving 2013)
        ]
    )
    ts = np.sort(rng.choice(minutes, size, replace=False)).astype(np.int64)
    nanos = {
        name: np.rint(one * tick * 1e9).astype(np.int64)
        for name, one in zip(PRICES, (open_, high, low, close), strict=True)
    }
    return {"ts": ts, "volume": volume.astype(np.int64), **nanos}


def told_as(symbol: str, bars: dict[str, Any], splits: dict[int, tuple[int, int]]) -> Series:
    """What the store would show of raw bars: earlier ones restated, oldest split first."""
    where = place(bars["ts"], CALENDAR)
    columns = {name: bars[name] / 1e9 for name in PRICES}
    volume = bars["volume"].astype(np.float64)
    for row, (numerator, denominator) in sorted(splits.items()):
        for one in columns.values():
            one[:row] *= denominator / numerator
        volume[:row] /= denominator / numerator
    return Series(
        symbol=symbol,
        ts=bars["ts"],
        volume=volume,
        session=where.session,
        minute=where.minute,
        to_close=where.to_close,
        **columns,
    )


def live_rows(
    feature_set: FeatureSet, bars: dict[str, Any], splits: dict[int, tuple[int, int]]
) -> np.ndarray[Any, Any]:
    live = LiveFeatures(feature_set, ["ABC"])
    rows = []
    for row in range(len(bars["ts"])):
        if row in splits:
            live.split("ABC", *splits[row])
        bar = MarketBar("ABC", *(int(bars[name][row]) for name in PRICES), int(bars["volume"][row]))
        live.observe(Batch(int(bars["ts"][row]), (bar,)))
        rows.append(live.row("ABC").copy())
    return np.array(rows)


def assert_equal(feature_set: FeatureSet, batch: Any, live: Any, after: int = 0) -> None:
    """Equal; before row `after`, prices were restated later and differ in their last bit already.

    A spread of few ticks about a high price makes 1e-11 of that bit.
    """
    for number, name in enumerate(feature_set.names):
        np.testing.assert_allclose(
            live[after:, number], batch[after:, number], rtol=1e-9, atol=1e-12, err_msg=name
        )
        np.testing.assert_allclose(
            live[:after, number], batch[:after, number], rtol=1e-7, atol=1e-9, err_msg=name
        )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 420),
    splits=st.dictionaries(
        st.integers(1, 400), st.sampled_from([(2, 1), (7, 1), (3, 2), (1, 10)]), max_size=2
    ),
    scale=st.sampled_from([(0.01, 50.0), (0.0001, 0.9), (0.01, 4000.0)]),
)
def test_random_bars_with_gaps_halts_and_splits_give_the_same_numbers(
    seed: int, size: int, splits: dict[int, tuple[int, int]], scale: tuple[float, float]
) -> None:
    bars = random_bars(seed, size, tick=scale[0], level=scale[1])
    inside = {row: one for row, one in splits.items() if row < size}
    feature_set = compiled()
    frame = compute(feature_set, [told_as("ABC", bars, inside)])
    # The last bar's units: only splits before it are in the store's series.
    live = live_rows(feature_set, bars, inside)
    assert_equal(feature_set, frame.x, live, after=max(inside, default=0))


def test_bars_that_never_move_have_no_oscillator_on_either_side() -> None:
    bars = random_bars(1, 300, calm=0.0)
    for name in PRICES:
        bars[name][:] = 10_000_000_000
    feature_set = compiled()
    frame = compute(feature_set, [told_as("ABC", bars, {})])
    assert_equal(feature_set, frame.x, live_rows(feature_set, bars, {}))
    flat = ("rsi", "adx", "plus_di", "cci", "zscore", "bollinger_position", "stochastic", "mfi")
    for name in flat:
        assert np.isnan(frame.x[:, feature_set.names.index(name)]).all(), name


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_start_as_long_ago_as_the_memory_is_forgotten(name: str) -> None:
    feature_set = compiled({name: DECLARED[name]})
    bars = random_bars(7, 1500, calm=0.1)
    whole = compute(feature_set, [told_as("ABC", bars, {})]).x
    late = 400
    part = compute(
        feature_set, [told_as("ABC", {key: one[late:] for key, one in bars.items()}, {})]
    ).x
    rows = slice(feature_set.memory, None)
    assert np.isfinite(whole[late:][rows]).mean() > 0.5
    np.testing.assert_allclose(part[rows], whole[late:][rows], rtol=1e-11, atol=1e-11)


def test_the_memory_counts_bars_before_the_present_one() -> None:
    feature_set = compiled({"a": {"kind": "return", "bars": 5}, "b": {"kind": "rsi", "bars": 3}})
    memory = feature_set.memory
    bars = random_bars(3, memory + 400, calm=0.0)
    whole = live_rows(feature_set, bars, {})
    late = {name: one[399:] for name, one in bars.items()}
    cold = live_rows(feature_set, late, {})
    np.testing.assert_allclose(cold[memory], whole[399 + memory], rtol=1e-12, atol=1e-12)
    (five,) = compiled({"a": {"kind": "return", "bars": 5}}).columns
    assert five.memory == 5
    assert np.isnan(cold[five.memory - 1, 0])
    assert cold[five.memory, 0] == whole[399 + five.memory, 0]


def test_price_and_volume_units_change_nothing() -> None:
    feature_set = compiled()
    bars = random_bars(3, 400)
    one = told_as("ABC", bars, {})
    bars["volume"] *= 10
    for name in PRICES:
        bars[name] *= 3
    other = told_as("ABC", bars, {})
    np.testing.assert_allclose(
        compute(feature_set, [other]).x, compute(feature_set, [one]).x, rtol=1e-9, atol=1e-10
    )


def test_nothing_after_a_bar_changes_its_features() -> None:
    feature_set = compiled()
    bars = random_bars(5, 300)
    whole = compute(feature_set, [told_as("ABC", bars, {})]).x
    for cut in (1, 2, 17, 60, 150, 299):
        part = compute(
            feature_set, [told_as("ABC", {key: one[:cut] for key, one in bars.items()}, {})]
        ).x
        np.testing.assert_allclose(part, whole[:cut], rtol=1e-11, atol=1e-11)


def test_short_series_computed_together_are_those_computed_alone() -> None:
    feature_set = compiled()
    sizes = (300, 1, 40, 0, 7, 300, 23)
    series = [
        told_as(f"S{number}", random_bars(number, size), {}) for number, size in enumerate(sizes)
    ]
    frame = compute(feature_set, series)
    for one in series:
        alone = compute(feature_set, [one], threads=1)
        rows = frame.of(one.symbol)
        assert frame.ts[rows].tolist() == one.ts.tolist()
        np.testing.assert_allclose(frame.x[rows], alone.x, rtol=1e-11, atol=1e-12)
    assert (np.diff(frame.ts) >= 0).all()
    together = frame.ts[1:] == frame.ts[:-1]
    assert (np.diff(frame.symbol)[together] > 0).all()


def test_nothing_to_compute_gives_no_rows() -> None:
    assert compute(compiled(), []).x.shape == (0, len(DECLARED))
    bars = told_as("ABC", random_bars(1, 20), {})
    assert compute(compiled({}), [bars]).x.shape == (20, 0)
