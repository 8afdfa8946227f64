"""The books in memory, for the questions an order asks: what stands there now."""

from bisect import bisect_left, bisect_right

from tradingd.domain.money import Nanos
from tradingd.engine.books.stream import BookLane, BookSlice
from tradingd.engine.books.view import Lane


class BookTape:
    """Books and trade times of the slice in memory, and each symbol's last book before it."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._before: dict[str, Lane] = {}
        self._trades: dict[str, list[int]] = {}
        self._mids: dict[str, tuple[Nanos, int]] = {}

    def load(self, piece: BookSlice) -> dict[str, Lane]:
        """Replace the books in memory by the next slice; return its lanes."""
        for symbol, lane in self._lanes.items():
            self._mids[symbol] = _mid(lane, len(lane.times)) or self._mids.get(symbol, (0, -1))
            self._before[symbol] = lane.last()
        self._lanes = {}
        self._trades = {}
        for part in piece.lanes:
            self._trades[part.symbol] = part.trade_ts.tolist()
            if part.books.rows:
                self._lanes[part.symbol] = self._lane(part)
        return self._lanes

    def at(self, symbol: str, ts: int) -> tuple[Lane, int] | None:
        """Return (lane, index) of the book that stands at `ts`; None before the first."""
        lane = self._lanes.get(symbol)
        if lane is not None:
            index = bisect_right(lane.times, ts) - 1
            if index >= 0:
                return lane, index
        before = self._before.get(symbol)
        return None if before is None else (before, 0)

    def traded(self, symbol: str, ts: int) -> bool:
        """Tell whether the record at exactly this time is a trade of the symbol."""
        times = self._trades.get(symbol, [])
        index = bisect_left(times, ts)
        return index < len(times) and times[index] == ts

    def last_close(self, symbol: str, ts: int) -> tuple[Nanos, int] | None:
        """Return (mid, time) of the last book with both sides at `ts` or before."""
        lane = self._lanes.get(symbol)
        found = None if lane is None else _mid(lane, bisect_right(lane.times, ts))
        if found is None:
            found = self._mids.get(symbol)
        return None if found is None or found[1] < 0 else found

    def ordinal(self, symbol: str, ts: int) -> int:
        """Return how many books of the symbol there were up to `ts`, since the run began."""
        lane = self._lanes.get(symbol)
        if lane is not None:
            return lane.passed + bisect_right(lane.times, ts)
        before = self._before.get(symbol)
        return 0 if before is None else before.passed + 1

    def spans(self, symbol: str, ts: int) -> bool:
        """Return False: a book has no inside."""
        return False

    def _lane(self, part: BookLane) -> Lane:
        books = part.books
        before = self._before.get(part.symbol)
        passed = 0 if before is None else before.passed + 1
        sides = (books.bid_px, books.ask_px, books.bid_sz, books.ask_sz)
        return Lane(part.symbol, books.ts, *sides, passed)


def _mid(lane: Lane, until: int) -> tuple[Nanos, int] | None:
    """Return the last mid among the first `until` books of a lane."""
    for index in range(until - 1, -1, -1):
        if lane.mids[index]:
            return lane.mids[index], lane.times[index]
    return None
