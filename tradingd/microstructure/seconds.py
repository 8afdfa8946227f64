"""Sums and last values per second: what a day is reduced to before anything is fitted.

Second s holds what happened in the interval (s - 1, s] of Unix time, so that a snapshot taken on
the grid closes the interval it ends. Sums are integers: chunks may be cut anywhere and the result
is the same to the last digit.
"""

from typing import Literal

import numpy as np

from tradingd.domain.market import NANOSECONDS
from tradingd.level2.book import Ints64
from tradingd.microstructure.states import Bools


def second_of(ts: Ints64) -> Ints64:
    """Return the second each UTC ns time falls into: its end, in Unix seconds."""
    return (ts + (NANOSECONDS - 1)) // NANOSECONDS


def runs(seconds: Ints64) -> tuple[Ints64, Ints64]:
    """Return (starts, ends): row ranges [start, end) of equal values in a sorted array."""
    borders = np.flatnonzero(seconds[1:] != seconds[:-1]) + 1
    starts = np.concatenate(([0], borders)).astype(np.int64)
    ends = np.append(borders, len(seconds)).astype(np.int64)
    return (starts, ends) if len(seconds) else (starts[:0], ends[:0])


class SecondTable:
    """Integer columns per second, only of seconds in which something happened.

    Parameters
    ----------
    columns : int
        Values a second.
    keep : {"sum", "last"}
        What becomes of two entries of one second.
    """

    def __init__(self, columns: int, keep: Literal["sum", "last"] = "sum") -> None:
        self._columns = columns
        self._keep = keep
        self._seconds: list[Ints64] = []
        self._values: list[Ints64] = []

    def add(self, seconds: Ints64, values: Ints64) -> None:
        """Take (r,) increasing seconds and their (r, columns) values, later than all before.

        The first may be the second that was last.
        """
        if not len(seconds):
            return
        if self._seconds and self._seconds[-1][-1] == seconds[0]:
            tail = self._values[-1]
            tail[-1] = values[0] if self._keep == "last" else tail[-1] + values[0]
            seconds, values = seconds[1:], values[1:]
        if len(seconds):
            self._seconds.append(seconds)
            self._values.append(values)

    def table(self) -> tuple[Ints64, Ints64]:
        """Return (r,) seconds and (r, columns) values."""
        if not self._seconds:
            return np.empty(0, np.int64), np.empty((0, self._columns), np.int64)
        return np.concatenate(self._seconds), np.concatenate(self._values)


def spread_out(grid: Ints64, seconds: Ints64, values: Ints64) -> Ints64:
    """Return (g, c): values on a gapless grid of seconds, 0 where nothing happened."""
    dense = np.zeros((len(grid), values.shape[1]), np.int64)
    if len(grid):
        inside = (seconds >= grid[0]) & (seconds <= grid[-1])
        dense[seconds[inside] - grid[0]] = values[inside]
    return dense


def carried(grid: Ints64, seconds: Ints64, values: Ints64) -> tuple[Ints64, Bools]:
    """Return (g, c) last values at or before each second of the grid, and (g,) where known."""
    index = np.searchsorted(seconds, grid, side="right") - 1
    known = index >= 0
    if not len(seconds):
        return np.zeros((len(grid), values.shape[1]), np.int64), known
    return values[np.maximum(index, 0)], known
