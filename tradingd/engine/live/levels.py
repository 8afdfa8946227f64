"""Brings the engine's positions to the book's, and tells where they are not."""

from collections.abc import Iterable, Mapping, Sequence

from tradingd.domain.journal import OrderRow
from tradingd.engine.live.runtime import LiveRuntime
from tradingd.engine.live.shared import Shared


class Levels:
    """The book's positions in the engine's picture.

    Parameters
    ----------
    shared : Shared
        The parts of the session.
    runtimes : Mapping[str, LiveRuntime]
        By strategy.
    """

    def __init__(self, shared: Shared, runtimes: Mapping[str, LiveRuntime]) -> None:
        self._shared = shared
        self._mirror = shared.mirror
        self._runtimes = runtimes

    def recover(self, rows: Sequence[OrderRow]) -> None:
        """Show the engine positions and orders that an earlier process left."""
        for row in rows:
            self._shared.working.take(row)
        self.level()
        self._mirror.recover(rows)

    def level(self) -> None:
        """Bring the engine's position of every strategy and symbol to what is held."""
        now = self._shared.present.now()
        for name, runtime in self._runtimes.items():
            for symbol in runtime.bar_types:
                line = runtime.book.position(symbol)
                held, at = (0, 0) if line is None else (line.quantity, line.average_price)
                at = at or self._mark(symbol)
                self._mirror.level(name, symbol, held, at, now)

    def differences(self, symbols: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return (book, engine) where the engine's net position of a symbol is another.

        What none of our strategies owns (traded by hand and adopted, say) is nobody's to see here.
        """
        found: dict[str, tuple[int, int]] = {}
        for symbol in symbols:
            held = self._owned(symbol)
            shown = sum(self._mirror.position(name, symbol) for name in self._runtimes)
            if held != shown:
                found[symbol] = held, shown
        return found

    def _owned(self, symbol: str) -> int:
        line = self._shared.book.position(symbol)
        if line is None or self._shared.working.owner(symbol) not in self._runtimes:
            return 0
        return line.quantity

    def _mark(self, symbol: str) -> int:
        line = self._shared.book.line(symbol)
        return 0 if line is None else line.mark
