"""Bar lengths: what a client may ask for, and where each bar begins."""

import datetime as dt
import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata.times import DAY, HOUR, MINUTE, midnight, new_york_date


class Unit(StrEnum):
    """Units of a bar's length."""

    MINUTE = "Min"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


_NAMES: Final = {
    "Min": Unit.MINUTE,
    "T": Unit.MINUTE,
    "Hour": Unit.HOUR,
    "H": Unit.HOUR,
    "Day": Unit.DAY,
    "D": Unit.DAY,
    "Week": Unit.WEEK,
    "W": Unit.WEEK,
    "Month": Unit.MONTH,
    "M": Unit.MONTH,
}

# market-data-api.json, parameter `timeframe`.
_ALLOWED: Final = {
    Unit.MINUTE: range(1, 60),
    Unit.HOUR: range(1, 24),
    Unit.DAY: (1,),
    Unit.WEEK: (1,),
    Unit.MONTH: (1, 2, 3, 4, 6, 12),
}
_FORM: Final = re.compile(r"([1-9]\d?)([A-Za-z]+)", re.ASCII)


class Timeframe(NamedTuple):
    """A bar's length, such as 15 minutes."""

    number: int
    unit: Unit

    @property
    def intraday(self) -> bool:
        """Whether bars are shorter than a day."""
        return self.unit in (Unit.MINUTE, Unit.HOUR)

    @property
    def days(self) -> int:
        """The most days that one bar can take up."""
        return {Unit.WEEK: 7, Unit.MONTH: 31 * self.number}.get(self.unit, 1)

    @property
    def longest(self) -> int:
        """The most ns that one bar can take up; a day has 25 hours when clocks go back."""
        if self.intraday:
            return self.number * (MINUTE if self.unit is Unit.MINUTE else HOUR)
        return self.days * DAY + HOUR

    def start(self, inside: int) -> int:
        """Return where the bar begins that contains a time (UTC ns).

        Minutes and hours are counted from New York midnight; days, weeks (Monday) and months are
        those of New York, and begin at its midnight.
        """
        if self.unit is not Unit.MINUTE:
            return _start_of_hour(self, inside // HOUR)
        first = midnight(new_york_date(inside))
        length = self.number * MINUTE
        return first + (inside - first) // length * length

    def first_day(self, day: dt.date) -> dt.date:
        """Return the first day of the bar that contains a New York day."""
        if self.unit is Unit.WEEK:
            return day - dt.timedelta(days=day.weekday())
        if self.unit is Unit.MONTH:
            return day.replace(month=(day.month - 1) // self.number * self.number + 1, day=1)
        return day


def parse(text: str) -> Timeframe:
    """Read a timeframe such as 1Min, 15T, 1Hour, 1Day.

    Raises
    ------
    ValueError
        When Alpaca has no such bars.
    """
    found = _FORM.fullmatch(text)
    unit = _NAMES.get(found[2]) if found else None
    if not found or unit is None or int(found[1]) not in _ALLOWED[unit]:
        raise ValueError(f"invalid timeframe: {text}")
    return Timeframe(int(found[1]), unit)


@lru_cache(maxsize=50_000)
def _start_of_hour(frame: Timeframe, hour: int) -> int:
    # New York is whole hours from UTC: all of an hour lies in one bar of an hour or longer.
    day = new_york_date(hour * HOUR)
    if frame.unit is not Unit.HOUR:
        return midnight(frame.first_day(day))
    first, length = midnight(day), frame.number * HOUR
    return first + (hour * HOUR - first) // length * length
