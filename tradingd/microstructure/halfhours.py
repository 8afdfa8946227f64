"""Half hours of the New York day."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.level2.book import Ints64
from tradingd.session.calendar import local_midnight_ns

HALF_HOUR_NS: Final = 1_800 * NANOSECONDS
COUNT: Final = 48
OPEN: Final = 19
"""First half hour of the regular session, 09:30."""
CLOSE: Final = 32
"""First half hour after it, 16:00."""


class HalfHours:
    """Half hours counted from New York's midnight of one day; later days fold onto it.

    Days on which the clocks change are Sundays, without a session: they are not treated apart.
    """

    def __init__(self, day: dt.date) -> None:
        self.midnight_ns = local_midnight_ns(day)

    def of(self, ts: Ints64) -> Ints64:
        """Return (n,) which half hour of the day, 0-47, each UTC ns time lies in: [start, end)."""
        index: Ints64 = (ts - self.midnight_ns) // HALF_HOUR_NS % COUNT
        return index

    def parts(self, ts: Ints64) -> Iterator[tuple[int, slice]]:
        """Yield (half hour, rows) of sorted times."""
        if not len(ts):
            return
        first = int((ts[0] - self.midnight_ns) // HALF_HOUR_NS)
        last = int((ts[-1] - self.midnight_ns) // HALF_HOUR_NS)
        edges = self.midnight_ns + np.arange(first + 1, last + 1, dtype=np.int64) * HALF_HOUR_NS
        cuts = [0, *map(int, np.searchsorted(ts, edges, side="left")), len(ts)]
        for number, (start, stop) in enumerate(pairwise(cuts), start=first):
            if stop > start:
                yield number % COUNT, slice(start, stop)


def label(half_hour: int) -> str:
    """Return its start as New York clock time, ``09:30``."""
    return f"{half_hour // 2:02d}:{half_hour % 2 * 30:02d}"
