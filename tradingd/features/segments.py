"""Bars of one symbol arranged by session: running sums and extremes that start at every open."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import Resolution
from tradingd.features.feature import Context
from tradingd.features.series import Floats, Integers, Series

_held: Final = threading.local()


def bars_a_session(context: Context) -> int:
    """Return how many bars the longest session of the calendar can have."""
    step = Resolution(context.bars).nanoseconds
    longest = max(one.close_ns - one.open_ns for one in context.calendar.sessions)
    return max(1, -(-longest // step))


def segments_of(series: Series) -> "Segments":
    """Return the bars by session; a thread remembers those of its last series."""
    if getattr(_held, "series", None) is not series:
        _held.segments = Segments(series)
        _held.series = series
    found: Segments = _held.segments
    return found


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
        self._whole = len(session) == self._bars
        self.opens: Integers = np.flatnonzero(starts)
        self.line: Integers = np.cumsum(starts) - 1
        self.first: Integers = self.opens[self.line]
        self.column: Integers = np.arange(len(session)) - self.first

    def take(self, values: Floats) -> Floats:
        """Return the regular bars' values; nobody may write into them."""
        return values if self._whole else values[self.rows]

    def put(self, values: Floats) -> Floats:
        """Return values of all bars from those of the regular ones, nan elsewhere."""
        if self._whole:
            return values
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
        width, cells = self._table
        table: NDArray[np.float64] = np.full(len(self.opens) * width, empty)
        table[cells] = values
        run: Floats = accumulate(table.reshape(-1, width), axis=1).ravel()[cells]
        return run

    @cached_property
    def _table(self) -> tuple[int, Integers]:
        """Width of a table of a line a session, and every bar's cell in it."""
        width = int(self.column.max()) + 1
        return width, self.line * width + self.column
