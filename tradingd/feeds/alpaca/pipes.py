"""From messages and history to batches, for each length of bars. Pure: told the time, no timers."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol

from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import NANOSECONDS, Resolution
from tradingd.feeds.alpaca import convert
from tradingd.feeds.alpaca.days import Days
from tradingd.feeds.alpaca.hours import Hours
from tradingd.feeds.alpaca.messages import BarMessage, DailyBarMessage
from tradingd.feeds.alpaca.minutes import Assembler
from tradingd.feeds.alpaca.past import Past
from tradingd.session.calendar import SessionCalendar
from tradingd.vendors.alpaca.values import Unreadable, sound

_MINUTE: Final = Resolution.MINUTE.nanoseconds

CLOSING_SECONDS: Final = 90
"""Seconds after the close at which a day is taken: its closing auction has been told by then."""

type Rows = Iterable[tuple[int, MarketBar]]


class Pipe(Protocol):
    """What the live part knows of a length of bars."""

    channels: Sequence[str]
    held: bool
    garbage: int
    outside: int

    @property
    def late(self) -> int:
        """Bars that came too late."""
        ...

    @property
    def twice(self) -> int:
        """Bars that came again."""
        ...

    @property
    def cursor(self) -> int:
        """Time up to which everything was taken (UTC ns); history goes on after it."""
        ...

    def take(self, message: BarMessage, now: float) -> None:
        """Take a bar of the stream."""
        ...

    def read(self, past: Past, until: int | None) -> Rows:
        """Read what comes after the cursor from history; blocks."""
        ...

    def merge(self, rows: Rows, through: int, now: float) -> int:
        """Take what was read; return the number of bars that were new."""
        ...

    def ready(self, now: float, wall: int | None) -> list[Batch]:
        """Return what is complete, in order."""
        ...

    def due(self, now: float) -> float:
        """Return when to ask `ready` again at the latest (monotonic seconds)."""
        ...


class MinutePipe:
    """Minutes as they are, or joined to hours.

    Parameters
    ----------
    symbols : collection of str
    calendar : SessionCalendar
    after : int
        Close of the last batch, UTC ns.
    grace : float
        Seconds to wait for the bars of a minute.
    quiet : bool
        Whether the grace is a silence (see `Assembler`).
    hours : bool
        Whether to join them.
    regular : bool
        Whether bars outside regular sessions are left out.
    """

    channels: Sequence[str] = ("bars",)

    def __init__(
        self,
        symbols: Collection[str],
        calendar: SessionCalendar,
        *,
        after: int,
        grace: float,
        quiet: bool,
        hours: bool,
        regular: bool = True,
    ) -> None:
        self.garbage = 0
        self.outside = 0
        self._symbols = frozenset(symbols)
        self._calendar = calendar
        self._grace = grace
        self._regular = regular
        self._minutes = Assembler(self._symbols, after=after, grace=grace, quiet=quiet)
        self._hours = Hours(calendar) if hours else None

    @property
    def held(self) -> bool:
        """Whether nothing is delivered for the time being."""
        return self._minutes.held

    @held.setter
    def held(self, value: bool) -> None:
        self._minutes.held = value

    @property
    def late(self) -> int:
        """Bars that came after their batch."""
        return self._minutes.late

    @property
    def twice(self) -> int:
        """Bars that came again."""
        return self._minutes.twice

    @property
    def cursor(self) -> int:
        """Close of the last minute that was taken."""
        return self._minutes.after

    def take(self, message: BarMessage, now: float) -> None:
        """Take a minute bar of the stream; of other kinds, nothing."""
        if type(message) is not BarMessage or message.S not in self._symbols:
            return
        try:
            start, bar = convert.bar(message)
        except Unreadable:
            self.garbage += 1
            return
        if not sound(bar):
            self.garbage += 1
        elif self._regular and self._calendar.at(start + _MINUTE) is None:
            self.outside += 1
        else:
            self._minutes.add(start + _MINUTE, bar, now)

    def read(self, past: Past, until: int | None) -> Rows:
        """Read the minutes after the cursor."""
        return past.minutes(self.cursor, until)

    def merge(self, rows: Rows, through: int, now: float) -> int:
        """Take minutes of history, complete up to `through`."""
        number = 0
        for close, bar in rows:
            self._minutes.add(close, bar, now)
            number += 1
        self._minutes.settle(through)
        return number

    def ready(self, now: float, wall: int | None) -> list[Batch]:
        """Return the minutes, or the hours, that are complete."""
        minutes = self._minutes.ready(now)
        hours = self._hours
        if hours is None:
            return minutes
        whole = [hour for minute in minutes for hour in hours.add(minute)]
        if wall is not None and hours.pending and not self._minutes.held:
            # Nothing may have traded in the hour's last minute; then no minute ends it.
            margin = int((self._grace + 1) * NANOSECONDS)
            whole += hours.through(wall - margin)
        return whole

    def due(self, now: float) -> float:
        """Return when a minute's grace is over."""
        return self._minutes.due()


class DayPipe:
    """Daily bars, one batch a session.

    Parameters
    ----------
    symbols : collection of str
    calendar : SessionCalendar
    after : int
        Close of the last session that was delivered, UTC ns.
    grace : float
        Seconds of silence after which a day of data time is complete.
    live : bool
        Whether session time is the wall's.
    """

    def __init__(
        self,
        symbols: Collection[str],
        calendar: SessionCalendar,
        *,
        after: int,
        grace: float,
        live: bool,
    ) -> None:
        # Minutes tell the data's time; on the wall nobody needs them.
        self.channels: Sequence[str] = ("dailyBars",) if live else ("dailyBars", "bars")
        self.garbage = 0
        self.outside = 0
        self._symbols = frozenset(symbols)
        self._live = live
        margin = CLOSING_SECONDS * NANOSECONDS if live else 0
        self._days = Days(calendar, after=after, grace=grace, margin=margin)

    @property
    def held(self) -> bool:
        """Whether nothing is delivered for the time being."""
        return self._days.held

    @held.setter
    def held(self, value: bool) -> None:
        self._days.held = value

    @property
    def twice(self) -> int:
        """Nothing: a daily bar comes again and again."""
        return 0

    @property
    def late(self) -> int:
        """Bars of days that are over."""
        return self._days.late

    @property
    def cursor(self) -> int:
        """Close of the last session that was taken."""
        return self._days.after

    def take(self, message: BarMessage, now: float) -> None:
        """Take a daily bar, or the time of a minute bar."""
        if message.S not in self._symbols:
            return
        try:
            start, bar = convert.bar(message)
        except Unreadable:
            self.garbage += 1
            return
        if type(message) is not DailyBarMessage:
            self._days.tell_time(start + _MINUTE, now)
        elif sound(bar):
            self._days.add(start, bar, now)
        else:
            self.garbage += 1

    def read(self, past: Past, until: int | None) -> Rows:
        """Read the days after the cursor; on the wall's time also the one that runs, so far."""
        return past.days(self.cursor, None if self._live else until)

    def merge(self, rows: Rows, through: int, now: float) -> int:
        """Take days of history; what the stream has told since is newer."""
        number = 0
        for start, bar in rows:
            self._days.add(start, bar, now, older=True)
            number += 1
        return number

    def ready(self, now: float, wall: int | None) -> list[Batch]:
        """Return the days that are complete."""
        return self._days.ready(now, wall=wall)

    def due(self, now: float) -> float:
        """Return when a silence is long enough."""
        return self._days.due(now)
