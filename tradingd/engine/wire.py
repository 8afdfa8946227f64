"""The way to the venue: orders arrive after the latency, at a bar that can fill them.

The engine's own latency model would let an order wait until the symbol's next bar has *ended* and
fill it at that bar's close, a bar late and, on daily bars, a day late; a stop that guards an entry
would sleep through the bar after it. So the engine runs without latency and the wire holds orders
back: an order decided at t arrives at t + latency, or where no bar of its symbol spans that
moment (night, holiday, a symbol that does not trade every minute) when the next one begins.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from tradingd.engine.tape import Tape

type Action = Callable[[], None]


class Wire(ABC):
    """Holds actions until their time of arrival, in the order they were sent.

    Parameters
    ----------
    latency_ns : int
        Time from decision to arrival; 0 delivers at once, at the price just seen.
    alert : Callable
        Sets a one-off timer of the engine's clock: (name, time, callback).
    now : Callable
        Returns the engine's time.
    """

    def __init__(
        self,
        latency_ns: int,
        *,
        alert: Callable[[str, int, Action], None],
        now: Callable[[], int],
    ) -> None:
        self._latency = latency_ns
        self._alert = alert
        self._now = now
        self._due: dict[int, list[Action]] = {}

    @abstractmethod
    def order(self, symbol: str, action: Action) -> None:
        """Deliver when the order has arrived and its symbol's market can fill it."""

    @abstractmethod
    def next_bar(self, symbol: str, action: Action) -> None:
        """Deliver when the symbol's market goes on: with its next bar, or its next book."""

    @abstractmethod
    def bar_end(self, symbol: str, action: Action) -> None:
        """Deliver when the bar that spans now has been matched; where there is none, never."""

    @abstractmethod
    def chunk_loaded(self) -> None:
        """Send on what waited for data that had not been loaded."""

    def message(self, action: Action) -> None:
        """Deliver after the latency alone: cancels and changes need no bar."""
        if self._latency:
            self._at(self._now() + self._latency, action)
        else:
            action()

    def soon(self, action: Action) -> None:
        """Act one nanosecond from now, outside of the engine's event in hand."""
        self._at(self._now() + 1, action)

    def _at(self, ts: int, action: Action) -> None:
        due = self._due.get(ts)
        if due is not None:
            due.append(action)
            return
        self._due[ts] = [action]
        self._alert(f"wire-{ts}", ts, lambda: self._deliver(ts))

    def _deliver(self, ts: int) -> None:
        for action in self._due.pop(ts):
            action()


class BarWire(Wire):
    """The wire of a run over bars: an order waits for a bar that can fill it.

    Parameters
    ----------
    tape : Tape
        Knows the next bar of a symbol.
    latency_ns, alert, now
        As of `Wire`.
    """

    def __init__(
        self,
        tape: Tape,
        latency_ns: int,
        *,
        alert: Callable[[str, int, Action], None],
        now: Callable[[], int],
    ) -> None:
        super().__init__(latency_ns, alert=alert, now=now)
        self._tape = tape
        self._waiting: list[tuple[str, int, Action]] = []

    def order(self, symbol: str, action: Action) -> None:
        """Deliver when the order has arrived and a bar of its symbol is there to fill it."""
        if self._latency:
            self._await_bar(symbol, self._now() + self._latency, action)
        else:
            action()

    def next_bar(self, symbol: str, action: Action) -> None:
        """Deliver when the symbol's next bar begins, the one being matched now apart."""
        now = self._now()
        current = self._tape.bar_until(symbol, now)
        after = current.end if current is not None and current.start < now else now
        self._await_bar(symbol, after + 1, action)

    def bar_end(self, symbol: str, action: Action) -> None:
        """Deliver when the bar that spans now has been matched and the strategy has seen it."""
        current = self._tape.bar_until(symbol, self._now())
        if current is not None:
            self._at(current.end, action)

    def chunk_loaded(self) -> None:
        """Send on what waited for bars that had not been loaded."""
        waiting, self._waiting = self._waiting, []
        for symbol, earliest, action in waiting:
            self._await_bar(symbol, earliest, action)

    def _await_bar(self, symbol: str, earliest: int, action: Action) -> None:
        bar = self._tape.next_bar(symbol, earliest)
        if bar is None:
            self._waiting.append((symbol, earliest, action))
        else:
            self._at(max(earliest, bar.start + 1, self._now() + 1), action)
