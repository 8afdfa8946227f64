"""What the listener is told: events and gaps at our own times, and how far time has come."""

from collections.abc import Callable, Iterable
from typing import Literal

from tradingd.domain.depth import DepthEvent, DepthGap, DepthListener

type Reason = Literal["reconnect", "cleared", "refused"]


class Teller:
    """Tells the listener, once there is one; runs on the loop.

    Parameters
    ----------
    wall : Callable
        UTC ns.
    """

    def __init__(self, wall: Callable[[], int]) -> None:
        self.listener: DepthListener | None = None
        self.lost = False
        """A loss of every book was told, and the connection is not back."""
        self._wall = wall
        self._clock = 0
        self._reached = 0

    def now(self) -> int:
        """Return our time, which never goes back."""
        self._clock = max(self._clock, self._wall())
        return self._clock

    def settle(self) -> None:
        """Tell that nothing will be stamped before the present any more."""
        if self.listener is not None and self._clock - 1 > self._reached:
            self._reached = self._clock - 1
            self.listener.reached(self._reached)

    def event(self, event: DepthEvent | None) -> None:
        """Tell a change, if there is one."""
        if self.listener is not None and event is not None:
            self.listener.event(event)

    def gap(self, symbol: str, reason: Reason, why: str) -> None:
        """Tell a hole in one book."""
        if self.listener is not None:
            self.listener.gap(DepthGap(symbol=symbol, ts=self.now(), reason=reason, detail=why))

    def gaps(self, symbols: Iterable[str], why: str) -> None:
        """Tell a loss of every book, once until the connection is back."""
        if self.lost:
            return
        self.lost = True
        for symbol in symbols:
            self.gap(symbol, "reconnect", why)
