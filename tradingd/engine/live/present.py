"""What strategies are told of time, and whether they may act: one for all of a session."""

from tradingd.domain.market import Session
from tradingd.session.clock import SessionClock


class Present:
    """Session time as strategies see it; during warm-up it is the history's.

    Parameters
    ----------
    clock : SessionClock
        Data time in a replay, the time of day otherwise.
    """

    def __init__(self, clock: SessionClock) -> None:
        self.clock = clock
        self.session: Session | None = None
        self.acting = False
        self._history_ts: int | None = None

    def now(self) -> int:
        """Return session time, UTC ns."""
        return self.clock.now() if self._history_ts is None else self._history_ts

    def before(self, ts: int) -> bool:
        """Whether strategies are being shown a past before a moment."""
        return self._history_ts is not None and self._history_ts < ts

    def remember(self, ts: int | None) -> None:
        """Show strategies a time of the past; None: the present again."""
        self._history_ts = ts
