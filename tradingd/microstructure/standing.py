"""How long states stood, and sums over time that look only at what changed.

A state stands until the next one. One that is not usable, one before a gap, and the last one of the
source weigh nothing. Most columns of a book repeat from state to state, so a sum of value x time is
taken over runs of equal values.
"""

import numpy as np

from tradingd.level2.book import BookChunk, Ints32, Ints64
from tradingd.level2.columns import Quality
from tradingd.microstructure.states import Floats, usable


def standing(older: BookChunk, newer: BookChunk) -> Ints64:
    """Return (n,) ns each older state stood."""
    weights: Ints64 = newer.ts - older.ts
    weights *= usable(older)
    weights *= (newer.quality & int(Quality.GAP)) == 0
    return weights


def clock(weights: Ints64) -> Ints64:
    """Return (n + 1,) ns that stood before each state, and at the end."""
    passed = np.empty(len(weights) + 1, np.int64)
    passed[0] = 0
    np.cumsum(weights, out=passed[1:])
    return passed


def over_time(values: Ints32, passed: Ints64, rows: slice) -> float:
    """Return the sum of value x ns over some rows; `passed` is the `clock` of all of them."""
    part = values[rows]
    starts = np.concatenate(([0], np.flatnonzero(part[1:] != part[:-1]) + 1))
    marks = passed[np.append(starts + rows.start, rows.stop)]
    return dot(part[starts].astype(np.float64), np.diff(marks).astype(np.float64))


def dot(left: Floats, right: Floats) -> float:
    """Return the inner product on this thread: BLAS would wake others for vectors of this size."""
    return float(np.einsum("i,i", left, right))
