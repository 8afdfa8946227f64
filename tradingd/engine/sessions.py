"""The run's clockwork: session days, opens and closes, and equity samples, from data time.

Timers of the engine's clock are set one ahead, so a year costs a thousand of them. A timer fires
after the bars of its own nanosecond; closes and samples are set one nanosecond later still, so
that the last bar of every symbol has been delivered.
"""

from collections.abc import Callable

from tradingd.domain.market import NANOSECONDS, Session
from tradingd.engine.actions import Actions
from tradingd.engine.desk import Desk
from tradingd.session.calendar import SessionCalendar, local_midnight_ns


class Sessions:
    """Drives days and sessions.

    Parameters
    ----------
    desk, actions : Desk, Actions
        Parts of the same run.
    calendar : SessionCalendar
        Sessions in UTC nanoseconds.
    sample_ns : int
        Time between equity samples inside a session; 0: only at its close.
    on_open, on_close : Callable
        The strategy's handlers.
    """

    def __init__(
        self,
        desk: Desk,
        actions: Actions,
        calendar: SessionCalendar,
        sample_ns: int,
        on_open: Callable[[Session], None],
        on_close: Callable[[Session], None],
    ) -> None:
        self._desk = desk
        self._actions = actions
        self._calendar = calendar
        self._sample_ns = sample_ns
        self._on_open = on_open
        self._on_close = on_close
        self._alert: Callable[[str, int, Callable[[], None]], None]

    def start(self, first_ts: int, alert: Callable[[str, int, Callable[[], None]], None]) -> None:
        """Begin with the session of the first bar, or the next one when it lies outside."""
        self._alert = alert
        session = self._calendar.at(first_ts) or self._calendar.next_open(first_ts)
        if session is None:
            return
        self._desk.ledger.equity(self._desk.book, min(first_ts, session.open_ns))
        if session.open_ns < first_ts:
            self._begin_day(session)
        else:
            self._wait_for(session)

    def finish(self, last_ts: int) -> None:
        """Close the session that the last bar ended; sample the account a last time."""
        session = self._desk.session
        if session is not None and last_ts >= session.close_ns:
            self._close(session, follow=False)
        self._desk.ledger.equity(self._desk.book, max(last_ts, self._desk.ledger.last_sample))

    def _wait_for(self, session: Session) -> None:
        midnight = max(local_midnight_ns(session.day), self._desk.now() + 1)
        self._alert(f"day-{session.day}", midnight, lambda: self._begin_day(session))

    def _begin_day(self, session: Session) -> None:
        self._desk.book.start_session(session)
        self._actions.begin_day(session)
        if session.open_ns > self._desk.now():
            self._alert(f"open-{session.day}", session.open_ns, lambda: self._open(session))
        else:
            self._open(session)

    def _open(self, session: Session) -> None:
        self._desk.session = session
        self._on_open(session)
        self._alert(f"close-{session.day}", session.close_ns + 1, lambda: self._close(session))
        if self._sample_ns:
            self._sample_at(session, session.open_ns + self._sample_ns)

    def _close(self, session: Session, *, follow: bool = True) -> None:
        self._on_close(session)
        self._desk.session = None
        self._desk.ledger.equity(self._desk.book, session.close_ns)
        following = self._calendar.next_open(session.close_ns) if follow else None
        if following is not None:
            self._wait_for(following)

    def _sample_at(self, session: Session, ts: int) -> None:
        while ts < self._desk.now():
            ts += self._sample_ns
        if ts < session.close_ns:
            self._alert(f"sample-{ts}", ts + 1, lambda: self._sample(session, ts))

    def _sample(self, session: Session, ts: int) -> None:
        self._desk.ledger.equity(self._desk.book, ts)
        self._sample_at(session, ts + self._sample_ns)


def sample_interval(equity_every: int, bar_ns: int) -> int:
    """Return the sampling interval in nanoseconds; 0 where bars are no shorter than a session."""
    day = 86_400 * NANOSECONDS
    return 0 if bar_ns >= day else max(equity_every * NANOSECONDS, bar_ns)
