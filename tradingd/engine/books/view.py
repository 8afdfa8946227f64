"""A symbol's order book at one moment, as strategies see it: exact numbers, nothing copied."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.money import SCALE, Nanos
from tradingd.level2.book import NO_ASK, NO_BID, Ints32, Ints64
from tradingd.level2.columns import PRICE_SCALE

NANOS: Final = SCALE // PRICE_SCALE
"""Nanos in a stored price unit of 1/10,000 dollar."""


class Lane:
    """Consecutive books of one symbol, by level from the best.

    Parameters
    ----------
    symbol : str
        Whose books.
    ts : (n,) int64
        Times in UTC ns, strictly increasing.
    bid_px, ask_px, bid_sz, ask_sz : tuple of L arrays (n,) int32
        As in `level2.book.BookChunk`.
    passed : int
        Books of the symbol before these, since the run began.
    """

    def __init__(
        self,
        symbol: str,
        ts: Ints64,
        bid_px: tuple[Ints32, ...],
        ask_px: tuple[Ints32, ...],
        bid_sz: tuple[Ints32, ...],
        ask_sz: tuple[Ints32, ...],
        passed: int = 0,
    ) -> None:
        self.symbol = symbol
        self.times: list[int] = ts.tolist()
        self.bid_px, self.ask_px, self.bid_sz, self.ask_sz = bid_px, ask_px, bid_sz, ask_sz
        self.passed = passed
        # Nanos twice the mid, 0 without both sides: whole numbers, whatever the tick.
        both = (bid_px[0] != NO_BID) & (ask_px[0] != NO_ASK)
        total = (bid_px[0].astype(np.int64) + ask_px[0]) * (NANOS // 2)
        self.mids: list[int] = np.where(both, total, 0).tolist()
        self._lists: dict[tuple[str, int], list[int]] = {}
        self._tables: dict[str, tuple[Ints32, Ints32]] = {}
        self._imbalances: dict[int, list[float]] = {}

    @property
    def levels(self) -> int:
        """Levels a side."""
        return len(self.bid_px)

    def prices(self, side: str, level: int) -> list[int]:
        """Return the stored prices of one level of a side, ``bid`` or ``ask``."""
        return self._list(f"{side}_px", level)

    def sizes(self, side: str, level: int) -> list[int]:
        """Return the shares at one level of a side."""
        return self._list(f"{side}_sz", level)

    def table(self, side: str) -> tuple[Ints32, Ints32]:
        """Return prices and sizes of a side as (levels, books) arrays."""
        found = self._tables.get(side)
        if found is None:
            prices, sizes = (
                (self.bid_px, self.bid_sz) if side == "bid" else (self.ask_px, self.ask_sz)
            )
            found = self._tables[side] = np.stack(prices), np.stack(sizes)
        return found

    def imbalances(self, levels: int) -> list[float]:
        """Return (bid - ask) / (bid + ask) of the shares at the best levels; 0 for two zeros."""
        found = self._imbalances.get(levels)
        if found is None:
            bid, ask = _total(self.bid_sz[:levels]), _total(self.ask_sz[:levels])
            found = ((bid - ask) / np.maximum(bid + ask, 1)).tolist()
            self._imbalances[levels] = found
        return found

    def views(self) -> "Iterator[DepthView]":
        """Yield every book in turn."""
        return map(DepthView, [self] * len(self.times), range(len(self.times)))

    def last(self) -> "Lane":
        """Return the last book alone, copied, so that the rest can be forgotten."""
        sides = (self.bid_px, self.ask_px, self.bid_sz, self.ask_sz)
        parts = [tuple(column[-1:].copy() for column in side) for side in sides]
        ts = np.array(self.times[-1:], np.int64)
        passed = self.passed + len(self.times) - 1
        return Lane(self.symbol, ts, parts[0], parts[1], parts[2], parts[3], passed)

    def _list(self, column: str, level: int) -> list[int]:
        found = self._lists.get((column, level))
        if found is None:
            found = self._lists[column, level] = getattr(self, column)[level].tolist()
        return found


class DepthView:
    """One symbol's book at one moment; level 0 is the best. Prices are Nanos, sizes shares."""

    __slots__ = ("_at", "_lane")

    def __init__(self, lane: Lane, at: int) -> None:
        self._lane = lane
        self._at = at

    @property
    def symbol(self) -> str:
        """Whose book."""
        return self._lane.symbol

    @property
    def ts(self) -> int:
        """Time of the book, UTC ns."""
        return self._lane.times[self._at]

    @property
    def levels(self) -> int:
        """Levels a side that the data can show."""
        return self._lane.levels

    @property
    def mid(self) -> Nanos | None:
        """Middle between best bid and ask; None without both."""
        return self._lane.mids[self._at] or None

    @property
    def spread(self) -> Nanos | None:
        """Best ask less best bid; None without both."""
        bid, ask = self.bid(), self.ask()
        return None if bid is None or ask is None else ask - bid

    @property
    def empty(self) -> bool:
        """True when no level of either side is known."""
        return self.bid() is None and self.ask() is None

    def bid(self, level: int = 0) -> Nanos | None:
        """Return a bid price; None: no such level."""
        if level >= self._lane.levels:
            return None
        price = self._lane.prices("bid", level)[self._at]
        return None if price == NO_BID else price * NANOS

    def ask(self, level: int = 0) -> Nanos | None:
        """Return an ask price; None: no such level."""
        if level >= self._lane.levels:
            return None
        price = self._lane.prices("ask", level)[self._at]
        return None if price == NO_ASK else price * NANOS

    def bid_size(self, level: int = 0) -> int:
        """Return the shares bid at a level; 0: no such level."""
        return self._lane.sizes("bid", level)[self._at] if level < self._lane.levels else 0

    def ask_size(self, level: int = 0) -> int:
        """Return the shares offered at a level; 0: no such level."""
        return self._lane.sizes("ask", level)[self._at] if level < self._lane.levels else 0

    def imbalance(self, levels: int = 1) -> float:
        """Return (bid - ask) / (bid + ask) of the shares at the best levels.

        From -1 (no shares bid) to 1 (none offered); 0.0 for an empty book. Known as queue
        imbalance (Gould and Bonart 2016, "Queue imbalance as a one-tick-ahead price predictor").
        """
        return self._lane.imbalances(levels)[self._at]


def _total(columns: tuple[Ints32, ...]) -> NDArray[np.int64]:
    total = columns[0].astype(np.int64)
    for column in columns[1:]:
        total += column
    return total
