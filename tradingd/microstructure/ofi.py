"""Order-flow imbalance: what was added and taken at each level of a book.

Best level: Cont, Kukanov & Stoikov (2014), "The Price Impact of Order Book Events", Journal of
Financial Econometrics 12(1). For neighbours n-1, n with bid P, q and ask P', q'::

    e_n = 1{P_n >= P_n-1} q_n  - 1{P_n <= P_n-1} q_n-1
        - 1{P'_n <= P'_n-1} q'_n + 1{P'_n >= P'_n-1} q'_n-1

Level m alike with the prices and sizes of level m: Xu, Gould & Howison (2018), "Multi-Level
Order-Flow Imbalance in a Limit Order Book". OFI of an interval is the sum of its e_n, in shares;
positive: pressure upwards.

A level that does not exist counts as a price worse than any other with size 0, so a level that
appears adds its size and one that vanishes takes it away. A pair over a gap is left out and
counted.
"""

import msgspec
import numpy as np

from tradingd.level2.book import BookChunk, Ints32, Ints64, TradeChunk
from tradingd.level2.columns import Quality
from tradingd.microstructure.seconds import SecondTable, runs, second_of
from tradingd.microstructure.states import Carry, top


class FlowResult(msgspec.Struct, frozen=True, kw_only=True):
    """Order-flow imbalance of all states.

    Attributes
    ----------
    pairs : int
        Neighbours compared, without those over gaps.
    gap_pairs : int
        Left out because records were lost between the two.
    total : tuple of int
        Sum over the source by level from the best, shares.
    """

    pairs: int
    gap_pairs: int
    total: tuple[int, ...]


class OrderFlow:
    """Sum e_n by second and level.

    What a level adds over an interval telescopes except where its price moved, so only the moves
    are looked at one by one: most levels of most states did not move.
    """

    def __init__(self, levels: int) -> None:
        self.levels = levels
        self._carry = Carry()
        # Per second: one column a level, then pairs, then pairs left out.
        self._table = SecondTable(levels + 2)

    def feed(self, book: BookChunk, trades: TradeChunk) -> None:
        """Take the next states; trades are not looked at."""
        del trades
        for older, newer in self._carry.pairs(top(book, self.levels)):
            self._add(older, newer)

    def seconds(self) -> tuple[Ints64, Ints64, Ints64]:
        """Return (r,) seconds, (r, levels) shares, and (r,) pairs left out."""
        seconds, values = self._table.table()
        return seconds, values[:, : self.levels], values[:, self.levels + 1]

    def result(self) -> FlowResult:
        """Return what there is so far."""
        _, values = self._table.table()
        sums = [int(value) for value in values.sum(axis=0)]
        return FlowResult(
            pairs=sums[self.levels], gap_pairs=sums[self.levels + 1], total=tuple(sums[:-2])
        )

    def _add(self, older: BookChunk, newer: BookChunk) -> None:
        seconds = second_of(newer.ts)
        starts, ends = runs(seconds)
        gaps = np.flatnonzero(newer.quality & int(Quality.GAP))
        values = np.zeros((len(starts), self.levels + 2), np.int64)
        for level in range(self.levels):
            bids = (
                older.bid_px[level],
                newer.bid_px[level],
                older.bid_sz[level],
                newer.bid_sz[level],
            )
            asks = (
                older.ask_px[level],
                newer.ask_px[level],
                older.ask_sz[level],
                newer.ask_sz[level],
            )
            # An ask that rises is worse, as a bid that falls: mirrored prices make it a bid.
            values[:, level] = _sums(*bids, starts, ends) - _sums(*asks, starts, ends, mirror=True)
            if len(gaps):
                lost = flow(*(side[gaps] for side in bids)) - flow(
                    *(side[gaps] for side in asks), mirror=True
                )
                np.subtract.at(values[:, level], np.searchsorted(starts, gaps, "right") - 1, lost)
        skipped = np.bincount(
            np.searchsorted(starts, gaps, side="right") - 1, minlength=len(starts)
        )
        values[:, self.levels] = ends - starts - skipped
        values[:, self.levels + 1] = skipped
        self._table.add(seconds[starts], values)


def flow(
    price0: Ints32, price1: Ints32, size0: Ints32, size1: Ints32, *, mirror: bool = False
) -> Ints64:
    """Return (n,) what one side of one level gained per pair, shares; `mirror` for asks."""
    better = price1 < price0 if mirror else price1 > price0
    worse = price1 > price0 if mirror else price1 < price0
    gained = np.where(worse, 0, size1).astype(np.int64)
    gained -= np.where(better, 0, size0)
    return gained


def _sums(
    price0: Ints32,
    price1: Ints32,
    size0: Ints32,
    size1: Ints32,
    starts: Ints64,
    ends: Ints64,
    *,
    mirror: bool = False,
) -> Ints64:
    """Return (runs,) sums of `flow` over row ranges.

    The sum of ``size1 - size0`` over a range is its last size less its first. Where the price
    became better the old size was not lost, where it became worse the new one was not gained.
    """
    total: Ints64 = np.subtract(size1[ends - 1], size0[starts], dtype=np.int64)
    moved = np.flatnonzero(price1 != price0)
    if len(moved):
        up = price1[moved] > price0[moved]
        better = ~up if mirror else up
        extra = np.where(better, size0[moved], -size1[moved])
        run = np.searchsorted(starts, moved, side="right") - 1
        # Sums below 2**53 are exact in the doubles that bincount adds.
        total += np.bincount(run, weights=extra, minlength=len(starts)).astype(np.int64)
    return total
