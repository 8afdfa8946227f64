"""Each rule of the intraday mean reversion fires just beyond its threshold, not at it."""

from typing import Any

import msgspec
import pytest

from tradingd.config.strategy import IntradayMeanReversion
from tradingd.domain.orders import Side
from tradingd.strategies.intraday_mean_reversion.signal import (
    MeanReversionSignal,
    Reading,
    entry_for,
    exit_for,
)

SETTINGS = IntradayMeanReversion()
CHEAP = Reading(close=99.0, vwap=101.0, z=-2.31, rsi=24.1, atr=0.4)
DEAR = Reading(close=103.0, vwap=101.0, z=2.31, rsi=75.9, atr=0.4)


def changed(reading: Reading, **values: float) -> Reading:
    return msgspec.structs.replace(reading, **values)


def test_a_low_stretch_that_rsi_confirms_is_bought_with_a_stop_and_all_numbers():
    entry = entry_for(CHEAP, SETTINGS, 60.0)
    assert entry is not None
    assert entry.side is Side.BUY
    assert entry.stop == pytest.approx(99.0 - 1.5 * 0.4)
    assert entry.reason == (
        "z -2.31 below -2.00, RSI 24.1 < 30; close 99.00, VWAP 101.00, stop 98.40 (1.5 ATR)"
    )


def test_a_high_stretch_that_rsi_confirms_is_sold_short():
    entry = entry_for(DEAR, SETTINGS, 60.0)
    assert entry is not None
    assert entry.side is Side.SELL
    assert entry.stop == pytest.approx(103.0 + 1.5 * 0.4)
    assert entry.reason.startswith("z 2.31 above 2.00, RSI 75.9 > 70;")


@pytest.mark.parametrize(
    ("reading", "minutes", "fires"),
    [
        pytest.param(changed(CHEAP, z=-2.0), 60.0, False, id="z-at-entry"),
        pytest.param(changed(CHEAP, z=-2.0001), 60.0, True, id="z-beyond-entry"),
        pytest.param(changed(CHEAP, rsi=30.0), 60.0, False, id="rsi-at-oversold"),
        pytest.param(changed(CHEAP, rsi=29.999), 60.0, True, id="rsi-below-oversold"),
        pytest.param(changed(DEAR, z=2.0), 60.0, False, id="short-z-at-entry"),
        pytest.param(changed(DEAR, z=2.0001), 60.0, True, id="short-z-beyond-entry"),
        pytest.param(changed(DEAR, rsi=70.0), 60.0, False, id="rsi-at-overbought"),
        pytest.param(changed(DEAR, rsi=70.001), 60.0, True, id="rsi-above-overbought"),
        pytest.param(changed(CHEAP, rsi=80.0), 60.0, False, id="low-z-with-high-rsi"),
        pytest.param(CHEAP, 10.0, False, id="at-flatten-minutes"),
        pytest.param(CHEAP, 10.5, True, id="before-flatten-minutes"),
        pytest.param(changed(CHEAP, atr=0.0), 60.0, False, id="no-range-no-stop-distance"),
        pytest.param(changed(CHEAP, atr=66.0), 60.0, False, id="stop-would-be-zero"),
    ],
)
def test_entry_rules(reading: Reading, minutes: float, fires: bool):
    assert (entry_for(reading, SETTINGS, minutes) is not None) is fires


def test_no_short_where_shorts_are_not_allowed():
    settings = IntradayMeanReversion(allow_short=False)
    assert entry_for(DEAR, settings, 60.0) is None
    assert entry_for(CHEAP, settings, 60.0) is not None


@pytest.mark.parametrize(
    ("z", "side", "minutes", "reason"),
    [
        pytest.param(-0.5, Side.BUY, 60.0, None, id="long-at-exit"),
        pytest.param(-0.49, Side.BUY, 60.0, "z -0.49 back above -0.50", id="long-inside"),
        pytest.param(1.2, Side.BUY, 60.0, "z 1.20 back above -0.50", id="long-jumped-over"),
        pytest.param(0.5, Side.SELL, 60.0, None, id="short-at-exit"),
        pytest.param(0.49, Side.SELL, 60.0, "z 0.49 back below 0.50", id="short-inside"),
        pytest.param(-1.2, Side.SELL, 60.0, "z -1.20 back below 0.50", id="short-jumped-over"),
        pytest.param(-3.0, Side.BUY, 10.5, None, id="still-time"),
        pytest.param(
            -3.0, Side.BUY, 10.0, "10 min to the close, flat within 10", id="time-to-flatten"
        ),
        pytest.param(float("nan"), Side.BUY, 60.0, None, id="no-reading-no-exit"),
        pytest.param(
            float("nan"), Side.BUY, 3.0, "3 min to the close, flat within 10", id="flat-anyway"
        ),
    ],
)
def test_exit_rules(z: float, side: Side, minutes: float, reason: str | None):
    assert exit_for(z, side, SETTINGS, minutes) == reason


SHORT_WINDOWS = IntradayMeanReversion(z_window=5, rsi_period=2, atr_period=2, z_entry=1.5)


def fed(signal: MeanReversionSignal, *closes: float) -> list[Any]:
    found = []
    for close in closes:
        signal.update(close + 0.1, close - 0.1, close, 100.0)
        found.append(signal.entry(60.0))
    return found


def test_nothing_is_decided_before_every_indicator_is_ready():
    signal = MeanReversionSignal(SHORT_WINDOWS)
    signal.start_session()
    assert fed(signal, 100.0, 100.0, 100.0, 90.0) == [None] * 4
    assert signal.reading is None
    assert signal.exit(Side.BUY, 60.0) is None


def test_a_stretch_is_faded_once_until_it_is_gone():
    signal = MeanReversionSignal(SHORT_WINDOWS)
    signal.start_session()
    first = fed(signal, 100.0, 100.1, 100.0, 100.1, 100.0, 97.0)[-1]
    assert first is not None
    assert first.side is Side.BUY
    # The stretch goes on: the price falls faster than its unit grows, yet no second entry.
    assert fed(signal, 90.0, 70.0, 40.0) == [None] * 3
    assert signal.stretch.value < -SHORT_WINDOWS.z_entry
    # Back at the VWAP the stretch is gone; the next one is faded again.
    fed(signal, *[100.0] * 20, 99.9)
    again = fed(signal, 80.0)[-1]
    assert again is not None
    assert again.side is Side.BUY


def test_a_split_changes_no_decision():
    plain, split = MeanReversionSignal(SHORT_WINDOWS), MeanReversionSignal(SHORT_WINDOWS)
    for signal in (plain, split):
        signal.start_session()
    before = (100.0, 100.1, 100.0, 100.1, 100.0)
    for close in before:
        plain.update(close / 4, close / 4, close / 4, 400.0)
        split.update(close, close, close, 100.0)
    split.rescale(1 / 4)
    for signal in (plain, split):
        signal.update(24.25, 24.25, 24.25, 400.0)
    ours, expected = split.entry(60.0), plain.entry(60.0)
    assert ours is not None
    assert expected is not None
    assert ours.stop == pytest.approx(expected.stop)
    assert ours.reason == expected.reason
