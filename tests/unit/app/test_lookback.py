"""Durations count sessions for days, and calendar time for weeks, months and years."""

import datetime as dt

import pytest

from tradingd.app.lookback import Duration, months_before, parse_duration, warm_up_start
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar("XNYS")


@pytest.mark.parametrize(
    ("text", "last", "first"),
    [
        # Thanksgiving week 2013: closed on Thursday 28, weekend before Monday 25
        ("1 D", "2013-11-29", "2013-11-29"),
        ("2 D", "2013-11-29", "2013-11-27"),
        ("5 D", "2013-11-29", "2013-11-22"),
        ("1 W", "2013-11-29", "2013-11-23"),
        ("1 M", "2014-03-31", "2014-03-01"),
        ("1 M", "2014-01-15", "2013-12-16"),
        ("1 Y", "2014-06-06", "2013-06-07"),
        ("2 y", "2016-02-29", "2014-03-01"),
        # The exchange was closed from 2001-09-11 to 2001-09-14
        ("3 D", "2001-09-18", "2001-09-10"),
    ],
)
def test_the_first_day_of_a_duration(text: str, last: str, first: str):
    found = parse_duration(text).first_day(dt.date.fromisoformat(last), CALENDAR)
    assert found == dt.date.fromisoformat(first)


@pytest.mark.parametrize("text", ["5D", "5", "D", "0 D", "-1 D", "1.5 D", "5 H", "", "5 D 2 W"])
def test_other_texts_are_refused_with_the_form(text: str):
    with pytest.raises(Failure, match="expected: a count and D, W, M or Y") as caught:
        parse_duration(text)
    assert caught.value.code is ExitCode.USAGE


def test_the_warm_up_reads_enough_sessions_before():
    first = dt.date(2014, 6, 2)
    # 500 bars of 5 minutes are 500 / 78 = 6.4, so 7 sessions before the first
    start = warm_up_start(first, 5, CALENDAR)
    assert len(CALENDAR.between(start, first)) == 8
    assert len(CALENDAR.between(warm_up_start(first, 0, CALENDAR), first)) == 501


def test_months_before_the_end_of_a_longer_month():
    assert months_before(dt.date(2014, 3, 31), 1) == dt.date(2014, 3, 1)
    assert months_before(dt.date(2014, 12, 31), 1) == dt.date(2014, 12, 1)
    assert Duration(1, "D").number == 1
