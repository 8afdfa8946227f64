"""One symbol's book, from TWS's operations to events (pure)."""

from functools import partial
from typing import Any, Final

import msgspec

from tradingd.domain.depth import Action, BookSide, DepthEvent
from tradingd.feeds.ibkr.link import Told
from tradingd.feeds.ibkr.rows import (
    DELETE,
    Row,
    Rows,
    changed,
    ladder,
    level_of,
    price_of,
    shares_of,
    told_beyond,
)

_ACTIONS: Final[tuple[Action, ...]] = ("A", "M", "C")
_SIDES: Final[tuple[BookSide, ...]] = ("A", "B")


class Stream(msgspec.Struct):
    """A subscription and its book.

    Attributes
    ----------
    symbol : str
        As its subscriber calls it.
    contract : Any
        As TWS qualified it.
    most : int
        Rows a side that were asked for.
    request : int
        Of the running subscription, -1: none.
    fractions : int
        Sizes that were not whole shares, and were cut.
    notice : str
        What TWS said about missing permissions of some exchanges.
    """

    symbol: str
    contract: Any
    most: int
    request: int = -1
    bids: Rows = ()
    asks: Rows = ()
    fractions: int = 0
    notice: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is no row."""
        return not (self.bids or self.asks)

    def apply(self, told: Told, ts: int, *, closes: bool) -> DepthEvent | None:
        """Change the book; None when TWS takes away what was not there, or speaks gibberish."""
        if told.operation not in range(3) or told.side not in range(2) or told.position < 0:
            return None
        before = self.bids if told.side else self.asks
        if told.operation == DELETE:
            if told.position >= len(before):
                return None
            row, levels = before[told.position], before
        else:
            row = Row(price_of(told.price), shares_of(told.size), told.maker)
            self.fractions += row.size != told.size
        after = changed(before, told.operation, told.position, row, self.most)
        if told.operation != DELETE:
            levels = after
        if told.side:
            self.bids = after
        else:
            self.asks = after
        return DepthEvent(
            self.symbol,
            ts,
            ts,
            0,
            _ACTIONS[told.operation],
            _SIDES[told.side],
            level_of(levels, told.position),
            row.price or None,
            row.size,
            closes,
            told_beyond(before, told.operation, told.position),
            partial(ladder, self.bids, self.asks),
        )

    def clear(self, ts: int) -> DepthEvent:
        """Empty the book."""
        self.bids = self.asks = ()
        nothing = partial(ladder, (), ())
        return DepthEvent(self.symbol, ts, ts, 0, "R", "N", 0, None, 0, True, False, nothing)
