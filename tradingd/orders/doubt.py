"""Where the broker is known to hold other shares than the book says: what others traded.

The book is not changed by that (a person adopts it). But what we send by the book must not reach
further than what is there: a stop for shares that somebody sold would open a short.
"""

from collections.abc import Iterable, Mapping

from tradingd.domain.broker_reports import BrokerFill, BrokerPosition
from tradingd.orders.desk import Desk


class Doubt:
    """Remembers by symbol what the broker has more (or less) than the book.

    A difference, not a position: our own fills move both sides by the same.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._more: dict[str, int] = {}

    def compared(self, book: Mapping[str, int], positions: Iterable[BrokerPosition]) -> None:
        """Take a comparison over everything known so far."""
        broker = {position.symbol: position.quantity for position in positions}
        more = {symbol: broker.get(symbol, 0) - book.get(symbol, 0) for symbol in {*broker, *book}}
        self._more = {symbol: shares for symbol, shares in more.items() if shares}

    def foreign(self, fill: BrokerFill) -> None:
        """Take note of an execution that is not ours."""
        shares = fill.side.sign * fill.quantity
        self._more[fill.symbol] = self._more.get(fill.symbol, 0) + shares

    def backed(self, symbol: str) -> int:
        """Return how many of the shares that the book holds the broker holds, too."""
        held = self._desk.held(symbol)
        there = held + self._more.get(symbol, 0)
        return min(abs(held), abs(there)) if held * there > 0 else 0
