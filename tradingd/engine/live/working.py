"""Orders that are not over and positions that are held, by the strategy they belong to."""

from collections.abc import Mapping

from tradingd.domain.journal import OrderRow, OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Purpose
from tradingd.domain.trading import OrderShim
from tradingd.engine.live.present import Present
from tradingd.gate.book import Book, Position


class Working:
    """Open orders of every strategy, kept by the shim's steps so that asking costs a look-up."""

    def __init__(self, shim: OrderShim) -> None:
        self._shim = shim
        self._owners: Mapping[str, str] = {}
        self._orders: dict[tuple[str, str], dict[str, OrderRow]] = {}
        self._entering: dict[str, dict[str, str]] = {}

    def owner(self, symbol: str) -> str | None:
        """Return the strategy that a position belongs to; the shim is asked after fills only."""
        return self._owners.get(symbol) or self._shim.owners().get(symbol)

    def filled(self) -> None:
        """Note that positions may have changed hands."""
        self._owners = dict(self._shim.owners())

    def take(self, row: OrderRow) -> None:
        """Note the present state of an order."""
        key = row.strategy, row.symbol
        if OrderState(row.state).final:
            self._orders.get(key, {}).pop(row.order_id, None)
            self._entering.get(row.symbol, {}).pop(row.order_id, None)
        else:
            self._orders.setdefault(key, {})[row.order_id] = row
            if row.purpose == Purpose.ENTRY:
                self._entering.setdefault(row.symbol, {})[row.order_id] = row.strategy

    def other(self, strategy: str, symbol: str, held: bool) -> str | None:
        """Return another strategy that holds a symbol or is about to; one account nets them."""
        owner = self.owner(symbol) if held else None
        if owner is not None and owner != strategy:
            return owner
        entering = self._entering.get(symbol, {}).values()
        return next((one for one in entering if one != strategy), None)

    def of(self, strategy: str, symbol: str) -> list[OrderRow]:
        """Return a strategy's open orders of a symbol, oldest first."""
        return list(self._orders.get((strategy, symbol), {}).values())

    def all_of(self, strategy: str) -> list[OrderRow]:
        """Return a strategy's open orders, oldest first by symbol."""
        return [
            row for (owner, _), rows in self._orders.items() if owner == strategy
            for row in rows.values()
        ]  # fmt: skip

    def pending(self, strategy: str, symbol: str) -> bool:
        """Tell whether an entry or an exit of a strategy is not over."""
        rows = self._orders.get((strategy, symbol), {})
        return any(row.purpose != Purpose.PROTECT for row in rows.values())

    def leaving(self, strategy: str, symbol: str) -> int:
        """Return the shares that market exits of a strategy are taking out."""
        return sum(
            row.quantity - row.filled
            for row in self.of(strategy, symbol)
            if row.purpose == Purpose.EXIT and row.type == OrderType.MARKET
        )


class OwnedBook:
    """The book as one strategy may see it: the account's equity, its own positions.

    While it is warmed up with bars of the past, a position is there from its opening on, so that
    what a strategy counts per position (sessions held) comes out as if it had never stopped.
    """

    def __init__(self, book: Book, working: Working, strategy: str, present: Present) -> None:
        self._book = book
        self._working = working
        self._strategy = strategy
        self._present = present

    @property
    def equity(self) -> Nanos:
        """Cash plus all positions of the account at their last marks."""
        return self._book.equity

    def position(self, symbol: str) -> Position | None:
        """Return the strategy's position of a symbol; None when flat or another's."""
        line = self._book.position(symbol)
        if line is None or not self.owns(symbol):
            return None
        to_come = line.trip is not None and self._present.before(line.trip.ts_opened)
        return None if to_come else line

    def other(self, symbol: str) -> str | None:
        """Return another strategy that holds a symbol or is about to."""
        held = self._book.position(symbol) is not None
        return self._working.other(self._strategy, symbol, held)

    def owns(self, symbol: str) -> bool:
        """Tell whether the position of a symbol is the strategy's."""
        return self._working.owner(symbol) == self._strategy

    def quantity(self, symbol: str) -> int:
        """Return the strategy's signed shares of a symbol."""
        line = self.position(symbol)
        return 0 if line is None else line.quantity


class OwnedStops:
    """The protective stops of one strategy's positions; the shim keeps them."""

    def __init__(self, shim: OrderShim, book: OwnedBook) -> None:
        self._shim = shim
        self._book = book

    def price(self, symbol: str) -> Nanos | None:
        """Return the price of the stop that guards a symbol."""
        return self._shim.stop_price(symbol) if self._book.owns(symbol) else None
