"""Each rule of the swing trend fires just beyond its threshold, not at it."""

import msgspec
import numpy as np
import pytest

from tradingd.config.strategy import SwingTrend
from tradingd.domain.orders import Side
from tradingd.strategies.swing_trend.signal import (
    Reading,
    SwingSignal,
    entry_for,
    exit_for,
    protects_more,
)

SETTINGS = SwingTrend(allow_short=True)
UP = Reading(high=112.0, low=109.5, close=111.0, fast=110.0, slow=105.0, adx=25.0, atr=2.0)
DOWN = Reading(high=90.5, low=88.0, close=89.0, fast=90.0, slow=95.0, adx=25.0, atr=2.0)


def changed(reading: Reading, **values: float) -> Reading:
    return msgspec.structs.replace(reading, **values)


def test_a_pull_back_in_an_uptrend_is_bought_with_a_stop_and_all_numbers():
    entry = entry_for(UP, SETTINGS)
    assert entry is not None
    assert (entry.side, entry.stop, entry.strength) == (Side.BUY, 111.0 - 3 * 2.0, 25.0)
    assert entry.reason == (
        "uptrend (EMA 20 110.00 above EMA 50 105.00, ADX 25.0 > 20); pull-back: low 109.50 "
        "reached EMA 20, close 111.00 above it; stop 105.00 (3 ATR)"
    )


def test_a_pull_back_in_a_downtrend_is_sold_short_where_that_is_allowed():
    entry = entry_for(DOWN, SETTINGS)
    assert entry is not None
    assert (entry.side, entry.stop) == (Side.SELL, 89.0 + 3 * 2.0)
    assert entry_for(DOWN, SwingTrend()) is None


@pytest.mark.parametrize(
    ("reading", "fires"),
    [
        pytest.param(changed(UP, adx=20.0), False, id="adx-at-limit"),
        pytest.param(changed(UP, adx=20.001), True, id="adx-above"),
        pytest.param(changed(UP, low=110.0), True, id="low-touches-fast"),
        pytest.param(changed(UP, low=110.01), False, id="no-pull-back"),
        pytest.param(changed(UP, close=110.0), False, id="close-at-fast"),
        pytest.param(changed(UP, close=110.01), True, id="close-above-fast"),
        pytest.param(changed(UP, slow=110.0), False, id="averages-equal"),
        pytest.param(changed(UP, slow=109.99), True, id="fast-above-slow"),
        pytest.param(changed(UP, slow=115.0), False, id="no-trend"),
        pytest.param(changed(UP, atr=0.0), False, id="no-range"),
        pytest.param(changed(UP, atr=37.0), False, id="stop-would-be-zero"),
        pytest.param(changed(DOWN, adx=20.0), False, id="short-adx-at-limit"),
        pytest.param(changed(DOWN, high=90.0), True, id="high-touches-fast"),
        pytest.param(changed(DOWN, high=89.99), False, id="short-no-pull-back"),
        pytest.param(changed(DOWN, close=90.0), False, id="short-close-at-fast"),
        pytest.param(changed(DOWN, slow=90.0), False, id="short-averages-equal"),
    ],
)
def test_entry_rules(reading: Reading, fires: bool):
    assert (entry_for(reading, SETTINGS) is not None) is fires


@pytest.mark.parametrize(
    ("reading", "side", "sessions", "reason"),
    [
        pytest.param(UP, Side.BUY, 9, None, id="trend-goes-on"),
        pytest.param(UP, Side.BUY, 10, "held 10 sessions, at most 10", id="held-long-enough"),
        pytest.param(changed(UP, slow=110.0), Side.BUY, 1, None, id="averages-meet"),
        pytest.param(
            changed(UP, slow=110.5),
            Side.BUY,
            1,
            "reverse cross: EMA 20 110.00 below EMA 50 110.50",
            id="reverse-cross",
        ),
        pytest.param(DOWN, Side.SELL, 1, None, id="short-goes-on"),
        pytest.param(
            changed(DOWN, slow=89.5),
            Side.SELL,
            1,
            "reverse cross: EMA 20 90.00 above EMA 50 89.50",
            id="short-reverse-cross",
        ),
    ],
)
def test_exit_rules(reading: Reading, side: Side, sessions: int, reason: str | None):
    assert exit_for(reading, side, sessions, SETTINGS) == reason


@pytest.mark.parametrize(
    ("side", "candidate", "current", "better"),
    [
        (Side.BUY, 101.0, 100.0, True),
        (Side.BUY, 100.0, 100.0, False),
        (Side.BUY, 99.0, 100.0, False),
        (Side.SELL, 99.0, 100.0, True),
        (Side.SELL, 101.0, 100.0, False),
        (Side.BUY, 1.0, None, True),
    ],
)
def test_a_stop_moves_only_towards_the_price(side, candidate, current, better):
    assert protects_more(side, candidate, current) is better


def test_the_stop_by_the_last_bar_is_trail_atr_average_ranges_from_the_close():
    signal = SwingSignal(SwingTrend(atr_period=2))
    for close in (100.0, 101.0, 102.0):
        signal.update(close + 1.0, close - 1.0, close)
    # True range of every bar: max(high, close before) - min(low, close before) = 2
    assert signal.stop(Side.BUY) == pytest.approx(102.0 - 3 * 2.0)
    assert signal.stop(Side.SELL) == pytest.approx(102.0 + 3 * 2.0)


def test_nothing_is_decided_before_every_indicator_is_ready_and_a_split_changes_nothing():
    settings = SwingTrend(fast=3, slow=8, adx_period=3, atr_period=3)
    plain, split = SwingSignal(settings), SwingSignal(settings)
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.004, 0.02, 200)))
    decided = 0
    for index, close in enumerate(closes.tolist()):
        scale = 1.0 if index >= 100 else 4.0
        plain.update(close * 1.01, close * 0.99, close)
        if index == 100:
            split.rescale(1 / 4)
        split.update(close * scale * 1.01, close * scale * 0.99, close * scale)
        if index < 7:
            assert plain.reading is None
            assert plain.entry() is None
            assert plain.exit(Side.BUY, 99) is None
        if index >= 100:
            ours, expected = split.entry(), plain.entry()
            assert (ours and ours.reason) == (expected and expected.reason)
            decided += expected is not None
    assert decided > 3
