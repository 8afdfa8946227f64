"""Which rows must not be learned from, since their labels look at what is predicted.

Source: M. Lopez de Prado, Advances in Financial Machine Learning (2018), 7.4.1 (purging) and 7.4.2
(embargo). A row knows (ts, end]: what happens after its close, up to the close that ends its label.
"""

import math

import numpy as np
from numpy.typing import NDArray

from tradingd.learning.dataset import Dataset, Integers


def overlapping(dataset: Dataset, rows: Integers, others: Integers) -> NDArray[np.bool_]:
    """Return which of `rows` have a (ts, end] that overlaps that of any of `others`.

    Of whatever symbol: what moves one share in an hour moves others. O((n + m) log m).
    """
    if not len(others) or not len(rows):
        return np.zeros(len(rows), dtype=np.bool_)
    starts, ends = _merged(dataset.ts[others], dataset.end[others])
    # The last stretch that begins before the row's label ends is the only one that can reach it.
    stretch = np.searchsorted(starts, dataset.end[rows], side="left") - 1
    return (stretch >= 0) & (ends[np.maximum(stretch, 0)] > dataset.ts[rows])


def embargoed(
    dataset: Dataset, rows: Integers, tested: Integers, percent: float
) -> NDArray[np.bool_]:
    """Return which of `rows` follow too soon on a stretch of test rows.

    An embargo of p percent is p percent of all moments of the data set, rounded up, counted from
    the first moment at or after the end of the stretch's last label.
    """
    if not len(tested):
        return np.zeros(len(rows), dtype=np.bool_)
    moments = np.unique(dataset.ts)
    count = embargo_moments(len(moments), percent)
    first = int(np.searchsorted(moments, dataset.end[tested].max(), side="left"))
    if not count or first >= len(moments):
        return np.zeros(len(rows), dtype=np.bool_)
    last = min(first + count, len(moments)) - 1
    when = dataset.ts[rows]
    inside: NDArray[np.bool_] = (when >= moments[first]) & (when <= moments[last])
    return inside


def embargo_moments(moments: int, percent: float) -> int:
    """Return how many moments an embargo lasts: a share of all, rounded up."""
    return math.ceil(moments * percent / 100 - 1e-9)


def _merged(starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
    """Return the union of intervals as stretches that do not touch, in time order."""
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    opens = np.concatenate(([True], starts[1:] >= reach[:-1]))
    closes = np.concatenate((opens[1:], [True]))
    return starts[opens], reach[closes]
