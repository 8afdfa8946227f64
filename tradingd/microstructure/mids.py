"""Mid price and depth per second, from usable states."""

import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.seconds import SecondTable, runs, second_of
from tradingd.microstructure.states import twice_mid, usable


class Mids:
    """Keep the last mid of each second, and how deep the book was on average.

    Parameters
    ----------
    levels : int
        Levels whose sizes count as depth; 0: depth is not wanted.
    """

    def __init__(self, levels: int = 0) -> None:
        self._levels = levels
        self._mids = SecondTable(1, keep="last")
        # States, and shares over both sides and all levels.
        self._depth = SecondTable(2)
        self.last_ts = 0

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        if book.rows:
            self.last_ts = int(book.ts[-1])
        rows = np.flatnonzero(usable(book))
        if not len(rows):
            return
        seconds = second_of(book.ts[rows])
        starts, ends = runs(seconds)
        self._mids.add(seconds[starts], twice_mid(book, rows[ends - 1])[:, None])
        if self._levels:
            shares = np.zeros(book.rows, np.int64)
            for level in range(self._levels):
                shares += book.bid_sz[level]
                shares += book.ask_sz[level]
            sums = np.add.reduceat(shares[rows], starts)
            self._depth.add(seconds[starts], np.column_stack((ends - starts, sums)))

    def seconds(self) -> tuple[Ints64, Ints64]:
        """Return (r,) seconds and (r,) twice the last mid, 1/10,000 dollar."""
        seconds, values = self._mids.table()
        return seconds, values[:, 0]

    def depth(self) -> tuple[Ints64, Ints64]:
        """Return (r,) seconds and (r, 2): states, and shares summed over states and levels."""
        return self._depth.table()
