"""Minute candles of the mid, gathered while books stream by: for plots of trades on prices."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.engine.books.stream import BookLane, BookSlice
from tradingd.level2.book import NO_ASK, NO_BID, Ints64

_MINUTE: Final = 60_000_000_000
_PRICE: Final = pa.decimal128(18, 9)
_HALF_UNIT: Final = 5
"""Digits after the point of half a price unit: 0.00005 dollar."""


class Candles:
    """Open, high, low and close of the mid, and shares traded, per symbol and minute."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, list[int]]] = {}

    def add(self, piece: BookSlice) -> None:
        """Take the books of a slice."""
        for lane in piece.lanes:
            self._mids(lane)
            self._volume(lane)

    def table(self, symbol: str) -> pa.Table:
        """Return bars stamped at their close, in the columns of stored bars."""
        rows = sorted(self._rows.get(symbol, {}).items())
        columns = np.array([values for _, values in rows], np.int64).reshape(-1, 5)
        stamps = np.array([(minute + 1) * _MINUTE for minute, _ in rows], np.int64)
        names = ("open", "high", "low", "close")
        prices = {name: _dollars(columns[:, at]) for at, name in enumerate(names)}
        return pa.table(
            {
                "ts_event": pa.array(stamps).cast(pa.timestamp("ns")),
                **prices,
                "volume": pa.array(columns[:, 4]),
            }
        )

    def _mids(self, lane: BookLane) -> None:
        bid, ask = lane.books.bid_px[0], lane.books.ask_px[0]
        both = (bid != NO_BID) & (ask != NO_ASK)
        if not both.any():
            return
        doubled = bid[both].astype(np.int64) + ask[both]
        minutes, starts = np.unique(lane.books.ts[both] // _MINUTE, return_index=True)
        highs, lows = (
            np.maximum.reduceat(doubled, starts),
            np.minimum.reduceat(doubled, starts),
        )
        ends = np.append(starts[1:], len(doubled)) - 1
        rows = self._rows.setdefault(lane.symbol, {})
        found = (minutes, doubled[starts], highs, lows, doubled[ends])
        for minute, opened, high, low, close in zip(*(one.tolist() for one in found), strict=True):
            row = rows.setdefault(minute, [opened, high, low, close, 0])
            row[1], row[2], row[3] = max(row[1], high), min(row[2], low), close

    def _volume(self, lane: BookLane) -> None:
        rows = self._rows.get(lane.symbol, {})
        minutes = (lane.trade_ts // _MINUTE).tolist()
        for minute, size in zip(minutes, lane.size.tolist(), strict=True):
            if minute in rows:
                rows[minute][4] += size


def _dollars(doubled: Ints64) -> pa.Array:
    """Return twice a price in 1/10,000 dollar as exact dollars."""
    words = np.zeros((len(doubled), 2), np.int64)
    words[:, 0] = doubled * _HALF_UNIT
    kind = pa.decimal128(17, 5)
    return pc.cast(pa.Array.from_buffers(kind, len(doubled), [None, pa.py_buffer(words)]), _PRICE)
