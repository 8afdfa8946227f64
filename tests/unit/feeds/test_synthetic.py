"""Invented bars: deterministic, sound, on real sessions, joined from day to day."""

import datetime as dt
import itertools

import numpy as np
import pytest

from tradingd.domain.money import CENT
from tradingd.feeds.columns import nanos_of, times_of
from tradingd.feeds.synthetic import HISTORY, SyntheticBars
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()


def bars(seed: int = 7, **options: object) -> SyntheticBars:
    settings = {"symbols": 3, "days": 4, "start": dt.date(2024, 7, 1), **options}
    return SyntheticBars(seed=seed, calendar=CALENDAR, **settings)


def test_the_same_seed_gives_the_same_bars_and_another_seed_others() -> None:
    day = dt.date(2024, 7, 1)
    first, again, other = (next(bars(seed).between(day, day).chunks()).table for seed in (7, 7, 8))
    assert first.equals(again)
    assert not first.equals(other)


def test_bars_stand_on_real_sessions_and_an_early_close_ends_at_one() -> None:
    sizes = {}
    for chunk in bars().between(dt.date(2024, 7, 1), None).chunks():
        session = CALENDAR.at(chunk.start_ns)
        assert session is not None
        times = times_of(chunk.table["ts_event"])
        assert session.open_ns < times.min()
        assert times.max() == session.close_ns
        sizes[session.day] = chunk.table.num_rows // 3
    assert sizes == {
        dt.date(2024, 7, 1): 390,
        dt.date(2024, 7, 2): 390,
        dt.date(2024, 7, 3): 210,
        dt.date(2024, 7, 5): 390,
    }


def test_every_bar_holds_its_own_prices_on_whole_cents() -> None:
    table = next(bars().between(None, None).chunks()).table
    opened, high, low, close = (nanos_of(table[name]) for name in ("open", "high", "low", "close"))
    assert (high >= np.maximum(opened, close)).all()
    assert (low <= np.minimum(opened, close)).all()
    assert (low > 0).all()
    assert all((prices % CENT == 0).all() for prices in (opened, high, low, close))
    assert (table["volume"].to_numpy() > 0).all()


def test_sessions_join_and_a_range_gives_the_bars_that_the_whole_gives() -> None:
    whole = list(bars().between(None, None).chunks())
    assert len(whole) == HISTORY + 4
    part = list(bars().between(dt.date(2024, 7, 2), dt.date(2024, 7, 2)).chunks())
    assert [chunk.table.equals(whole[HISTORY + 1].table) for chunk in part] == [True]
    for before, after in itertools.pairwise(whole):
        last = nanos_of(before.table["close"])[len(before.table) // 3 - 1]
        assert abs(nanos_of(after.table["open"])[0] - last) <= CENT


def test_symbols_sort_as_they_are_numbered() -> None:
    names = bars(symbols=12).names
    assert names == sorted(names)
    assert names[0] == "SYN01"


def test_days_outside_the_feed_are_refused_with_the_days_it_has() -> None:
    with pytest.raises(Failure) as caught:
        bars().between(dt.date(2031, 1, 1), None)
    assert caught.value.code is ExitCode.EMPTY_RANGE
    assert "2024-07-05" in caught.value.expected
