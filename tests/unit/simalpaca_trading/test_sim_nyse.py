"""The exchange's sessions by rule, against the calendar package; times as Alpaca writes them."""

import datetime as dt

import pytest

from tradingd.simalpaca import nyse, stamps


def test_every_session_since_2000_is_that_of_the_calendar_package():
    import exchange_calendars

    found = exchange_calendars.get_calendar("XNYS", start="2000-01-03", end="2027-06-30").schedule
    known = {
        day.date(): (int(opened.value), int(closed.value))
        for day, opened, closed in zip(found.index, found["open"], found["close"], strict=True)
    }
    sessions = nyse.between(dt.date(2000, 1, 3), dt.date(2027, 6, 30))
    assert {one.date: (one.open, one.close) for one in sessions} == known


def test_sessions_before_and_after_a_day():
    thanksgiving = dt.date(2023, 11, 23)
    assert nyse.session(thanksgiving) is None
    assert nyse.before(thanksgiving).date == dt.date(2023, 11, 22)
    assert nyse.following(thanksgiving).date == dt.date(2023, 11, 24)


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("2023-11-20", 1_700_438_400_000_000_000),
        ("2023-11-20T14:30:00Z", 1_700_490_600_000_000_000),
        ("2023-11-20T09:30:00-05:00", 1_700_490_600_000_000_000),
        ("2023-11-20T14:30:00.000000001Z", 1_700_490_600_000_000_001),
        ("2023-11-20 14:30:00", 1_700_490_600_000_000_000),
    ],
)
def test_times_are_read_to_the_nanosecond(text, ts):
    assert stamps.read_time(text) == ts


@pytest.mark.parametrize("text", ["", "today", "2023-13-01", "2023-11-20T25:00:00Z", "1e9"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        stamps.read_time(text)


@pytest.mark.parametrize("ts", [1_700_490_600_000_000_000, 1_700_490_600_000_000_001, 0])
def test_a_time_comes_back_as_it_was_written(ts):
    assert stamps.read_time(stamps.stamp(ts)) == ts
