import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date, local_midnight_ns, next_time

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def calendar() -> SessionCalendar:
    return SessionCalendar("XNYS")


def ns(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=NEW_YORK).timestamp()) * 10**9


def test_a_full_day_opens_at_half_past_nine_and_closes_at_four(calendar):
    session = calendar.on(dt.date(2014, 6, 5))
    assert (session.open_ns, session.close_ns) == (ns(2014, 6, 5, 9, 30), ns(2014, 6, 5, 16))


def test_the_day_before_independence_day_closes_at_one(calendar):
    assert calendar.on(dt.date(2013, 7, 3)).close_ns == ns(2013, 7, 3, 13)


def test_holidays_and_weekends_have_no_session(calendar):
    assert calendar.on(dt.date(2014, 7, 4)) is None
    assert calendar.on(dt.date(2014, 6, 7)) is None


def test_summer_and_winter_opens_differ_by_an_hour_in_utc(calendar):
    winter = calendar.on(dt.date(2014, 1, 6)).open_ns - local_midnight_ns(dt.date(2014, 1, 6))
    midnight_utc = int(dt.datetime(2014, 1, 6, tzinfo=dt.UTC).timestamp()) * 10**9
    assert winter == 9 * 3600 * 10**9 + 1800 * 10**9
    assert local_midnight_ns(dt.date(2014, 1, 6)) - midnight_utc == 5 * 3600 * 10**9
    midnight_utc = int(dt.datetime(2014, 6, 6, tzinfo=dt.UTC).timestamp()) * 10**9
    assert local_midnight_ns(dt.date(2014, 6, 6)) - midnight_utc == 4 * 3600 * 10**9


def test_a_bar_belongs_to_the_session_it_closes_in(calendar):
    session = calendar.on(dt.date(2014, 6, 5))
    assert calendar.at(session.open_ns) is None
    assert calendar.at(session.open_ns + 1) == session
    assert calendar.at(session.close_ns) == session
    assert calendar.at(session.close_ns + 1) is None


def test_sessions_between_two_days_include_both_ends(calendar):
    days = [s.day for s in calendar.between(dt.date(2014, 7, 3), dt.date(2014, 7, 7))]
    assert days == [dt.date(2014, 7, 3), dt.date(2014, 7, 7)]


def test_the_next_open_after_friday_is_monday(calendar):
    assert calendar.next_open(ns(2014, 6, 6, 12)).day == dt.date(2014, 6, 9)


def test_the_local_date_of_an_evening_in_new_york_is_not_the_utc_date():
    assert local_date(ns(2014, 6, 5, 21)) == dt.date(2014, 6, 5)


def test_an_unknown_exchange_is_refused_by_name():
    with pytest.raises(Failure) as refusal:
        _ = SessionCalendar("MOON").sessions
    assert refusal.value.code is ExitCode.CONFIG
    assert "MOON" in refusal.value.line()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (ns(2025, 4, 3, 20, 9), ns(2025, 4, 3, 20, 10)),
        (ns(2025, 4, 3, 20, 10), ns(2025, 4, 4, 20, 10)),
        # Over the night in which the clocks go forward: 23 hours later, not 24.
        (ns(2025, 3, 8, 20, 10), ns(2025, 3, 9, 20, 10)),
    ],
)
def test_the_next_time_of_day_is_the_exchanges(after, expected):
    assert next_time(dt.time(20, 10), after) == expected
