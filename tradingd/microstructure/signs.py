"""Who was the aggressor of a trade: told by the venue, else inferred.

Lee & Ready (1991), "Inferring Trade Direction from Intraday Data", Journal of Finance 46(2): above
the mid of the quote before the trade a buyer, below it a seller; at the mid (or without a usable
quote) by the last change of the trade price, the tick test. The quote is that just before the
trade's own effect: no delay is added, since times here are the venue's.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.level2.book import BookChunk, Ints64, TradeChunk
from tradingd.microstructure.states import Carry, twice_mid, usable

METHODS: Final = ("told", "quote", "tick", "unknown")
NO_QUOTE: Final = 0
"""Twice the mid before a trade where there was no usable state."""


class SignCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many trades were signed by which rule; `unknown` ones have no sign and are left out."""

    told: int = 0
    quote: int = 0
    tick: int = 0
    unknown: int = 0


class TradeSigns:
    """Sign trades and find the quote before them, over chunk borders."""

    def __init__(self) -> None:
        self._carry = Carry()
        self._price = 0
        self._tick = 0
        self._counts = np.zeros(len(METHODS), np.int64)

    def feed(self, book: BookChunk, trades: TradeChunk) -> tuple[NDArray[np.int8], Ints64]:
        """Return (m,) signs (0: unknown) and (m,) twice the mid before, `NO_QUOTE` if none."""
        mids = before(self._carry.last, book, trades)
        for _ in self._carry.pairs(book):
            pass
        ticks = self._ticks(trades.price)
        by_quote = np.where(mids == NO_QUOTE, 0, np.sign(2 * trades.price - mids))
        signs = np.where(by_quote != 0, by_quote, ticks)
        signs = np.where(trades.sign != 0, trades.sign, signs).astype(np.int8)
        method = np.select([trades.sign != 0, by_quote != 0, ticks != 0], [0, 1, 2], 3)
        self._counts += np.bincount(method, minlength=len(METHODS))
        return signs, mids

    def counts(self) -> SignCounts:
        """Return how the trades so far were signed."""
        return SignCounts(**dict(zip(METHODS, map(int, self._counts), strict=True)))

    def _ticks(self, prices: Ints64) -> Ints64:
        """Return the sign of the last change of price up to each trade."""
        if not len(prices):
            return prices
        steps = np.sign(np.diff(prices, prepend=self._price or prices[0]))
        latest = np.maximum.accumulate(np.where(steps != 0, np.arange(len(steps)), -1))
        ticks: Ints64 = np.where(latest >= 0, steps[latest], self._tick)
        self._price, self._tick = int(prices[-1]), int(ticks[-1])
        return ticks


def before(last: BookChunk | None, book: BookChunk, trades: TradeChunk) -> Ints64:
    """Return (m,) twice the mid of the state before each trade; `NO_QUOTE` where not usable.

    `last` is the last state of the chunk before.
    """
    mids = np.full(len(trades.ts), NO_QUOTE, np.int64)
    earlier = trades.before < 0
    if last is not None and usable(last)[0]:
        mids[earlier] = twice_mid(last)[0]
    rows = trades.before[~earlier]
    if len(rows):
        fine = usable(book)[rows]
        mids[~earlier] = np.where(fine, twice_mid(book, rows), NO_QUOTE)
    return mids
