"""How far back: durations as Interactive Brokers writes them, counted in sessions."""

import datetime as dt
import re
from math import ceil
from typing import Final, NamedTuple

from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar

_FORM: Final = re.compile(r"(?P<count>[1-9]\d{0,3})\s+(?P<unit>[DWMY])")
_SESSION_MINUTES: Final = 390
# Pandas-style averages never forget; after five spans of the longest one the seed weighs e**-10.
WARM_UP_BARS: Final = 500

BAR_SIZES: Final = {
    "1 min": 1,
    "5 mins": 5,
    "15 mins": 15,
    "30 mins": 30,
    "1 hour": 60,
    "1 day": 0,
}
"""Minutes of every bar size; 0 stands for a whole session."""


class Duration(NamedTuple):
    """A count of trading days (D), weeks (W), months (M) or years (Y)."""

    number: int
    unit: str

    def first_day(self, last: dt.date, calendar: SessionCalendar) -> dt.date:
        """Return the first day of the span that ends with `last`, inclusive."""
        if self.unit == "D":
            # Two days for each session, and a fortnight, cover every run of holidays.
            sessions = calendar.between(last - dt.timedelta(2 * self.number + 14), last)
            return sessions[-self.number :][0].day if sessions else last
        if self.unit == "W":
            return last - dt.timedelta(7 * self.number - 1)
        return months_before(last, self.number * (12 if self.unit == "Y" else 1))


def parse_duration(text: str) -> Duration:
    """Read a duration such as ``5 D``.

    Raises
    ------
    Failure
        USAGE, naming the form.
    """
    found = _FORM.fullmatch(text.strip().upper())
    if found is None:
        raise Failure(
            "the duration is not understood",
            code=ExitCode.USAGE,
            where="--duration",
            expected='a count and D, W, M or Y, e.g. "5 D", "2 W", "1 M", "1 Y"',
            found=repr(text),
        )
    return Duration(int(found["count"]), found["unit"])


def warm_up_start(first: dt.date, minutes: int, calendar: SessionCalendar) -> dt.date:
    """Return the day from which to read so that indicators are settled on `first`."""
    per_session = ceil(_SESSION_MINUTES / minutes) if minutes else 1
    sessions = ceil(WARM_UP_BARS / per_session)
    return Duration(sessions + 1, "D").first_day(first, calendar)


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the day after the same date so many months earlier (31 becomes the month's last)."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(1)).day
    return dt.date(year, month + 1, min(day.day, last)) + dt.timedelta(1)
