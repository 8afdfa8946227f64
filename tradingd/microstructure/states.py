"""Consecutive states of a book, joined over the borders of chunks; which of them can be used.

One rule serves every measure: a state is *usable* when it has a bid and an ask and the bid is
below the ask. Crossed, locked and one-sided states have no spread, no mid and no touch; they are
left out and counted.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, Ints64

type Bools = NDArray[np.bool_]
type Floats = NDArray[np.float64]


def usable(book: BookChunk) -> Bools:
    """Return (n,) which states have a bid below an ask."""
    bid, ask = book.bid_px[0], book.ask_px[0]
    mask: Bools = np.less(bid, ask)
    mask &= bid != NO_BID
    mask &= ask != NO_ASK
    return mask


def twice_mid(book: BookChunk, rows: Ints64 | slice = slice(None)) -> Ints64:
    """Return bid + ask, 1/10,000 dollar: exact, where half of it need not be."""
    total: Ints64 = np.add(book.bid_px[0][rows], book.ask_px[0][rows], dtype=np.int64)
    return total


def cut(book: BookChunk, start: int, stop: int) -> BookChunk:
    """Return the states [start, stop) as views."""
    part = slice(start, stop)
    return BookChunk(
        ts=book.ts[part],
        bid_px=tuple(column[part] for column in book.bid_px),
        ask_px=tuple(column[part] for column in book.ask_px),
        bid_sz=tuple(column[part] for column in book.bid_sz),
        ask_sz=tuple(column[part] for column in book.ask_sz),
        quality=book.quality[part],
    )


def top(book: BookChunk, levels: int) -> BookChunk:
    """Return the same states with so many levels a side."""
    return BookChunk(
        ts=book.ts,
        bid_px=book.bid_px[:levels],
        ask_px=book.ask_px[:levels],
        bid_sz=book.bid_sz[:levels],
        ask_sz=book.ask_sz[:levels],
        quality=book.quality,
    )


class Carry:
    """The last state seen, so that no pair of neighbours is lost between two chunks."""

    def __init__(self) -> None:
        self.last: BookChunk | None = None

    def pairs(self, book: BookChunk) -> Iterator[tuple[BookChunk, BookChunk]]:
        """Yield (older, newer): aligned blocks in which row i of both are neighbours in time.

        The pair over the border to the chunk before comes first, alone. Call it once a chunk and
        exhaust it: the last state is kept when it ends.
        """
        if not book.rows:
            return
        if self.last is not None:
            yield self.last, cut(book, 0, 1)
        if book.rows > 1:
            yield cut(book, 0, book.rows - 1), cut(book, 1, book.rows)
        self.last = own(cut(book, book.rows - 1, book.rows))


def own(book: BookChunk) -> BookChunk:
    """Copy a few states, so that the chunk they came from can be freed."""
    return BookChunk(
        ts=book.ts.copy(),
        bid_px=tuple(column.copy() for column in book.bid_px),
        ask_px=tuple(column.copy() for column in book.ask_px),
        bid_sz=tuple(column.copy() for column in book.bid_sz),
        ask_sz=tuple(column.copy() for column in book.ask_sz),
        quality=book.quality.copy(),
    )
