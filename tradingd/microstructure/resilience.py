"""How the book recovers after trades: mean spread and depth some time after, against before.

The mean path after trades at fixed lags, as in Large (2007), "Measuring the resiliency of an
electronic limit order book", Journal of Financial Markets 10, and Degryse, de Jong, van Ravenswaaij
& Wuyts (2005), "Aggressive Orders and the Resiliency of a Limit Order Market", Review of Finance 9.
Trades of one time count as one event. The side hit is the asks for a buyer, the bids for a seller;
sizes are of the levels the source tells. Lag 0: after all that happened at the trade's own time.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.asof import AsOf
from tradingd.microstructure.intervals import TICK_UNITS
from tradingd.microstructure.signs import NO_QUOTE, SignCounts, TradeSigns
from tradingd.microstructure.states import Carry

LAGS_MS: Final = (0, 1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
_MILLISECOND: Final = NANOSECONDS // 1_000
_VALUES: Final = 5
"""Spread; best and total size of the bids; best and total size of the asks."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Means over events whose book is known at the lag; None where there are none.

    `spread_ticks`, `best_size` and `depth` (all levels, shares) are of the book then, the
    `_before` of the same events just before the trade; sizes are of the side hit.
    """

    lag_ms: int
    events: int
    spread_ticks: float | None = None
    spread_ticks_before: float | None = None
    best_size: float | None = None
    best_size_before: float | None = None
    depth: float | None = None
    depth_before: float | None = None
    beyond_end: int = 0


class ResilienceResult(msgspec.Struct, frozen=True, kw_only=True):
    """Paths after trades, by lag."""

    path: tuple[Moment, ...] = ()
    signs: SignCounts = SignCounts()
    left_out: int = 0
    reason: str = ""


class Resilience:
    """Sum spreads and sizes at lags after trades."""

    def __init__(self, *, lags_ms: tuple[int, ...] = LAGS_MS) -> None:
        self._lags = lags_ms
        self._signs = TradeSigns()
        self._carry = Carry()
        self._asof = AsOf([lag * _MILLISECOND for lag in lags_ms], _values)
        # Events, then spread, best size and depth at the lag, then the same before.
        self._sums = np.zeros((len(lags_ms), 7), np.int64)
        self._last_trade = -1
        self._left_out = 0

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states and the trades among them."""
        signs, mids = self._signs.feed(book, trades)
        first = np.diff(trades.ts, prepend=self._last_trade) != 0
        if len(trades.ts):
            self._last_trade = int(trades.ts[-1])
        fine = (signs != 0) & (mids != NO_QUOTE)
        self._left_out += int((first & ~fine).sum())
        rows = np.flatnonzero(first & fine)
        payload = np.column_stack((signs[rows].astype(np.int64), self._before(book, trades, rows)))
        for number, known, later in self._asof.feed(book, trades.ts[rows], payload):
            _add(self._sums[number], known, later)

    def result(self) -> ResilienceResult:
        """Return the means so far."""
        sums = self._sums.copy()
        for number, known, later in self._asof.rest():
            _add(sums[number], known, later)
        beyond = self._asof.unanswered()
        return ResilienceResult(
            path=tuple(
                _moment(lag, row, late)
                for lag, row, late in zip(self._lags, sums, beyond, strict=True)
            ),
            signs=self._signs.counts(),
            left_out=self._left_out,
            reason="" if sums[:, 0].any() else "no trade has both a sign and a quote before it",
        )

    def _before(self, book: BookChunk, trades: TradeChunk, rows: Ints64) -> Ints64:
        """Return (m, v) values of the states before these trades."""
        found = trades.before[rows]
        values = np.zeros((len(rows), _VALUES), np.int64)
        inside = found >= 0
        values[inside] = _values(book, found[inside])
        if self._carry.last is not None and not inside.all():
            values[~inside] = _values(self._carry.last, np.zeros(1, np.int64))
        for _ in self._carry.pairs(book):
            pass
        return values


def _values(book: BookChunk, rows: Ints64) -> Ints64:
    """Return (m, 5): spread; best and total size of the bids; of the asks."""
    values = np.empty((len(rows), _VALUES), np.int64)
    values[:, 0] = np.subtract(book.ask_px[0][rows], book.bid_px[0][rows], dtype=np.int64)
    for column, side in ((1, book.bid_sz), (3, book.ask_sz)):
        values[:, column] = side[0][rows]
        values[:, column + 1] = sum(size[rows].astype(np.int64) for size in side)
    return values


def _hit(values: Ints64, signs: Ints64) -> Ints64:
    """Return (m, 3): spread, best and total size of the side hit."""
    side = np.where(signs[:, None] > 0, values[:, 3:5], values[:, 1:3])
    return np.column_stack((values[:, 0], side))


def _add(into: Ints64, payload: Ints64, later: Ints64) -> None:
    signs = payload[:, 0]
    into[0] += len(payload)
    into[1:4] += _hit(later, signs).sum(axis=0)
    into[4:7] += _hit(payload[:, 1:], signs).sum(axis=0)


def _moment(lag_ms: int, row: Ints64, beyond: int) -> Moment:
    events = int(row[0])
    if not events:
        return Moment(lag_ms=lag_ms, events=0, beyond_end=beyond)
    spread, best, depth, spread0, best0, depth0 = (int(value) / events for value in row[1:])
    return Moment(
        lag_ms=lag_ms,
        events=events,
        spread_ticks=spread / TICK_UNITS,
        spread_ticks_before=spread0 / TICK_UNITS,
        best_size=best,
        best_size_before=best0,
        depth=depth,
        depth_before=depth0,
        beyond_end=beyond,
    )
