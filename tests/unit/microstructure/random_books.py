"""Random books with everything that goes wrong, and a source that cuts them anywhere."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, TradeChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.states import cut

DAY = dt.date(2025, 4, 3)
OPEN_NS = 1_743_687_000_000_000_000  # 09:30 in New York


def random_books(
    seed: int, rows: int, *, levels: int = 3, tidy: bool = False
) -> tuple[BookChunk, TradeChunk]:
    """Books on few prices, so that levels vanish, cross, lock and repeat; and trades among them.

    `tidy`: bids below asks, no missing levels, no gaps.
    """
    rng = np.random.default_rng(seed)
    steps = rng.choice([0, 1, 400_000_000, 1_000_000_000, 2_700_000_000], rows)
    ts = OPEN_NS + np.cumsum(steps).astype(np.int64)
    middle = 100_000 + 100 * np.cumsum(rng.integers(-1, 2, rows))
    bid_px, ask_px, bid_sz, ask_sz = [], [], [], []
    low, high = (1, 3) if tidy else (-1, 3)
    for level in range(levels):
        bid = middle - 100 * (rng.integers(low, high, rows) + level)
        ask = middle + 100 * (rng.integers(low, high, rows) + level)
        bid_size, ask_size = rng.integers(1, 6, (2, rows)) * 100
        if not tidy:
            no_bid, no_ask = rng.random((2, rows)) < 0.1
            bid, bid_size = np.where(no_bid, NO_BID, bid), np.where(no_bid, 0, bid_size)
            ask, ask_size = np.where(no_ask, NO_ASK, ask), np.where(no_ask, 0, ask_size)
        bid_px.append(bid.astype(np.int32))
        ask_px.append(ask.astype(np.int32))
        bid_sz.append(bid_size.astype(np.int32))
        ask_sz.append(ask_size.astype(np.int32))
    quality = np.where(rng.random(rows) < (0 if tidy else 0.05), int(Quality.GAP), 0)
    quality |= np.where(rng.random(rows) < 0.1, int(Quality.STALE_BID), 0)
    book = BookChunk(
        ts=ts,
        bid_px=tuple(bid_px),
        ask_px=tuple(ask_px),
        bid_sz=tuple(bid_sz),
        ask_sz=tuple(ask_sz),
        quality=quality.astype(np.int16),
    )
    return _repeat(book, rng), _trades(book, rng)


def slices(
    book: BookChunk, trades: TradeChunk, cuts: Sequence[int]
) -> Iterator[tuple[BookChunk, TradeChunk]]:
    """Cut books before these rows; each trade goes with the state after the one before it."""
    borders = [0, *sorted(cuts), book.rows]
    owner = np.minimum(trades.before + 1, book.rows - 1)
    for start, stop in pairwise(borders):
        mine = (owner >= start) & (owner < stop)
        yield (
            cut(book, start, stop),
            TradeChunk(
                ts=trades.ts[mine],
                price=trades.price[mine],
                size=trades.size[mine],
                sign=trades.sign[mine],
                before=np.maximum(trades.before[mine] - start, -1),
            ),
        )


class ListSource:
    """A source over arrays, cut as told."""

    label = "random books"
    symbol = "RND"
    day = DAY
    every_change = True
    interval_ns = 0

    def __init__(
        self, book: BookChunk, trades: TradeChunk | None, cuts: Sequence[int] = ()
    ) -> None:
        self.levels = book.levels
        self.has_trades = trades is not None
        none = np.empty(0, np.int64)
        self._book, self._cuts = book, cuts
        self._trades = trades or TradeChunk(
            ts=none, price=none, size=none, sign=none.astype(np.int8), before=none
        )

    def facts(self) -> dict[str, Any]:
        return {"kind": "random", "day": self.day}

    def chunks(self, rows: int = 0) -> Iterator[tuple[BookChunk, TradeChunk]]:
        return slices(self._book, self._trades, self._cuts)


def _repeat(book: BookChunk, rng: np.random.Generator) -> BookChunk:
    """Make a tenth of the states equal to the one before them."""
    index = np.arange(book.rows)
    index[1:] -= rng.random(book.rows - 1) < 0.1
    return BookChunk(
        ts=book.ts,
        bid_px=tuple(column[index] for column in book.bid_px),
        ask_px=tuple(column[index] for column in book.ask_px),
        bid_sz=tuple(column[index] for column in book.bid_sz),
        ask_sz=tuple(column[index] for column in book.ask_sz),
        quality=book.quality,
    )


def _trades(book: BookChunk, rng: np.random.Generator) -> TradeChunk:
    count = book.rows // 3
    after = np.sort(rng.integers(0, book.rows, count))
    return TradeChunk(
        ts=book.ts[after],
        price=(book.bid_px[0][after] + 100 * rng.integers(-1, 4, count)).astype(np.int64),
        size=rng.integers(1, 9, count) * 100,
        sign=rng.integers(-1, 2, count).astype(np.int8),
        before=(after - 1).astype(np.int64),
    )
