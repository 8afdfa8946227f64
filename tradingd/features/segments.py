"""Bars of one symbol arranged by session: running sums and extremes that start at every open."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import Resolution
from tradingd.features.feature import Context
from tradingd.features.series import Floats, Integers, Series


def bars_a_session(context: Context) -> int:
    """Return how many bars the longest session of the calendar can have."""
    step = Resolution(context.bars).nanoseconds
    longest = max(one.close_ns - one.open_ns for one in context.calendar.sessions)
    return max(1, -(-longest // step))


class Segments:
    """Regular bars by session; bars outside of sessions belong nowhere.

    Parameters
    ----------
    series : Series

    Attributes
    ----------
    rows : array of int
        Which bars are regular; every other array has its length.
    line, column : array of int
        Number of the bar's session among those that have bars, and of the bar in its session.
    first : array of int
        Place in `rows` of the first bar of each bar's session.
    opens : array of int, shape (sessions,)
        Place in `rows` of the first bar of every session.
    """

    def __init__(self, series: Series) -> None:
        self._bars = len(series)
        self.rows: Integers = np.flatnonzero(series.session >= 0)
        session = series.session[self.rows]
        starts = np.ones(len(session), dtype=np.bool_)
        starts[1:] = session[1:] != session[:-1]
        self.opens: Integers = np.flatnonzero(starts)
        self.line: Integers = np.cumsum(starts) - 1
        self.first: Integers = self.opens[self.line]
        self.column: Integers = np.arange(len(session)) - self.first

    def take(self, values: Floats) -> Floats:
        """Return the regular bars' values."""
        return values[self.rows]

    def put(self, values: Floats) -> Floats:
        """Return values of all bars from those of the regular ones, nan elsewhere."""
        placed = np.full(self._bars, np.nan)
        placed[self.rows] = values
        return placed

    def running_sum(self, values: Floats) -> Floats:
        """Return the sum since the session's first bar, the present one included."""
        return self._run(values, 0.0, np.add.accumulate)

    def running_max(self, values: Floats) -> Floats:
        """Return the largest since the session's first bar."""
        return self._run(values, -np.inf, np.maximum.accumulate)

    def running_min(self, values: Floats) -> Floats:
        """Return the smallest since the session's first bar."""
        return self._run(values, np.inf, np.minimum.accumulate)

    def _run(self, values: Floats, empty: float, accumulate: Callable[..., Floats]) -> Floats:
        if not len(values):
            return values
        width = int(self.column.max()) + 1
        cells = self.line * width + self.column
        table: NDArray[np.float64] = np.full(len(self.opens) * width, empty)
        table[cells] = values
        run: Floats = accumulate(table.reshape(-1, width), axis=1).ravel()[cells]
        return run
