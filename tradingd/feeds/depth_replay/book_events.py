"""Depth events out of our own snapshot files, and of everything else that opens as books."""

import heapq
from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from tradingd.domain.depth import BookSide, DepthEvent, DepthGap, Ladder
from tradingd.feeds.depth_replay.source import EventSource, Told
from tradingd.level2.book import NO_ASK, NO_BID, BookChunk, TradeChunk
from tradingd.level2.columns import PRICE_SCALE, Quality
from tradingd.level2.open import open_book

_CHUNK: Final = 2_000
_NANOS: Final = 1_000_000_000 // PRICE_SCALE
"""Nanos of one stored price unit."""
_SIDES: Final[Mapping[int, BookSide]] = {1: "B", -1: "A", 0: "N"}
_NO_LEVEL: Final = (None, None, 0, 0, None, None)


class BookEvents(EventSource):
    """One file of books of one symbol: each state is a record that closes.

    Snapshots know neither what changed nor how many orders a level has: the action is ``M`` and
    the counts are not told.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> None:
        """Read what describes the file, and its first state."""
        self._book = open_book(self.path)
        self.symbols = frozenset({self._book.symbol})
        self.levels = self._book.levels
        for chunk, _ in self._book.chunks(1):
            if chunk.rows:
                self.first_ts = int(chunk.ts[0])
                break
        self.last_ts = _last_ts(self.path)

    def tell(self) -> Iterator[Told]:
        """Yield states and trades in time order."""
        symbol = self._book.symbol
        for chunk, trades in self._book.chunks(_CHUNK):
            yield from _merged(symbol, chunk, trades)


def _last_ts(path: Path) -> int:
    """Return the latest `ts` that the file's own statistics state."""
    metadata = pq.read_metadata(path)
    column = metadata.schema.names.index("ts")
    found = [
        metadata.row_group(number).column(column).statistics
        for number in range(metadata.num_row_groups)
    ]
    latest = [int(one.max_raw) for one in found if one is not None and one.has_min_max]
    return max(latest) if latest and len(latest) == len(found) else EventSource.last_ts


def _merged(symbol: str, chunk: BookChunk, trades: TradeChunk) -> Iterator[Told]:
    if not len(trades.ts):
        for _, told in _states(symbol, chunk):
            yield told
        return
    # Of one time the trade is told first: the state is the book after it.
    both = heapq.merge(_prints(symbol, chunk, trades), _states(symbol, chunk), key=itemgetter(0))
    for _, told in both:
        yield told


def _states(symbol: str, chunk: BookChunk) -> Iterator[tuple[int, Told]]:
    quality = chunk.quality.tolist()
    for index, ts in enumerate(chunk.ts.tolist()):
        bits = quality[index]
        if bits & Quality.GAP:
            yield ts, DepthGap(symbol=symbol, ts=ts, reason="sequence", detail="in the file")
        book = partial(_ladder, chunk, index)
        suspect = bits & Quality.SUSPECT != 0
        yield ts, DepthEvent(symbol, ts, ts, 0, "M", "N", 0, None, 0, True, suspect, book)


def _prints(symbol: str, chunk: BookChunk, trades: TradeChunk) -> Iterator[tuple[int, Told]]:
    columns = (trades.ts, trades.price, trades.size, trades.sign, trades.before)
    for ts, price, size, sign, before in zip(*(one.tolist() for one in columns), strict=True):
        book = partial(_ladder, chunk, max(before, 0))
        side = _SIDES[sign]
        yield (
            ts,
            DepthEvent(
                symbol,
                ts,
                ts,
                0,
                "T",
                side,
                0,
                price * _NANOS,
                size,
                False,
                False,
                book,
            ),
        )


def _ladder(chunk: BookChunk, index: int, levels: int) -> Ladder:
    cells: list[int | None] = []
    for level in range(min(levels, chunk.levels)):
        bid, ask = int(chunk.bid_px[level][index]), int(chunk.ask_px[level][index])
        cells += (None if bid == NO_BID else bid * _NANOS, None if ask == NO_ASK else ask * _NANOS)
        cells += (int(chunk.bid_sz[level][index]), int(chunk.ask_sz[level][index]), None, None)
    return (*cells, *_NO_LEVEL * (levels - len(cells) // 6))
