"""Shares that nobody meant to hold: what an exit took beyond the position."""

from collections.abc import Mapping
from typing import Final

from tradingd.domain.journal import MarkRow
from tradingd.domain.orders import Fill, Purpose
from tradingd.orders.guard import Leg, leg_of
from tradingd.orders.ticket import Ticket

SURPLUS: Final = "surplus:"
"""Begins the names of the journal's marks: shares of a symbol that nobody meant to hold."""


class Surplus:
    """Counts by symbol, and keeps the count in the journal."""

    def __init__(self) -> None:
        self._shares: dict[str, int] = {}

    def restore(self, marks: Mapping[str, str]) -> None:
        """Take what the journal has."""
        named = {key.removeprefix(SURPLUS): key for key in marks if key.startswith(SURPLUS)}
        self._shares = {symbol: int(marks[key]) for symbol, key in named.items()}

    def of(self, symbol: str) -> int:
        """Return the shares of a symbol that are too many."""
        return self._shares.get(symbol, 0)

    def after_fill(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[MarkRow]:
        """Return what a fill changes.

        A position that an exit opened or turned is nobody's, and what a stop added that filled
        after an entry had turned the position.
        """
        surplus = self.of(fill.symbol)
        added = abs(after) - abs(before)
        if before * after <= 0:
            surplus = 0 if fill.purpose is Purpose.ENTRY else abs(after)
        elif added > 0 and fill.purpose is not Purpose.ENTRY:
            surplus += added
        elif leg_of(ticket) is Leg.CLOSE:
            surplus -= fill.quantity
        return self._set(fill.symbol, max(0, min(surplus, abs(after))))

    def split(self, symbol: str, up: int, down: int) -> list[MarkRow]:
        """Restate what is too many by a split."""
        return self._set(symbol, self.of(symbol) * up // down)

    def _set(self, symbol: str, shares: int) -> list[MarkRow]:
        if shares == self.of(symbol):
            return []
        self._shares[symbol] = shares
        return [MarkRow(key=f"{SURPLUS}{symbol}", value=str(shares))]
