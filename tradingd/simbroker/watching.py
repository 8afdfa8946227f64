"""Whoever keeps an account of the book beside it, and what a market's hours are to the book."""

from typing import Protocol

from tradingd.simbroker.orders import Order


class Watcher(Protocol):
    """Hears of changes inside their transaction, in the order in which they happen."""

    def changed(self, order: Order) -> None:
        """Hear of an order that is new or has changed; after `filled` where that changed it."""
        ...

    def filled(self, order: Order, fill_id: str, quantity: int, price: int) -> None:
        """Hear of a fill; order and position count it already."""
        ...


class Hours(Protocol):
    """Regular sessions of the market; times are UTC ns."""

    def session(self, ts: int) -> tuple[int, int] | None:
        """Return open and close of the session on the New York date of a time, None without."""
        ...


class Unwatched:
    """Nobody looks."""

    def changed(self, order: Order) -> None:
        """Do nothing."""

    def filled(self, order: Order, fill_id: str, quantity: int, price: int) -> None:
        """Do nothing."""
