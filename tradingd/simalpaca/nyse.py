"""Regular sessions of the New York Stock Exchange, by its own rules.

Written as rules instead of read from a calendar package: the server starts in a moment and
depends on nothing the daemon depends on. A test compares every day since 2000 with
`exchange_calendars`. Source: NYSE rule 7.2 and the exchange's notices of closures.
"""

import datetime as dt
from functools import lru_cache
from typing import Final, NamedTuple

from tradingd.simalpaca.stamps import NEW_YORK, at

FIRST: Final = dt.date(2000, 1, 1)
LAST: Final = dt.date(2060, 12, 31)

_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY = 0, 3, 4, 5
_OPEN: Final = dt.time(9, 30)
_CLOSE: Final = dt.time(16)
_EARLY: Final = dt.time(13)

_SPECIAL: Final = frozenset(
    dt.date.fromisoformat(text)
    for text in (
        *("2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14"),  # attacks
        *("2004-06-11", "2007-01-02", "2018-12-05", "2025-01-09"),  # days of mourning
        *("2012-10-29", "2012-10-30"),  # hurricane
    )
)
_SPECIAL_EARLY: Final = frozenset({dt.date(2002, 7, 5), dt.date(2003, 12, 26)})
_FULL: Final = frozenset({dt.date(2002, 7, 3)})
_JUNETEENTH_FROM: Final = 2022


class Session(NamedTuple):
    """One trading day: its New York date, open and close in UTC ns."""

    date: dt.date
    open: int
    close: int


@lru_cache(maxsize=4096)
def session(date: dt.date) -> Session | None:
    """Return the regular session of a date, None when there is none."""
    if not FIRST <= date <= LAST or date.weekday() >= _SATURDAY:
        return None
    if date in _SPECIAL or date in _holidays(date.year):
        return None
    close = _EARLY if _ends_early(date) else _CLOSE
    opens, closes = (at(dt.datetime.combine(date, time, NEW_YORK)) for time in (_OPEN, close))
    return Session(date, opens, closes)


def following(date: dt.date) -> Session:
    """Return the first session after a date."""
    while True:
        date += dt.timedelta(days=1)
        found = session(date)
        if found is not None:
            return found


def before(date: dt.date) -> Session:
    """Return the last session before a date."""
    while True:
        date -= dt.timedelta(days=1)
        found = session(date)
        if found is not None:
            return found


def between(first: dt.date, last: dt.date) -> list[Session]:
    """Return the sessions of a range of dates, both ends included."""
    first, last = max(first, FIRST), min(last, LAST)
    days = range((last - first).days + 1)
    found = (session(first + dt.timedelta(days=day)) for day in days)
    return [one for one in found if one is not None]


@lru_cache(maxsize=128)
def _holidays(year: int) -> frozenset[dt.date]:
    days = {
        _nth(year, 1, _MONDAY, 3),
        _nth(year, 2, _MONDAY, 3),
        _easter(year) - dt.timedelta(days=2),
        _last_monday_of_may(year),
        _observed(dt.date(year, 7, 4)),
        _nth(year, 9, _MONDAY, 1),
        _nth(year, 11, _THURSDAY, 4),
        _observed(dt.date(year, 12, 25)),
    }
    if year >= _JUNETEENTH_FROM:
        days.add(_observed(dt.date(year, 6, 19)))
    new_year = dt.date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:  # on a Saturday it is not made up for: the year ends open
        days.add(_observed(new_year))
    return frozenset(days)


def _ends_early(date: dt.date) -> bool:
    if date in _SPECIAL_EARLY:
        return True
    if date in _FULL:
        return False
    if date == _nth(date.year, 11, _THURSDAY, 4) + dt.timedelta(days=1):
        return True
    eve = (date.month, date.day) in ((7, 3), (12, 24))
    return eve and date.weekday() <= _THURSDAY


def _observed(day: dt.date) -> dt.date:
    """Return the day off for a holiday: Friday for a Saturday, Monday for a Sunday."""
    if day.weekday() == _SATURDAY:
        return day - dt.timedelta(days=1)
    return day + dt.timedelta(days=1) if day.weekday() > _SATURDAY else day


def _nth(year: int, month: int, weekday: int, number: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday_of_may(year: int) -> dt.date:
    last = dt.date(year, 5, 31)
    return last - dt.timedelta(days=last.weekday())


def _easter(year: int) -> dt.date:
    """Return Easter Sunday (Gregorian, by the anonymous algorithm)."""
    golden, century = year % 19, year // 100
    skipped = century - century // 4 - (8 * century + 13) // 25
    epact = (skipped + 19 * golden + 15) % 30
    epact -= epact // 28 * (1 - 29 // (epact + 1) * (21 - golden) // 11)
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    day = epact - weekday
    month = 3 + (day + 40) // 44
    return dt.date(year, month, day + 28 - 31 * (month // 4))
