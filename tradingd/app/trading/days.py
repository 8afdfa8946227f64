"""Session days of a paper or live session: peaks and counts begin anew at local midnight."""

from collections.abc import Awaitable, Callable, Sequence

from tradingd.domain.market import ActionKind, CorporateAction, Session
from tradingd.gate.book import Book
from tradingd.session.calendar import SessionCalendar, local_date, local_midnight_ns
from tradingd.session.clock import SessionClock


class Days:
    """Begins the book's sessions by session time, and tells a simulated broker what is due.

    Parameters
    ----------
    book : Book
        Its peaks and counts start with the session.
    clock : SessionClock
        Session time.
    calendar : SessionCalendar
        Sessions.
    actions : sequence of CorporateAction
        Splits and dividends of the feed's range, by ex-date; empty when the broker books them
        by itself.
    tell : Callable, optional
        Tells the simulated broker an action: (action, session time).
    begun : Callable
        Hears of every day that begins while the session runs, at its local midnight.
    """

    def __init__(
        self,
        book: Book,
        clock: SessionClock,
        calendar: SessionCalendar,
        actions: Sequence[CorporateAction] = (),
        tell: Callable[[CorporateAction, int], Awaitable[None]] | None = None,
        begun: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        self._book = book
        self._clock = clock
        self._calendar = calendar
        self._due = _in_order(actions)
        self._tell = tell
        self._begun = begun

    def know(self, actions: Sequence[CorporateAction]) -> None:
        """Take the actions that are known now; a broker applies one of today only once."""
        today = local_date(self._clock.now())
        self._due = [one for one in _in_order(actions) if one.ex_date >= today]

    def start(self, now: int) -> None:
        """Begin with the session that `now` lies in, and wait for the next ones.

        Actions of days before it are history: what was held then has been adjusted.
        """
        session = self.at(now)
        if session is not None:
            self._book.start_session(session)
            self._due = [one for one in self._due if one.ex_date > session.day]
        else:
            following = self._calendar.next_open(now)
            first = None if following is None else following.day
            self._due = [one for one in self._due if first is None or one.ex_date >= first]
        self._wait(now)

    def at(self, ts: int) -> Session | None:
        """Return the session of the day that `ts` lies in, from midnight to its close."""
        session = self._calendar.at(ts) or self._calendar.next_open(ts)
        if session is None or ts < local_midnight_ns(session.day):
            return None
        return session

    async def before(self, ts: int) -> None:
        """Tell the broker the actions whose ex-date begins at or before session time `ts`."""
        while self._due and local_midnight_ns(self._due[0].ex_date) <= ts:
            action = self._due.pop(0)
            if self._tell is not None:
                await self._tell(action, local_midnight_ns(action.ex_date))

    def _wait(self, now: int) -> None:
        following = self._calendar.next_open(now)
        while following is not None and local_midnight_ns(following.day) <= now:
            following = self._calendar.next_open(following.open_ns + 1)
        if following is not None:
            session = following
            midnight = local_midnight_ns(session.day)
            self._clock.call_at(midnight, f"day {session.day}", lambda: self._begin(session))

    def _begin(self, session: Session) -> None:
        self._book.start_session(session)
        self._begun(session)
        self._wait(local_midnight_ns(session.day))


def _in_order(actions: Sequence[CorporateAction]) -> list[CorporateAction]:
    kinds = (ActionKind.SPLIT, ActionKind.DIVIDEND)
    due = [action for action in actions if action.kind in kinds]
    # Dividends first: their amount is per share of the close before, split or not.
    return sorted(due, key=lambda one: (one.ex_date, one.kind is ActionKind.SPLIT))
