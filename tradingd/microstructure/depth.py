"""Depth of the book by level, weighted by the time it stood.

Sizes in shares, distances in ticks of one cent from the mid. Levels that do not exist count as size
0; their distance counts only while they exist. The slope is that of cumulative depth over distance
from the mid, least squares over the mean book's levels through the origin, shares a tick (after
Naes & Skjeltorp 2006, "Order book characteristics and the volume-volatility relation", Journal of
Financial Markets 9, who use relative quantities).
"""

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.halfhours import COUNT, HalfHours, label
from tradingd.microstructure.intervals import TICK_UNITS
from tradingd.microstructure.standing import clock, over_time, standing
from tradingd.microstructure.states import Carry, Floats


class LevelDepth(msgspec.Struct, frozen=True, kw_only=True):
    """One level, counted from 1 at the best.

    `*_size` mean shares, `*_cumulative` with all better levels, `*_distance` mean ticks from the
    mid (None: the level never existed), `*_exists` share of the time it did.
    """

    level: int
    bid_size: float
    ask_size: float
    bid_cumulative: float
    ask_cumulative: float
    bid_distance: float | None
    ask_distance: float | None
    bid_exists: float
    ask_exists: float


class HalfHourDepth(msgspec.Struct, frozen=True, kw_only=True):
    """Means over a half hour: best sizes, sizes of all levels, and their imbalances.

    Imbalance: (bid - ask) / (bid + ask) of the mean sizes, -1 to 1; None: nothing was there.
    """

    half_hour: str
    seconds: float
    bid_best: float
    ask_best: float
    bid_total: float
    ask_total: float
    imbalance_best: float | None
    imbalance_total: float | None


class DepthResult(msgspec.Struct, frozen=True, kw_only=True):
    """Depth of the book; empty with the reason where no usable state stood for any time."""

    seconds: float
    levels: tuple[LevelDepth, ...] = ()
    bid_slope: float | None = None
    ask_slope: float | None = None
    by_half_hour: tuple[HalfHourDepth, ...] = ()
    reason: str = ""


class Depth:
    """Add up sizes times the nanoseconds they stood."""

    def __init__(self, levels: int, hours: HalfHours) -> None:
        self.levels = levels
        self._hours = hours
        self._carry = Carry()
        self._weight = np.zeros(COUNT)
        # Half hour, side (bid, ask), level: shares x ns.
        self._sizes = np.zeros((COUNT, 2, levels))
        # Side, level: ns the level existed, and distance (half units) x ns.
        self._exists = np.zeros((2, levels))
        self._distance = np.zeros((2, levels))

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        for older, newer in self._carry.pairs(book):
            self._add(older, standing(older, newer))

    def result(self) -> DepthResult:
        """Return the averages so far."""
        total = float(self._weight.sum())
        if not total:
            return DepthResult(seconds=0, reason="no usable state stood for any time")
        size = self._sizes.sum(axis=0) / total
        cumulative = size.cumsum(axis=1)
        exists = self._exists > 0
        distance = np.abs(self._distance) / np.where(exists, self._exists, 1) / (2 * TICK_UNITS)
        return DepthResult(
            seconds=total / 1e9,
            levels=tuple(
                LevelDepth(
                    level=level + 1,
                    bid_size=float(size[0, level]),
                    ask_size=float(size[1, level]),
                    bid_cumulative=float(cumulative[0, level]),
                    ask_cumulative=float(cumulative[1, level]),
                    bid_distance=float(distance[0, level]) if exists[0, level] else None,
                    ask_distance=float(distance[1, level]) if exists[1, level] else None,
                    bid_exists=float(self._exists[0, level] / total),
                    ask_exists=float(self._exists[1, level] / total),
                )
                for level in range(self.levels)
            ),
            bid_slope=_slope(distance[0][exists[0]], cumulative[0][exists[0]]),
            ask_slope=_slope(distance[1][exists[1]], cumulative[1][exists[1]]),
            by_half_hour=tuple(
                self._half_hour(int(number)) for number in np.flatnonzero(self._weight)
            ),
        )

    def _add(self, book: BookChunk, weights: Ints64) -> None:
        passed = clock(weights)
        whole = slice(0, book.rows)
        mid = _mid(book, passed)
        parts = list(self._hours.parts(book.ts))
        for half_hour, rows in parts:
            self._weight[half_hour] += passed[rows.stop] - passed[rows.start]
        sides = ((book.bid_px, book.bid_sz), (book.ask_px, book.ask_sz))
        for side, (prices, sizes) in enumerate(sides):
            for level in range(self.levels):
                for half_hour, rows in parts:
                    self._sizes[half_hour, side, level] += over_time(sizes[level], passed, rows)
                exists, middle = passed, mid
                # A missing level's price stands for "none": it must not be averaged.
                if sizes[level].min() == 0:
                    exists = clock(weights * (sizes[level] > 0))
                    middle = _mid(book, exists)
                self._exists[side, level] += exists[-1]
                away = middle - 2 * over_time(prices[level], exists, whole)
                self._distance[side, level] += away

    def _half_hour(self, number: int) -> HalfHourDepth:
        weight = float(self._weight[number])
        bid, ask = self._sizes[number] / weight
        return HalfHourDepth(
            half_hour=label(number),
            seconds=weight / 1e9,
            bid_best=float(bid[0]),
            ask_best=float(ask[0]),
            bid_total=float(bid.sum()),
            ask_total=float(ask.sum()),
            imbalance_best=_imbalance(float(bid[0]), float(ask[0])),
            imbalance_total=_imbalance(float(bid.sum()), float(ask.sum())),
        )


def _mid(book: BookChunk, passed: Ints64) -> float:
    """Return twice the mid x ns."""
    whole = slice(0, book.rows)
    return over_time(book.bid_px[0], passed, whole) + over_time(book.ask_px[0], passed, whole)


def _imbalance(bid: float, ask: float) -> float | None:
    return (bid - ask) / (bid + ask) if bid + ask > 0 else None


def _slope(distance: Floats, cumulative: Floats) -> float | None:
    squares = float(distance @ distance)
    return float(distance @ cumulative) / squares if squares > 0 else None
