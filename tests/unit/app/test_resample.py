"""Minute bars become bars that begin at the session's open and never cross it."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tradingd.app.resample import daily, resample, scaled
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")
MINUTE = 60_000_000_000
FULL = CALENDAR.on(dt.date(2013, 11, 27))
HALF = CALENDAR.on(dt.date(2013, 11, 29))
assert FULL is not None
assert HALF is not None


def table(stamps: list[int]) -> pa.Table:
    dice = np.random.default_rng(2)
    close = np.round(100 + np.cumsum(dice.normal(0, 0.1, len(stamps))), 2)
    prices = {"open": close, "high": close + 0.05, "low": close - 0.05, "close": close}
    return pa.table(
        {
            "ts_event": pa.array(np.array(stamps)).cast(pa.timestamp("ns")),
            **{
                name: pa.array(one).cast(pa.decimal128(38, 9)).cast(pa.decimal128(18, 9))
                for name, one in prices.items()
            },
            "volume": pa.array(dice.integers(1, 100, len(stamps))),
        }
    )


def minutes(session) -> list[int]:
    return list(range(session.open_ns + MINUTE, session.close_ns + 1, MINUTE))


def test_bars_equal_pandas_groups_of_minutes_since_the_open():
    raw = table(minutes(FULL))
    ours = resample(raw, 15, CALENDAR)
    frame = pd.DataFrame({name: np.asarray(raw[name], float) for name in ("high", "low", "close")})
    frame["volume"] = np.asarray(raw["volume"])
    groups = frame.groupby(np.arange(390) // 15)
    assert ours.ts.tolist() == [FULL.open_ns + n * 15 * MINUTE for n in range(1, 27)]
    np.testing.assert_array_equal(ours.high, groups["high"].max())
    np.testing.assert_array_equal(ours.low, groups["low"].min())
    np.testing.assert_array_equal(ours.close, groups["close"].last())
    np.testing.assert_array_equal(ours.volume, groups["volume"].sum())
    assert ours.opens.tolist() == [True] + [False] * 25
    assert ours.to_close.tolist() == [375.0 - 15 * n for n in range(26)]


@pytest.mark.parametrize(("size", "count", "last"), [(60, 4, 30), (30, 7, 30), (0, 1, 210)])
def test_a_half_days_last_bar_ends_at_the_early_close(size, count, last):
    # 9:30 to 13:00 is 210 minutes: three hours and a half
    ours = resample(table(minutes(HALF)), size, CALENDAR)
    assert len(ours.ts) == count
    assert ours.ts[-1] == HALF.close_ns
    assert ours.to_close[-1] == 0.0
    before = ours.ts[-2] if count > 1 else HALF.open_ns
    assert (ours.ts[-1] - before) // MINUTE == last


def test_minutes_outside_the_session_are_left_out_and_gaps_stay_gaps():
    inside = minutes(HALF)
    stamps = [HALF.open_ns, *inside[:3], *inside[20:22], HALF.close_ns + MINUTE]
    ours = resample(table(stamps), 5, CALENDAR)
    assert ours.ts.tolist() == [HALF.open_ns + 5 * MINUTE, HALF.open_ns + 25 * MINUTE]
    assert ours.volume.sum() == sum(table(stamps)["volume"].to_pylist()[1:-1])


def test_two_sessions_have_an_opening_bar_each():
    ours = resample(table([*minutes(FULL), *minutes(HALF)]), 60, CALENDAR)
    # 390 minutes are seven bars, 210 are four
    assert np.flatnonzero(ours.opens).tolist() == [0, 7]


def test_nothing_inside_a_session_is_no_bar():
    assert len(resample(table([HALF.close_ns + MINUTE]), 5, CALENDAR).ts) == 0


def test_daily_bars_each_open_a_session_and_scaling_keeps_turnover():
    ours = daily(table([FULL.close_ns, HALF.close_ns]))
    assert ours.opens.tolist() == [True, True]
    quartered = scaled(ours, 0.25)
    np.testing.assert_allclose(quartered.close, ours.close / 4)
    np.testing.assert_allclose(quartered.volume, ours.volume * 4)
    assert scaled(ours, 1.0) is ours
