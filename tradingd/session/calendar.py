"""Regular sessions of an exchange as UTC nanoseconds.

Source: `exchange_calendars` (XNYS and others), which carries holidays and early closes.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from functools import cached_property
from zoneinfo import ZoneInfo

from tradingd.domain.market import NANOSECONDS, Session
from tradingd.kits.failure import ExitCode, Failure

NEW_YORK = ZoneInfo("America/New_York")
_FIRST_DAY = "1990-01-01"
_LAST_DAY = "2035-12-31"


class SessionCalendar:
    """All sessions of one exchange, loaded on first use.

    Parameters
    ----------
    name : str
        ISO market identifier known to `exchange_calendars`, e.g. ``XNYS``.
    """

    def __init__(self, name: str = "XNYS") -> None:
        self.name = name

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """Every session from 1990 to 2035 in time order (about 0.5 s on first access)."""
        import exchange_calendars

        known = set(exchange_calendars.get_calendar_names())
        if self.name not in known:
            raise Failure(
                f"unknown exchange calendar {self.name!r}",
                code=ExitCode.CONFIG,
                where="session.calendar",
                expected="a market identifier such as XNYS",
                found=self.name,
            )
        schedule = exchange_calendars.get_calendar(
            self.name, start=_FIRST_DAY, end=_LAST_DAY
        ).schedule
        days = schedule.index.date
        opens = schedule["open"].dt.tz_localize(None).astype("datetime64[ns]").astype("int64")
        closes = schedule["close"].dt.tz_localize(None).astype("datetime64[ns]").astype("int64")
        return tuple(
            Session(day, int(first), int(last))
            for day, first, last in zip(days, opens, closes, strict=True)
        )

    @cached_property
    def _opens(self) -> list[int]:
        return [session.open_ns for session in self.sessions]

    @cached_property
    def _closes(self) -> list[int]:
        return [session.close_ns for session in self.sessions]

    @cached_property
    def _days(self) -> list[dt.date]:
        return [session.day for session in self.sessions]

    def on(self, day: dt.date) -> Session | None:
        """Return the session of a calendar day, or None when the exchange is closed."""
        index = bisect_left(self._days, day)
        if index < len(self._days) and self._days[index] == day:
            return self.sessions[index]
        return None

    def at(self, ts: int) -> Session | None:
        """Return the session whose half-open interval (open, close] holds `ts`, or None.

        The interval suits bars, whose time is their close.
        """
        found = self.number_at(ts)
        return found[1] if found else None

    def number_at(self, ts: int) -> tuple[int, Session] | None:
        """Return what `at` does with its place in `sessions`."""
        index = bisect_left(self._closes, ts)
        if index < len(self.sessions) and self.sessions[index].contains_bar(ts):
            return index, self.sessions[index]
        return None

    def between(self, start: dt.date, end: dt.date) -> tuple[Session, ...]:
        """Return the sessions from `start` to `end`, both inclusive."""
        return self.sessions[bisect_left(self._days, start) : bisect_right(self._days, end)]

    def next_open(self, ts: int) -> Session | None:
        """Return the first session that opens at or after `ts`."""
        index = bisect_left(self._opens, ts)
        return self.sessions[index] if index < len(self.sessions) else None


def local_midnight_ns(day: dt.date, zone: ZoneInfo = NEW_YORK) -> int:
    """Return the UTC nanoseconds of local midnight at the start of `day` (DST-aware)."""
    moment = dt.datetime.combine(day, dt.time(), tzinfo=zone)
    return int(moment.timestamp()) * NANOSECONDS


def local_date(ts: int, zone: ZoneInfo = NEW_YORK) -> dt.date:
    """Return the exchange-local calendar date of a UTC nanosecond time."""
    return dt.datetime.fromtimestamp(ts // NANOSECONDS, tz=zone).date()


def next_time(time: dt.time, after: int, zone: ZoneInfo = NEW_YORK) -> int:
    """Return the first UTC nanoseconds after `after` at which the zone's clocks show `time`."""
    day = local_date(after, zone)
    while True:
        moment = dt.datetime.combine(day, time, tzinfo=zone)
        if (found := int(moment.timestamp()) * NANOSECONDS) > after:
            return found
        day += dt.timedelta(days=1)
