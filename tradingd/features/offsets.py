"""How far the last value is from the mean of its window, without the level of the values.

A price less its average is the difference of two nearly equal numbers; computed from changes
within the window it keeps its digits. Prices are whole ticks, so an offset is a tick divided by the
length at the least, or nothing; what is left of nothing when prices are restated by a split's
factor (1e-16 of the price) is taken for nothing.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tradingd.features.series import Floats

NOTHING: Final = 1e-12
"""Share of a price below which an offset from it, or a spread, is rounding."""

_CHUNK: Final = 8192
_CELLS: Final = 1 << 15
"""Items held at once by `spread_about_mean` (256 KB)."""


def away_from_mean(values: Floats, length: int) -> Floats:
    """Return each price less the mean of the `length` prices that end with it."""
    away = np.full(len(values), np.nan)
    step = max(_CHUNK, 4 * length)
    for start in range(0, len(values) - length + 1, step):
        stop = min(start + step + length - 1, len(values))
        away[start + length - 1 : stop] = _sums(values[start:stop], length) / -length
    away[np.abs(away) <= NOTHING * values] = 0.0
    return away


def _sums(values: Floats, length: int) -> Floats:
    """Sum, over all windows, the items' differences from the last; joined from halves."""
    # Element i of `windows` is of the window that starts at i.
    windows, size = 0.0 * values, 1
    joined: Floats | None = None
    held = 0
    while True:
        if length & size:
            # The held part is newer in no window: it comes first.
            joined = windows if joined is None else _join(values, joined, held, windows, size)
            held += size
            if held == length:
                return joined
        windows = _join(values, windows, size, windows, size)
        size *= 2


def _join(values: Floats, older: Floats, first: int, newer: Floats, second: int) -> Floats:
    """Join windows of `first` items with those of `second` items that follow them."""
    count = len(values) - first - second + 1
    # Differences from the last of the older part become differences from the last of all.
    moved = values[first - 1 : first - 1 + count] - values[first + second - 1 :]
    moved *= first
    moved += older[:count]
    moved += newer[first : first + count]
    return moved


def spread_about_mean(values: Floats, away: Floats, length: int) -> Floats:
    """Return the mean absolute deviation from each window's mean, `away` being its offset."""
    spread = np.full(len(values), np.nan)
    rows = max(_CELLS // length, 1)
    windows = sliding_window_view(values, length).T if len(values) >= length else None
    if windows is None:
        return spread
    for start in range(0, windows.shape[1], rows):
        part = windows[:, start : start + rows]
        where = slice(length - 1 + start, length - 1 + start + part.shape[1])
        offsets = part - values[where]
        offsets += away[where]
        np.abs(offsets, out=offsets)
        spread[where] = offsets.sum(axis=0) / length
    return spread
