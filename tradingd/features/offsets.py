"""How far the last value is from the mean of its window, without the level of the values.

A price less its average is the difference of two nearly equal numbers; computed from changes
within the window it keeps its digits. Prices are whole ticks, so an offset is a tick divided by the
length at the least, or nothing; what is left of nothing when prices are restated by a split's
factor (1e-16 of the price) is taken for nothing.
"""

from typing import Final

import numpy as np

from tradingd.features.series import Floats

NOTHING: Final = 1e-12
"""Share of a price below which an offset from it, or a spread, is rounding."""

_CHUNK: Final = 16_384
"""Windows computed at a time."""


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
    held = np.empty(min(_CHUNK, len(values)))
    for start in range(length - 1, len(values), _CHUNK):
        stop = min(start + _CHUNK, len(values))
        last, mean, total = values[start:stop], away[start:stop], spread[start:stop]
        offset = held[: stop - start]
        # Item by item of the window, all windows at once, in arrays that stay in the cache.
        np.abs(mean, out=total)
        for back in range(1, length):
            np.subtract(values[start - back : stop - back], last, out=offset)
            offset += mean
            np.abs(offset, out=offset)
            total += offset
    spread /= length
    return spread
