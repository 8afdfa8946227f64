"""Daily bars as they grow become one batch a session, when the session is over."""

from typing import Final

from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.market import Resolution, Session
from tradingd.session.calendar import SessionCalendar, local_date

NEVER: Final = float("inf")

_INTO_DAY: Final = 2 * Resolution.HOUR.nanoseconds
"""A daily bar is stamped at New York midnight, 04:00 or 05:00 UTC: two hours on is that day."""


class Days:
    """Keeps the latest daily bar of each symbol. Pure: it is told the time, and sets no timer.

    A day is complete when a bar of a later day has come, or when its session is over by session
    time and nothing was told for `grace` seconds. Where session time is not known (a stream of
    nothing but daily bars), the silence is enough.

    Parameters
    ----------
    calendar : SessionCalendar
    after : int
        Close of the last day that was delivered, UTC ns.
    grace : float
        Seconds.
    margin : int
        Nanoseconds that session time must be past the close: the closing auction is told late.
    """

    def __init__(
        self, calendar: SessionCalendar, *, after: int, grace: float, margin: int = 0
    ) -> None:
        self.after = after
        self.late = 0
        self.held = False
        self._calendar = calendar
        self._grace = grace
        self._margin = margin
        self._days: dict[int, tuple[Session, dict[str, MarketBar]]] = {}
        self._deadline = NEVER
        self._time = 0

    def session_of(self, start: int) -> Session | None:
        """Return the session of a daily bar, by its start; None when there is none that day."""
        return self._calendar.on(local_date(start + _INTO_DAY))

    def add(self, start: int, bar: MarketBar, now: float, *, older: bool = False) -> None:
        """Take a daily bar, which replaces the one before of that symbol and day.

        One that is `older` is kept only where there is none yet.
        """
        session = self.session_of(start)
        if session is None or session.close_ns <= self.after:
            self.late += 1
            return
        bars = self._days.setdefault(session.close_ns, (session, {}))[1]
        if older:
            bars.setdefault(bar.symbol, bar)
        else:
            bars[bar.symbol] = bar
        self._deadline = now + self._grace

    def tell_time(self, ts: int, now: float) -> None:
        """Know the session time (UTC ns) that a message carries."""
        self._time = max(self._time, ts)
        if self._days:
            self._deadline = now + self._grace

    def ready(self, now: float, *, wall: int | None = None) -> list[Batch]:
        """Return the days that are complete, in order; they are delivered with this.

        Parameters
        ----------
        now : float
            Monotonic seconds.
        wall : int, optional
            Session time (UTC ns) where it is the wall's.
        """
        if self.held:
            return []
        time = self._time if wall is None else wall
        batches = []
        closes = sorted(self._days)
        for close in closes:
            if close == closes[-1] and not self._over(close, time, now, wall is None):
                break
            _, bars = self._days.pop(close)
            self.after = close
            batches.append(Batch(close, tuple(bars[name] for name in sorted(bars))))
        return batches

    def due(self, now: float) -> float:
        """Return when a silence is long enough; NEVER when only session time can end the day."""
        waits = self._days and not self.held and self._deadline > now
        return self._deadline if waits else NEVER

    def pending(self) -> int:
        """Return the close of the day that is being kept; 0 when there is none."""
        return max(self._days, default=0)

    def _over(self, close: int, time: int, now: float, of_data: bool) -> bool:
        if not of_data:
            return time >= close + self._margin
        session = self._days[close][0]
        unknown = time <= session.open_ns
        return now >= self._deadline and (unknown or time >= close)
