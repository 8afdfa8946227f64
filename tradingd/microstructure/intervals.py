"""A day of seconds, cut into the equal intervals that regressions use as observations.

Interval k of horizon h is (t - h, t] with t a multiple of h in Unix time. It counts when the mid
is known at both ends, the source reaches its end, and no record was lost within. If the source has
such intervals within regular hours (09:30-16:00 New York), only those count.
"""

from typing import Final

import msgspec
import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.level2.book import Ints64
from tradingd.microstructure.halfhours import CLOSE, OPEN, HalfHours
from tradingd.microstructure.mids import Mids
from tradingd.microstructure.regression import LEAST
from tradingd.microstructure.seconds import carried, spread_out
from tradingd.microstructure.states import Bools, Floats

TICK_UNITS: Final = 100
"""Stored price units in a tick of one cent."""

LONGEST_DAYS: Final = 7


class Intervals(msgspec.Struct, frozen=True, kw_only=True):
    """All intervals of one horizon, the unusable ones included.

    Attributes
    ----------
    end : (n,) int64
        Unix seconds.
    seconds : int
        The horizon.
    use : (n,) bool
        Whether it counts.
    half_hour : (n,) int64
        Of its beginning.
    change : (n,) float64
        Change of the mid, ticks of one cent.
    regular : bool
        Whether only regular hours count.
    gaps : int
        Intervals left out because records were lost within.
    """

    end: Ints64
    seconds: int
    use: Bools
    half_hour: Ints64
    change: Floats
    regular: bool
    gaps: int

    def sums(self, seconds: Ints64, values: Ints64) -> Ints64:
        """Return (n, c): per-second values added up over each interval."""
        if not len(self.end):
            return np.zeros((0, values.shape[1]), np.int64)
        grid = np.arange(self.end[0] - self.seconds + 1, self.end[-1] + 1, dtype=np.int64)
        dense = spread_out(grid, seconds, values)
        total: Ints64 = dense.reshape(len(self.end), self.seconds, -1).sum(axis=1)
        return total


def intervals(
    horizon: int, mids: Mids, hours: HalfHours, *, gaps: tuple[Ints64, Ints64]
) -> Intervals:
    """Cut the source into intervals of `horizon` seconds; `gaps`: seconds, records lost in each."""
    seconds, levels = mids.seconds()
    first = -(-int(seconds[0]) // horizon) + 1 if len(seconds) else 1
    last = mids.last_ts // NANOSECONDS // horizon if len(seconds) else 0
    if (last - first) * horizon > LONGEST_DAYS * 86_400:
        last = first - 1
    end = np.arange(first, last + 1, dtype=np.int64) * horizon
    marks, _ = carried(np.append(end[:1] - horizon, end), seconds, levels[:, None])
    half_hour = hours.of((end - horizon) * NANOSECONDS)
    empty = Intervals(
        end=end,
        seconds=horizon,
        use=np.ones(len(end), np.bool_),
        half_hour=half_hour,
        change=np.diff(marks[:, 0]) / (2 * TICK_UNITS),
        regular=False,
        gaps=0,
    )
    lost = empty.sums(gaps[0], gaps[1][:, None])[:, 0] > 0
    within = (half_hour >= OPEN) & (half_hour < CLOSE)
    regular = bool((within & ~lost).sum() >= LEAST)
    counted = within if regular else empty.use
    return msgspec.structs.replace(
        empty, use=counted & ~lost, regular=regular, gaps=int((counted & lost).sum())
    )
