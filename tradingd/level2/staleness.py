"""Since when each side of a book is the same; the vectorised twin of `quality`."""

import numpy as np
from numpy.typing import NDArray

from tradingd.level2.book import Ints32, Ints64
from tradingd.level2.columns import Quality


class Staleness:
    """Carries over chunks of rows what it knows of the last one.

    Parameters
    ----------
    stale_ns : int
        As for `quality.QualityWatch`; 0: nothing is ever stale.
    """

    def __init__(self, stale_ns: int) -> None:
        self._stale_ns = stale_ns
        self._last: Ints32 | None = None
        self._since = [0, 0]

    def bits(self, ts: Ints64, states: Ints32, starts: Ints64) -> NDArray[np.int16]:
        """Return the stale bits of the next rows.

        Parameters
        ----------
        ts : (n,) int64
            Times of the rows, UTC ns, not decreasing.
        states : (6 * levels, k) int32
            The different books, in their order.
        starts : (k,) int64
            Row from which each of them holds.
        """
        bits = np.zeros(len(ts), np.int16)
        if not self._stale_ns or not len(ts):
            return bits
        bids_old, asks_old = (self._old(side, ts, states, starts) for side in (0, 1))
        self._last = states[:, -1].copy()
        bits[bids_old & ~asks_old] = Quality.STALE_BID
        bits[asks_old & ~bids_old] = Quality.STALE_ASK
        return bits

    def _old(self, side: int, ts: Ints64, states: Ints32, starts: Ints64) -> NDArray[np.bool_]:
        """Tell where one side was the same for the whole time; the sides' rows alternate."""
        own = states[side::2]
        new = np.ones(own.shape[1], bool)
        new[1:] = (own[:, 1:] != own[:, :-1]).any(axis=0)
        if self._last is not None:
            new[0] = bool((own[:, 0] != self._last[side::2]).any())
        changed = np.full(len(ts), self._since[side], np.int64)
        changed[starts[new]] = ts[starts[new]]
        since = np.maximum.accumulate(changed)
        self._since[side] = int(since[-1])
        old: NDArray[np.bool_] = ts - since >= self._stale_ns
        return old
