"""Prices that lean on the queues: the size-weighted mid, and Stoikov's micro-price.

Weighted mid: (ask size x bid + bid size x ask) / (bid size + ask size).

Micro-price: Stoikov (2018), "The micro-price: a high-frequency estimator of future prices",
Quantitative Finance 18(12). The expected mid after many moves, from a Markov chain of (imbalance in
10 buckets, spread in ticks 1, 2, 3 and more) observed state by state: G1 = (1 - Q)^-1 R k the
expected first move, B = (1 - Q)^-1 T where the chain is then, and the adjustment of the mid is
(1 + B + B^2 + ...) G1. Transitions are made symmetric between bid and ask, as in the paper, which
makes the sum converge. Moves of the mid beyond 2 ticks count as 2.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.intervals import TICK_UNITS
from tradingd.microstructure.standing import standing
from tradingd.microstructure.states import Bools, Carry, Floats, twice_mid, usable

IMBALANCES: Final = 10
SPREADS: Final = 3
_STATES: Final = IMBALANCES * SPREADS
_MOST_HALF_TICKS: Final = 4
_MOVES: Final = 2 * _MOST_HALF_TICKS + 1
_ITERATIONS: Final = 6


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What is added to the mid, in ticks, at a spread and by imbalance bucket from -1 to 1.

    `spread_ticks`: 3 stands for 3 and more. None: the bucket was never seen.
    """

    spread_ticks: int
    ticks: tuple[float | None, ...]


class MicropriceResult(msgspec.Struct, frozen=True, kw_only=True):
    """How far prices that lean on queues are from the mid.

    Attributes
    ----------
    weighted_away_ticks : float or None
        Time-weighted mean distance of the weighted mid from the mid.
    adjustments : tuple of Adjustment
        The micro-price less the mid.
    moves : int
        Moves of the mid the chain was estimated from.
    """

    weighted_away_ticks: float | None = None
    adjustments: tuple[Adjustment, ...] = ()
    moves: int = 0
    reason: str = ""


class Microprice:
    """Count transitions between (imbalance, spread) states and the moves of the mid in them."""

    def __init__(self) -> None:
        self._carry = Carry()
        self._stood = 0.0
        self._away = 0.0
        # From state, move of the mid in half ticks (the middle: none), to state.
        self._count = np.zeros((_STATES, _MOVES, _STATES), np.int64)

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        for older, newer in self._carry.pairs(book):
            self._lean(older, standing(older, newer))
            self._transitions(older, newer)

    def result(self) -> MicropriceResult:
        """Return the averages, and solve the chain."""
        if not self._stood:
            return MicropriceResult(reason="no usable state stood for any time")
        moved = self._count.sum() - self._count[:, _MOST_HALF_TICKS].sum()
        away = self._away / self._stood / TICK_UNITS
        if not moved:
            return MicropriceResult(weighted_away_ticks=away, reason="the mid never moved")
        values, seen = _solve(_symmetric(self._count).astype(np.float64))
        table = np.where(seen, values, np.nan).reshape(SPREADS, IMBALANCES)
        return MicropriceResult(
            weighted_away_ticks=away,
            adjustments=tuple(
                Adjustment(
                    spread_ticks=number + 1,
                    ticks=tuple(None if np.isnan(value) else float(value) for value in row),
                )
                for number, row in enumerate(table)
            ),
            moves=int(moved),
        )

    def _lean(self, book: BookChunk, weights: Ints64) -> None:
        """Add |weighted mid - mid| = half the spread x |imbalance|, in units x ns."""
        bid, ask = book.bid_sz[0].astype(np.float64), book.ask_sz[0].astype(np.float64)
        imbalance = np.abs(bid - ask) / np.maximum(bid + ask, 1)
        spread = np.subtract(book.ask_px[0], book.bid_px[0], dtype=np.float64)
        self._stood += float(weights.sum())
        self._away += float((spread * imbalance * weights).sum()) / 2

    def _transitions(self, older: BookChunk, newer: BookChunk) -> None:
        known = usable(older) & usable(newer) & ((newer.quality & int(Quality.GAP)) == 0)
        rows = np.flatnonzero(known & _changed(older, newer))
        half_ticks = (twice_mid(newer, rows) - twice_mid(older, rows)) // TICK_UNITS
        move = np.clip(half_ticks, -_MOST_HALF_TICKS, _MOST_HALF_TICKS) + _MOST_HALF_TICKS
        index = (_state(older, rows) * _MOVES + move) * _STATES + _state(newer, rows)
        self._count += np.bincount(index, minlength=self._count.size).reshape(self._count.shape)


def _changed(older: BookChunk, newer: BookChunk) -> Bools:
    """Return where the best prices or sizes changed: grid rows that repeat are no transitions."""
    changed: Bools = older.bid_px[0] != newer.bid_px[0]
    changed |= older.ask_px[0] != newer.ask_px[0]
    changed |= older.bid_sz[0] != newer.bid_sz[0]
    changed |= older.ask_sz[0] != newer.ask_sz[0]
    return changed


def _state(book: BookChunk, rows: Ints64) -> Ints64:
    bid = book.bid_sz[0][rows].astype(np.int64)
    total = np.maximum(bid + book.ask_sz[0][rows], 1)
    bucket = np.minimum(bid * IMBALANCES // total, IMBALANCES - 1)
    units = np.subtract(book.ask_px[0][rows], book.bid_px[0][rows], dtype=np.int64)
    spread = np.clip(-(-units // TICK_UNITS), 1, SPREADS) - 1
    state: Ints64 = spread * IMBALANCES + bucket
    return state


def _symmetric(count: Ints64) -> Ints64:
    """Add each transition's mirror image: bid and ask, up and down exchanged."""
    spread, bucket = np.divmod(np.arange(_STATES), IMBALANCES)
    mirror = spread * IMBALANCES + IMBALANCES - 1 - bucket
    total: Ints64 = count + count[np.ix_(mirror, np.arange(_MOVES)[::-1], mirror)]
    return total


def _solve(count: Floats) -> tuple[Floats, Bools]:
    """Return (states,) adjustments in ticks, and which states were left at least once."""
    left = count.sum(axis=(1, 2))
    chance = count / np.where(left > 0, left, 1)[:, None, None]
    still = chance[:, _MOST_HALF_TICKS]
    moved = chance.sum(axis=1) - still
    steps = (np.arange(_MOVES) - _MOST_HALF_TICKS) / 2
    # A state that only ever leads to others without a move is solved too: pinv, not inv.
    ahead = np.linalg.pinv(np.eye(_STATES) - still)
    adjustment = first = ahead @ (chance.sum(axis=2) @ steps)
    then = ahead @ moved
    for _ in range(_ITERATIONS):
        first = then @ first
        adjustment = adjustment + first
    return adjustment, left > 0
