"""The best prices and the sizes behind them along the day: what is plotted over time.

The last usable state of every second in which there was one. Prices in dollars, sizes in shares;
weighted mid: (ask size x bid + bid size x ask) / (bid size + ask size).
"""

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints32, Ints64, TradeChunk
from tradingd.microstructure.seconds import SecondTable, runs, second_of
from tradingd.microstructure.states import usable
from tradingd.microstructure.thin import kept


class TouchPath(msgspec.Struct, frozen=True, kw_only=True):
    """Thinned as other paths are; all columns have one length.

    `seconds` are Unix seconds; `bid_size` and `ask_size` are of the best prices, `bid_depth` and
    `ask_depth` of all levels used; `of` is how many seconds there were.
    """

    seconds: tuple[int, ...] = ()
    bid: tuple[float, ...] = ()
    ask: tuple[float, ...] = ()
    weighted_mid: tuple[float, ...] = ()
    bid_size: tuple[int, ...] = ()
    ask_size: tuple[int, ...] = ()
    bid_depth: tuple[int, ...] = ()
    ask_depth: tuple[int, ...] = ()
    of: int = 0


class Touch:
    """Keep the last usable state of each second: best prices, best sizes, sizes of all levels."""

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self._table = SecondTable(6, keep="last")

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        rows = np.flatnonzero(usable(book))
        seconds = second_of(book.ts[rows])
        starts, ends = runs(seconds)
        last = rows[ends - 1]
        columns = [
            _total(book.bid_px[:1], last),
            _total(book.ask_px[:1], last),
            _total(book.bid_sz[:1], last),
            _total(book.ask_sz[:1], last),
            _total(book.bid_sz[: self._levels], last),
            _total(book.ask_sz[: self._levels], last),
        ]
        self._table.add(seconds[starts], np.column_stack(columns))

    def result(self) -> TouchPath:
        """Return the path so far."""
        seconds, values = self._table.table()
        keep = kept(len(seconds))
        bid, ask, bid_size, ask_size, bid_depth, ask_depth = values[keep].T
        both = np.maximum(bid_size + ask_size, 1)
        return TouchPath(
            seconds=tuple(map(int, seconds[keep])),
            bid=tuple(map(float, bid / 10_000)),
            ask=tuple(map(float, ask / 10_000)),
            weighted_mid=tuple(map(float, (ask_size * bid + bid_size * ask) / both / 10_000)),
            bid_size=tuple(map(int, bid_size)),
            ask_size=tuple(map(int, ask_size)),
            bid_depth=tuple(map(int, bid_depth)),
            ask_depth=tuple(map(int, ask_depth)),
            of=len(seconds),
        )


def _total(levels: tuple[Ints32, ...], rows: Ints64) -> Ints64:
    """Add columns up at some rows, in 64 bits."""
    total = np.zeros(len(rows), np.int64)
    for column in levels:
        total += column[rows]
    return total
