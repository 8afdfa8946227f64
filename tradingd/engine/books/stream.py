"""Books and trades of several symbols as one stream, cut into chunks that memory can hold.

Within a symbol every book and trade gets a time of its own: what shares a nanosecond with the
record before is moved one nanosecond on. So "the book at t" has one answer, an order that arrives
meets it, and the results do not depend on where a chunk ends.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import CorporateAction, Instrument
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, BookSource, Ints64, TradeChunk
from tradingd.level2.columns import Quality

MOST_ROWS: Final = 8_192
"""Books in memory at once: as an engine object a book of ten levels takes about 4 kB."""

UNUSABLE: Final = Quality.CROSSED | Quality.DISORDER
"""Books that cannot be traded against: the one before stands."""


class BookLane(msgspec.Struct, frozen=True, kw_only=True):
    """Books and trades of one symbol in time order, with times of their own.

    `price` is in 1/10,000 dollar; `sign` +1 for a buyer, -1 for a seller who took.
    """

    symbol: str
    books: BookChunk
    trade_ts: Ints64
    price: Ints64
    size: Ints64
    sign: NDArray[np.int8]

    @property
    def last(self) -> int:
        """Time of the last book."""
        return int(self.books.ts[-1])


class BookSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Books of several symbols over one span of time; slices follow each other."""

    lanes: tuple[BookLane, ...]
    start_ns: int
    end_ns: int

    @property
    def rows(self) -> int:
        """Number of books."""
        return sum(lane.books.rows for lane in self.lanes)


class BookFeed(Protocol):
    """Recorded books, streamed in bounded slices."""

    def symbols(self) -> Sequence[str]:
        """Return the symbols, sorted."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts, one per symbol."""
        ...

    def actions(self) -> Sequence[CorporateAction]:
        """Return dividends inside the range; splits cannot be traded through."""
        ...

    def slices(self) -> Iterator[BookSlice]:
        """Yield the books in time order."""
        ...


class BookStream:
    """Reads the sources of several days and symbols as one stream.

    Parameters
    ----------
    sources : Iterable[BookSource]
        One per symbol and day.
    rows : int
        Books in memory at once, at most `MOST_ROWS`.
    """

    def __init__(self, sources: Iterable[BookSource], rows: int = MOST_ROWS) -> None:
        self._days: dict[dt.date, list[BookSource]] = {}
        for source in sorted(sources, key=lambda one: (one.day, one.symbol)):
            self._days.setdefault(source.day, []).append(source)
        self._rows = min(rows, MOST_ROWS)
        self._last: dict[str, int] = {}
        self.left_out = 0

    def slices(self) -> Iterator[BookSlice]:
        """Yield every day's books; between two days every book of the first is taken away.

        What happens while no book is recorded is unknown, so nothing may fill then.
        """
        self._last.clear()
        self.left_out = 0
        days = list(self._days)
        for day in days:
            end = -1
            for piece in self._day(self._days[day]):
                end = piece.end_ns
                yield piece
            if end >= 0 and day != days[-1]:
                yield self._closing({one.symbol for one in self._days[day]}, end + 1)

    def _day(self, sources: list[BookSource]) -> Iterator[BookSlice]:
        step = max(1, self._rows // len(sources))
        streams = [self._lanes(source, step) for source in sources]
        held = [lane for lane in (next(stream, None) for stream in streams) if lane is not None]
        live = dict(zip((lane.symbol for lane in held), held, strict=True))
        by_symbol = {source.symbol: stream for source, stream in zip(sources, streams, strict=True)}
        while live:
            until = min(lane.last for lane in live.values())
            parts = []
            for symbol, lane in list(live.items()):
                part, rest = _cut(lane, until)
                if part is not None:
                    parts.append(part)
                following = rest if rest is not None else next(by_symbol[symbol], None)
                if following is None:
                    del live[symbol]
                else:
                    live[symbol] = following
            first = min(_first(part) for part in parts)
            yield BookSlice(lanes=tuple(parts), start_ns=first, end_ns=until)

    def _lanes(self, source: BookSource, rows: int) -> Iterator[BookLane]:
        for books, trades in source.chunks(rows):
            usable = (books.quality & int(UNUSABLE)) == 0
            self.left_out += books.rows - int(np.count_nonzero(usable))
            if usable.any():
                lane = _lane(source.symbol, books, trades, usable, self._last.get(source.symbol, 0))
                self._last[source.symbol] = lane.last
                yield lane

    def _closing(self, symbols: set[str], ts: int) -> BookSlice:
        lanes = []
        for symbol in sorted(symbols):
            self._last[symbol] = ts
            lanes.append(_nothing(symbol, ts))
        return BookSlice(lanes=tuple(lanes), start_ns=ts, end_ns=ts)


def _lane(
    symbol: str, books: BookChunk, trades: TradeChunk, usable: NDArray[np.bool_], last: int
) -> BookLane:
    """Return usable books and signed trades, in one order and with times of their own.

    A trade that nobody is told to have started (hidden orders, crosses) takes nothing from the
    displayed queues: it is left out.
    """
    kept = np.concatenate([[0], np.cumsum(usable)])
    signed = trades.sign != 0
    # Place of a trade: after so many kept books.
    after = kept[trades.before[signed] + 1]
    number = int(kept[-1])
    book_ts = books.ts[usable]
    trade_ts = trades.ts[signed]
    inside = after < number
    trade_ts = np.where(inside, np.minimum(trade_ts, book_ts[np.minimum(after, number - 1)]), 0)
    places = np.concatenate([2 * np.arange(number) + 1, 2 * after])
    order = np.argsort(places, kind="stable")
    moved = np.empty(len(order), np.int64)
    moved[order] = own_times(np.concatenate([book_ts, trade_ts])[order], last)
    return BookLane(
        symbol=symbol,
        books=_picked(books, usable, moved[:number]),
        trade_ts=moved[number:][inside],
        price=trades.price[signed][inside],
        size=trades.size[signed][inside],
        sign=trades.sign[signed][inside],
    )


def own_times(ts: Ints64, last: int) -> Ints64:
    """Return strictly increasing times: each at least a nanosecond after the one before."""
    steps = np.arange(len(ts), dtype=np.int64)
    lifted = np.maximum.accumulate(np.maximum(ts, last + 1) - steps) + steps
    found: Ints64 = lifted
    return found


def _picked(books: BookChunk, rows: Any, ts: Ints64) -> BookChunk:
    return BookChunk(
        ts=ts,
        bid_px=tuple(column[rows] for column in books.bid_px),
        ask_px=tuple(column[rows] for column in books.ask_px),
        bid_sz=tuple(column[rows] for column in books.bid_sz),
        ask_sz=tuple(column[rows] for column in books.ask_sz),
        quality=books.quality[rows],
    )


def _first(lane: BookLane) -> int:
    starts = [int(times[0]) for times in (lane.books.ts, lane.trade_ts) if len(times)]
    return min(starts)


def _cut(lane: BookLane, until: int) -> tuple[BookLane | None, BookLane | None]:
    """Return what is at `until` or before, and the rest; None for nothing."""
    if lane.last <= until:
        return lane, None
    at = int(np.searchsorted(lane.books.ts, until, "right"))
    split = int(np.searchsorted(lane.trade_ts, until, "right"))
    rest = _part(lane, slice(at, None), slice(split, None))
    if not at and not split:
        return None, rest
    return _part(lane, slice(0, at), slice(0, split)), rest


def _part(lane: BookLane, books: slice, trades: slice) -> BookLane:
    return BookLane(
        symbol=lane.symbol,
        books=_picked(lane.books, books, lane.books.ts[books]),
        trade_ts=lane.trade_ts[trades],
        price=lane.price[trades],
        size=lane.size[trades],
        sign=lane.sign[trades],
    )


def _nothing(symbol: str, ts: int) -> BookLane:
    empty64 = np.empty(0, np.int64)
    books = BookChunk(
        ts=np.array([ts], np.int64),
        bid_px=(np.array([NO_BID], np.int32),),
        ask_px=(np.array([NO_ASK], np.int32),),
        bid_sz=(np.zeros(1, np.int32),),
        ask_sz=(np.zeros(1, np.int32),),
        quality=np.zeros(1, np.int16),
    )
    return BookLane(
        symbol=symbol,
        books=books,
        trade_ts=empty64,
        price=empty64,
        size=empty64,
        sign=np.empty(0, np.int8),
    )
