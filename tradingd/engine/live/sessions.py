"""Opens, closes and equity samples of a live session, at calendar times of session time."""

from collections.abc import Callable
from typing import Final

from tradingd.domain.market import NANOSECONDS, Session
from tradingd.engine.live.present import Present
from tradingd.session.calendar import SessionCalendar
from tradingd.session.clock import Timer

GRACE_NS: Final = 10 * NANOSECONDS
"""How long a close waits for the session's last bars, when they do not come first."""


class LiveSessions:
    """Drives the sessions of all strategies.

    A close comes after the last bar of its session was delivered, or a grace after the calendar's
    close when that bar does not come. During warm-up the bars themselves drive it.

    Parameters
    ----------
    present : Present
        Session time; its `session` is kept here.
    calendar : SessionCalendar
        Sessions of the exchange.
    sample_ns : int
        Time between equity samples inside a session; 0: only at its open and close.
    on_open, on_close : Callable
        Told of sessions.
    on_sample : Callable
        Takes a sample of the account.
    """

    def __init__(
        self,
        present: Present,
        calendar: SessionCalendar,
        sample_ns: int,
        *,
        on_open: Callable[[Session], None],
        on_close: Callable[[Session], None],
        on_sample: Callable[[], None],
    ) -> None:
        self._present = present
        self._calendar = calendar
        self._sample_ns = sample_ns
        self._on_open = on_open
        self._on_close = on_close
        self._on_sample = on_sample
        self._timers: dict[str, Timer] = {}
        self._last: Session | None = None

    def before_bars(self, ts: int) -> None:
        """Open or close what the bars of a time demand, before they are delivered."""
        if self._present.acting and not self._timers:
            self.begin()
        current = self._present.session
        if current is not None and ts > current.close_ns:
            self._close(current)
        found = self._calendar.at(ts)
        if found is not None and self._present.session is None and found != self._last:
            (self._due if self._present.acting else self._open)(found)

    def after_bars(self, ts: int) -> None:
        """Close the session whose last bars were just delivered."""
        session = self._present.session
        if session is not None and ts >= session.close_ns:
            self._close(session)

    def begin(self) -> None:
        """Go on from now by the clock: close what is over, open what has begun.

        A replay that does not know its time yet (0) begins with its first bars.
        """
        now = self._present.now()
        if now <= 0:
            return
        current = self._present.session
        if current is not None and now > current.close_ns:
            self._close(current)
        following = self._calendar.at(now) or self._calendar.next_open(now)
        if following is None:
            return
        begun = following.open_ns < now < following.close_ns
        if self._present.session is None and begun and following != self._last:
            self._open(following)
        if self._present.session is not None:
            self._started(self._present.session)
        else:
            self._wait(now)

    def stop(self) -> None:
        """Forget every timer."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # -- private ---------------------------------------------------------------------------------

    def _wait(self, now: int) -> None:
        following = self._calendar.next_open(now)
        if following is not None:
            self._at("open", following.open_ns, lambda: self._due(following))

    def _due(self, session: Session) -> None:
        self._open(session)
        self._started(session)

    def _started(self, session: Session) -> None:
        self._at("close", session.close_ns + GRACE_NS, lambda: self._overdue(session))
        self._on_sample()
        if self._sample_ns:
            passed = max(0, self._present.now() - session.open_ns) // self._sample_ns
            self._sample_at(session, session.open_ns + (passed + 1) * self._sample_ns)

    def _overdue(self, session: Session) -> None:
        if self._present.session == session:
            self._close(session)

    def _open(self, session: Session) -> None:
        self._present.session = session
        self._on_open(session)

    def _close(self, session: Session) -> None:
        self._on_close(session)
        self._present.session = None
        self._last = session
        if self._present.acting:
            self._on_sample()
            self._wait(session.close_ns)

    def _sample_at(self, session: Session, ts: int) -> None:
        if ts < session.close_ns:
            # One nanosecond later, as in a backtest: the bars of that minute count.
            self._at("sample", ts + 1, lambda: self._sample(session, ts))

    def _sample(self, session: Session, ts: int) -> None:
        self._on_sample()
        self._sample_at(session, ts + self._sample_ns)

    def _at(self, name: str, ts: int, action: Callable[[], None]) -> None:
        known = self._timers.pop(name, None)
        if known is not None:
            known.cancel()
        self._timers[name] = self._present.clock.call_at(ts, f"session {name}", action)
