"""Queue imbalance at the best prices, and how well it tells the next move of the mid.

Gould & Bonart (2016), "Queue Imbalance as a One-Tick-Ahead Price Predictor in a Limit Order Book",
Market Microstructure and Liquidity 2(2): I = (bid size - ask size) / (bid size + ask size), and a
logistic regression of the direction of the next mid change on I. They draw one I at a uniformly
random time between two moves; here every I of such a period counts with its share of the period,
which is what random draws come to on average, so each period weighs 1. Imbalances are told apart in
200 bins. A mid that comes after a gap ends no period.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.logistic import Logistic, logistic
from tradingd.microstructure.states import Carry, Floats, twice_mid, usable

BINS: Final = 200
PLOTTED: Final = 20


class ImbalanceBin(msgspec.Struct, frozen=True, kw_only=True):
    """Periods by imbalance: `weight` in periods, `up` the share followed by a rise."""

    low: float
    high: float
    weight: float
    up: float | None


class QueueResult(msgspec.Struct, frozen=True, kw_only=True):
    """Imbalance and the next move.

    Attributes
    ----------
    moves : int
        Changes of the mid that ended a period.
    up_share : float or None
        Of the moves, how many were up.
    mean : float or None
        Time-weighted mean imbalance of the periods (each weighs 1).
    bins : tuple of ImbalanceBin
        20 bins from -1 to 1.
    model : Logistic
        P(up) = 1 / (1 + exp(-(intercept + slope I))).
    """

    moves: int
    up_share: float | None = None
    mean: float | None = None
    bins: tuple[ImbalanceBin, ...] = ()
    model: Logistic
    reason: str = ""


class Queue:
    """Collect imbalances until the mid moves, then book them as followed by a rise or a fall."""

    def __init__(self) -> None:
        self._carry = Carry()
        # Direction (down, up) of the next move x bin: periods.
        self._followed = np.zeros((2, BINS))
        self._moves = np.zeros(2, np.int64)
        # Of the period that is not over: ns by bin.
        self._open = np.zeros(BINS)

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        for older, newer in self._carry.pairs(book):
            self._add(older, newer)

    def result(self) -> QueueResult:
        """Return what there is so far."""
        down, up = self._followed
        model = logistic(bin_centres(), down, up)
        moves = int(self._moves.sum())
        if not moves:
            return QueueResult(moves=0, model=model, reason="the mid never moved")
        both = self._followed.sum(axis=0)
        weight = both.reshape(PLOTTED, -1).sum(axis=1)
        rises = up.reshape(PLOTTED, -1).sum(axis=1)
        width = 2 / PLOTTED
        return QueueResult(
            moves=moves,
            up_share=float(self._moves[1] / moves),
            mean=float(both @ bin_centres() / both.sum()),
            bins=tuple(
                ImbalanceBin(
                    low=round(number * width - 1, 9),
                    high=round((number + 1) * width - 1, 9),
                    weight=float(weight[number]),
                    up=float(rises[number] / weight[number]) if weight[number] > 0 else None,
                )
                for number in range(PLOTTED)
            ),
            model=model,
        )

    def _add(self, older: BookChunk, newer: BookChunk) -> None:
        """Book pairs: the older state stood for the pair's time, the pair may end a period."""
        fine = usable(older)
        lost = (newer.quality & int(Quality.GAP)) != 0
        # A change through an unusable state has no direction of one pair: the period is dropped.
        broken = lost | ~(fine & usable(newer))
        step = np.sign(twice_mid(newer) - twice_mid(older))
        step[broken] = 0
        ends = np.flatnonzero((step != 0) | broken)
        weights = (newer.ts - older.ts).astype(np.float64) * fine * ~lost
        bins = imbalance_bins(older)
        # Period of each pair: 0 is the one that was open; the last one stays open.
        period = np.zeros(older.rows, np.int64)
        period[ends[ends + 1 < older.rows] + 1] = 1
        period = np.cumsum(period)
        self._close(ends, step, period, bins, weights)

    def _close(
        self, ends: Ints64, step: Ints64, period: Ints64, bins: Ints64, weights: Floats
    ) -> None:
        first = period == 0
        self._open += np.bincount(bins[first], weights[first], BINS)
        if not len(ends):
            return
        self._book(self._open, int(step[ends[0]]))
        closed = (period > 0) & (period < len(ends))
        length = np.bincount(period, weights, len(ends) + 1)
        # A period of no length has no imbalance that stood for any time.
        share = weights[closed] / np.where(length > 0, length, 1)[period[closed]]
        towards = step[ends][period[closed]]
        for direction, number in ((-1, 0), (1, 1)):
            rows = towards == direction
            self._followed[number] += np.bincount(bins[closed][rows], share[rows], BINS)
            self._moves[number] += int(
                ((step[ends[1:]] == direction) & (length[1 : len(ends)] > 0)).sum()
            )
        rest = period == len(ends)
        # Of nothing, bincount makes integers.
        self._open = np.bincount(bins[rest], weights[rest], BINS).astype(np.float64)

    def _book(self, stood: Floats, direction: int) -> None:
        total = stood.sum()
        if direction and total > 0:
            number = int(direction > 0)
            self._followed[number] += stood / total
            self._moves[number] += 1


def imbalance_bins(book: BookChunk) -> Ints64:
    """Return (n,) which of 200 bins the imbalance of each state lies in; the middle if empty."""
    bid = book.bid_sz[0].astype(np.int64)
    total = bid + book.ask_sz[0]
    # (I + 1) / 2 = bid / total: in integers, so that borders are exact.
    bins: Ints64 = np.minimum(bid * BINS // np.maximum(total, 1), BINS - 1)
    bins[total == 0] = BINS // 2
    return bins


def bin_centres() -> Floats:
    """Return (200,) imbalances in the middle of the bins."""
    centres: Floats = (np.arange(BINS) + 0.5) * 2 / BINS - 1
    return centres
