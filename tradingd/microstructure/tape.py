"""Trades per second: volume, who took it, and the last price."""

import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.seconds import SecondTable, runs, second_of
from tradingd.microstructure.signs import SignCounts, TradeSigns


class Tape:
    """Sum signed volume by second; the sign is told or inferred (see `signs`)."""

    def __init__(self) -> None:
        self._signs = TradeSigns()
        self._volume = SecondTable(3)
        self._price = SecondTable(1, keep="last")

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        signs, _ = self._signs.feed(book, trades)
        if not len(trades.ts):
            return
        seconds = second_of(trades.ts)
        starts, ends = runs(seconds)
        columns = (trades.size * (signs > 0), trades.size * (signs < 0), trades.size * (signs == 0))
        sums = np.add.reduceat(np.column_stack(columns).astype(np.int64), starts, axis=0)
        self._volume.add(seconds[starts], sums)
        self._price.add(seconds[starts], trades.price[ends - 1][:, None].astype(np.int64))

    def volume(self) -> tuple[Ints64, Ints64]:
        """Return (r,) seconds and (r, 3) shares bought, sold, and of unknown side."""
        return self._volume.table()

    def prices(self) -> tuple[Ints64, Ints64]:
        """Return (r,) seconds and (r,) last trade price, 1/10,000 dollar."""
        seconds, values = self._price.table()
        return seconds, values[:, 0]

    def counts(self) -> SignCounts:
        """Return how the trades were signed."""
        return self._signs.counts()
