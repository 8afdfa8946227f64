"""Bar by bar as over the arrays: hardly any move, nothing traded, ragged sessions."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.features import feature_bars
from tests.unit.features.feature_bars import CALENDAR
from tradingd.config.features import FeaturesConfig
from tradingd.features.catalogue import KINDS
from tradingd.features.check import check
from tradingd.features.compile import compile_features
from tradingd.features.feature_set import FeatureSet
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.sessions import place

FAMILIES = {
    "volatility",
    "volume",
    "relative_volume",
    "session",
    "microstructure",
    "calendar",
    "events",
}
MINE = [kind for kind, path in KINDS.items() if path.partition(":")[0] in FAMILIES]
SHORT: dict[str, dict[str, Any]] = {
    "relative_volume": {"sessions": 2},
    "volatility_of_volatility": {"inner": 3, "bars": 4},
    "volatility_ratio": {"fast": 3, "slow": 7},
    "dollar_volume_trend": {"fast": 3, "slow": 7},
    "opening_range_position": {"minutes": 2},
    "days_since_earnings": {"sessions": 3},
    "days_to_earnings": {"sessions": 3},
    "month_turn": {"sessions": 2},
}
WINDOWED = {kind for kind in MINE if KINDS[kind].partition(":")[0] == "volatility"}
WINDOWED |= {kind for kind in MINE if KINDS[kind].startswith("volume:")}
WINDOWED |= {"book_imbalance", "tick_rule_imbalance", "vwap_stretch"}
EARNINGS = {"AAA": (dt.date(2014, 11, 28), dt.date(2014, 12, 30)), "SPY": ()}


def short(kind: str, every: str) -> FeatureSet:
    params = SHORT.get(kind, {"bars": 4} if kind in WINDOWED else {})
    config = FeaturesConfig(bars=every, declared={"it": {"kind": kind, **params}})  # type: ignore[arg-type]
    return compile_features(config, calendar=CALENDAR, earnings=EARNINGS)


def step_by_step(features: FeatureSet, series: Series) -> Floats:
    names = ("ts", "open", "high", "low", "close", "volume", "session", "minute", "to_close")
    rows = [getattr(series, name).tolist() for name in (*names, "bid", "ask")]
    rows += [getattr(series, name).tolist() for name in ("bid_size", "ask_size")]
    update = features.columns[0].live_of(series.symbol).update
    return np.array([update(LiveBar(*row)) for row in zip(*rows, strict=True)])


@st.composite
def coarse(draw: st.DrawFn) -> Series:
    """Minutes of four sessions on a grid of few prices and volumes: ties and flats everywhere."""
    stamps = feature_bars.minute_stamps(4)
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    tick = draw(st.sampled_from([0.01, 0.1, 1.0 / 3.0]))
    calm = draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    bars = draw(st.integers(1, 160))
    ts = np.sort(rng.choice(stamps, bars, replace=False))
    steps = rng.integers(-2, 3, bars) * (rng.random(bars) >= calm)
    close = (300 + np.cumsum(steps)) * tick
    opened = close + rng.integers(-1, 2, bars) * (rng.random(bars) >= calm) * tick
    reach = rng.integers(0, 2, (2, bars)) * (rng.random((2, bars)) >= calm) * tick
    volume = rng.choice([0.0, 0.0, 100.0, 700.0], bars) * draw(st.sampled_from([0.0, 1.0, 1e4]))
    where = place(ts, CALENDAR)
    return Series(
        symbol="AAA",
        ts=ts,
        open=opened,
        high=np.maximum(opened, close) + reach[0],
        low=np.minimum(opened, close) - reach[1],
        close=close,
        volume=volume,
        session=where.session,
        minute=where.minute,
        to_close=where.to_close,
        bid=np.where(rng.random(bars) < 0.1, np.nan, close),
        ask=close + rng.integers(-1, 3, bars) * tick,
        bid_size=rng.choice([0.0, 100.0, 200.0], bars),
        ask_size=rng.choice([0.0, 100.0, 200.0], bars),
    )


@pytest.mark.parametrize("kind", MINE)
def test_ties_flats_and_nothing_traded_read_the_same_bar_by_bar(kind: str) -> None:
    features = short(kind, "1m")

    @settings(max_examples=25, derandomize=True, deadline=None)
    @given(coarse())
    def holds(series: Series) -> None:
        with np.errstate(all="ignore"):
            batch = features.columns[0].batch(series)
        assert not np.isinf(batch).any()
        np.testing.assert_allclose(step_by_step(features, series), batch, rtol=1e-9, atol=1e-12)

    holds()


@pytest.mark.parametrize("kind", ["relative_volume", "vwap_distance", "vwap_stretch",
                                  "overnight_gap", "session_range_position"])  # fmt: skip
def test_over_many_sessions_a_kind_forgets_splits_and_sees_no_future(kind: str) -> None:
    given_bars = feature_bars.market(feature_bars.minute_stamps(7), 5)
    report = check(short(kind, "1m"), given_bars, cuts=3, seed=5)
    assert [one.problems for one in report.features] == [()]
    assert report.features[0].memory_proved
