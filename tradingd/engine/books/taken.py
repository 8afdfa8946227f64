"""What our orders took from the displayed sizes, and how long it stays taken.

The recorded market never felt our orders, so shares that we took are still displayed in the books
after. They stay taken while their level shows at least as many; where it shows fewer, those that
left include ours. So a size that does not change, or that others add to, never gives the same
shares twice; only what is added is there to be taken.
"""

import numpy as np

from tradingd.engine.books.tape import BookTape
from tradingd.engine.books.view import Lane
from tradingd.level2.book import NO_ASK, NO_BID, Ints32, Ints64


class Taken:
    """Shares taken per symbol, side and price (1/10,000 dollar)."""

    def __init__(self, tape: BookTape) -> None:
        self._tape = tape
        self._taken: dict[tuple[str, str], dict[int, int]] = {}
        self._looked: dict[tuple[str, str], tuple[Lane, int]] = {}

    def left(self, symbol: str, side: str, ts: int) -> list[tuple[int, int]]:
        """Return (price, shares) of the levels of a side, ``bid`` or ``ask``, that still stand."""
        found = self._tape.at(symbol, ts)
        if found is None:
            return []
        lane, index = found
        taken = self._until(symbol, side, lane, index)
        none = NO_BID if side == "bid" else NO_ASK
        levels = []
        for level in range(lane.levels):
            price = lane.prices(side, level)[index]
            size = lane.sizes(side, level)[index] - taken.get(price, 0)
            if price != none and size > 0:
                levels.append((price, size))
        return levels

    def take(self, symbol: str, side: str, price: int, quantity: int, ts: int) -> None:
        """Use up displayed shares of a level."""
        found = self._tape.at(symbol, ts)
        if found is not None:
            taken = self._until(symbol, side, *found)
            taken[price] = taken.get(price, 0) + quantity
            self._taken[symbol, side] = taken
            self._looked[symbol, side] = found

    def settle(self) -> None:
        """Look at what is in memory to its end, before it is replaced."""
        for symbol, side in list(self._taken):
            found = self._tape.at(symbol, _END_OF_TIME)
            if found is not None:
                self._until(symbol, side, *found)

    def _until(self, symbol: str, side: str, lane: Lane, index: int) -> dict[int, int]:
        """Return what is taken at a book, after every book since the last look."""
        key = (symbol, side)
        taken = self._taken.get(key)
        if not taken:
            return {}
        looked, at = self._looked[key]
        first = at + 1 if looked is lane else 0
        if first <= index:
            taken = {
                price: least
                for price, shares in taken.items()
                if (least := min(shares, _least(lane, side, price, first, index + 1))) > 0
            }
            self._taken[key] = taken
        self._looked[key] = lane, index
        return taken


_END_OF_TIME = (1 << 63) - 1


def _least(lane: Lane, side: str, price: int, first: int, end: int) -> int:
    """Return the fewest shares that a price shows in some books; beyond the last level: many."""
    prices, sizes = lane.table(side)
    there = prices[:, first:end] == price
    shown: Ints64 = np.where(there, sizes[:, first:end], 0).sum(axis=0, dtype=np.int64)
    shown[_beyond(prices[-1, first:end], side, price)] = _END_OF_TIME
    return int(shown.min())


def _beyond(worst: Ints32, side: str, price: int) -> np.ndarray:
    """Tell where a price lies behind the worst level that is shown."""
    return (price < worst) & (worst != NO_BID) if side == "bid" else price > worst
