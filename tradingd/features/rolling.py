"""Trailing windows over whole arrays: sums, moments, extremes, slopes and ranks.

Every function returns an array as long as its input: value `i` is that of the `length` items that
end at `i`, nan until there are so many and nan where one of them is nan. No running total is
carried along: windows are merged from halves (a window of 20 from 16 and 4, those from 8 and 8,
...), so that every partial result lies inside its window. Rounding stays that of one window however
long the array, a nan or a huge value is gone once it has left, and equal items give a deviation of
exactly zero. The cost is one pass per doubling, about 2 log2(length).

Source of the merged moments: T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a
pairwise algorithm for computing sample variances, Stanford STAN-CS-79-773 (1979), formulas 2.1.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from tradingd.features.series import Floats

_CHUNK: Final = 16_384
"""Windows computed at a time: few calls, and their arrays (128 KB) stay in a core's own cache."""


def shift(values: Floats, bars: int) -> Floats:
    """Return the value of `bars` items before; nan where there is none."""
    late = np.full(len(values), np.nan)
    late[bars:] = values[: max(len(values) - bars, 0)]
    return late


def divide(above: Floats, below: Floats) -> Floats:
    """Return the quotient, nan where `below` is exactly zero."""
    quotient = np.full(np.broadcast_shapes(np.shape(above), np.shape(below)), np.nan)
    np.divide(above, below, out=quotient, where=np.asarray(below) != 0.0)
    return quotient


def rolling_sum(values: Floats, length: int) -> Floats:
    """Return the sum of the last `length` values."""
    return _chunked(lambda part: _merge(part, length, np.add), values, length)


def rolling_sum_of_rows(table: Floats, length: int) -> Floats:
    """Return the sums of `length` (at most all) rows below each other, by their first row."""
    return _merge(table, length, np.add)


def rolling_mean(values: Floats, length: int) -> Floats:
    """Return the mean of the last `length` values."""
    return rolling_sum(values, length) / length


def rolling_max(values: Floats, length: int) -> Floats:
    """Return the largest of the last `length` values."""
    return _chunked(lambda part: _widest(part, length, np.maximum), values, length)


def rolling_min(values: Floats, length: int) -> Floats:
    """Return the smallest of the last `length` values."""
    return _chunked(lambda part: _widest(part, length, np.minimum), values, length)


def rolling_squares(values: Floats, length: int) -> Floats:
    """Return the sum of squared deviations from the window's own mean; 0.0 where it is flat."""
    return rolling_products(values, values, length)


def rolling_variance(values: Floats, length: int, *, sample: bool = True) -> Floats:
    """Return the variance of the last `length` values.

    Parameters
    ----------
    values : array
    length : int
        Items in a window, 2 at the least for a sample's.
    sample : bool
        Divide by length - 1 instead of length.
    """
    return rolling_squares(values, length) / (length - 1 if sample else length)


def rolling_products(first: Floats, second: Floats, length: int) -> Floats:
    """Return the sum of products of both arrays' deviations from their window means."""
    if first is second:
        return _chunked(lambda part: _products(part, part, length), first, length)
    both = np.stack((first, second))
    return _chunked(lambda part: _products(part[0], part[1], length), both, length)


def rolling_covariance(
    first: Floats, second: Floats, length: int, *, sample: bool = True
) -> Floats:
    """Return the covariance of both arrays over the last `length` items."""
    return rolling_products(first, second, length) / (length - 1 if sample else length)


def rolling_correlation(first: Floats, second: Floats, length: int) -> Floats:
    """Return Pearson's correlation, -1 to 1; nan where one of the windows is flat."""
    both = np.stack((first, second))
    # A dozen arrays are held at once here: fewer windows keep them in the cache.
    return _chunked(lambda part: _correlations(part[0], part[1], length), both, length, _CHUNK // 4)


def rolling_slope(values: Floats, length: int) -> Floats:
    """Return the least-squares slope of the last `length` (at least 2) values, a unit per item."""
    products = _chunked(lambda part: _products(None, part, length), values, length)
    return products * (12.0 / (length * (length**2 - 1.0)))


def rolling_rank(values: Floats, length: int) -> Floats:
    """Return the share, 0 to 1, of the other values in the window that the last exceeds.

    Equal ones count half. The cost is len(values) * length comparisons.
    """
    return _chunked(lambda part: _ranks(part, length), values, length)


def _ranks(values: Floats, length: int) -> Floats:
    last = values[length - 1 :]
    # Twice the number of smaller ones and once that of equal ones.
    score = np.zeros(len(last), dtype=np.int32)
    for start in range(length - 1):
        other = values[start : start + len(last)]
        score += other < last
        score += other <= last
    ranks = score / (2.0 * (length - 1))
    ranks[np.isnan(_merge(values, length, np.add))] = np.nan
    return ranks


def _chunked(
    compute: Callable[[Floats], Floats], values: Floats, length: int, chunk: int = _CHUNK
) -> Floats:
    """Put windows, which `compute` counts by their first item, where their last item is."""
    items = values.shape[-1]
    placed = np.full(items, np.nan)
    step = max(chunk, 4 * length)
    for start in range(0, items - length + 1, step):
        stop = min(start + step + length - 1, items)
        placed[start + length - 1 : stop] = compute(values[..., start:stop])
    return placed


def _merge(values: Floats, length: int, join: np.ufunc) -> Floats:
    """Join every window of `length` items; element `i` is of the window that starts at `i`."""
    joined: Floats | None = None
    held, size, windows = 0, 1, values
    while True:
        if length & size:
            joined = (
                windows if joined is None else join(joined[: len(windows) - held], windows[held:])
            )
            held += size
        if held == length:
            assert joined is not None
            return joined
        windows = join(windows[:-size], windows[size:])
        size *= 2


def _widest(values: Floats, length: int, join: np.ufunc) -> Floats:
    """Join overlapping halves: an extreme does not mind what it sees twice."""
    size, windows = 1, values
    while size * 2 <= length:
        windows = join(windows[:-size], windows[size:])
        size *= 2
    rest = length - size
    return np.asarray(join(windows[: len(windows) - rest], windows[rest:]))


class _Moments:
    """Means and sums of products of all windows of `size` items, counted by their first item.

    `first` is None for the steps 0, 1, 2, ...: neighbours' means then differ by a constant.
    `products` is None for windows of one item, which have none.
    """

    __slots__ = ("first", "products", "second", "size")

    def __init__(
        self, size: int, first: Floats | None, second: Floats, products: Floats | None
    ) -> None:
        self.size = size
        self.first = first
        self.second = second
        self.products = products

    def join(self, newer: "_Moments") -> "_Moments":
        """Merge with the windows of `newer` that begin where these end."""
        size = self.size + newer.size
        count = len(newer.second) - self.size
        weight = newer.size / size
        gap = newer.second[self.size :] - self.second[:count]
        second = gap * weight
        second += self.second[:count]
        first: Floats | None = None
        if self.first is None or newer.first is None:
            spread = gap * (0.5 * size)
        elif self.first is self.second:
            spread = gap * gap
            first = second
        else:
            spread = newer.first[self.size :] - self.first[:count]
            first = spread * weight
            first += self.first[:count]
            spread *= gap
        spread *= self.size * weight
        if self.products is not None:
            spread += self.products[:count]
        if newer.products is not None:
            spread += newer.products[self.size :]
        return _Moments(size, first, second, spread)


def _products(first: Floats | None, second: Floats, length: int) -> Floats:
    """Return the sums of products of all windows, counted by their first item."""
    windows = _Moments(1, first, second, None)
    joined: _Moments | None = None
    while True:
        if length & windows.size:
            joined = windows if joined is None else joined.join(windows)
            if joined.size == length:
                break
        windows = windows.join(windows)
    if joined.products is not None:
        return joined.products
    return 0.0 * second if first is None else 0.0 * first * second


class _Pairs:
    """As `_Moments` for two arrays with all their products: gaps between means are taken once."""

    __slots__ = ("first", "products", "second", "size")

    def __init__(
        self, size: int, first: Floats, second: Floats, products: tuple[Floats, Floats, Floats]
    ) -> None:
        self.size = size
        self.first = first
        self.second = second
        self.products = products

    def join(self, newer: "_Pairs") -> "_Pairs":
        """Merge with the windows of `newer` that begin where these end."""
        size = self.size + newer.size
        count = len(newer.first) - self.size
        weight = newer.size / size
        gap = newer.first[self.size :] - self.first[:count]
        other = newer.second[self.size :] - self.second[:count]
        first, second, across = gap * weight, other * weight, gap * other
        first += self.first[:count]
        second += self.second[:count]
        gap *= gap
        other *= other
        spreads = gap, other, across
        for spread, old, new in zip(spreads, self.products, newer.products, strict=True):
            spread *= self.size * weight
            spread += old[:count]
            spread += new[self.size :]
        return _Pairs(size, first, second, spreads)


def _correlations(first: Floats, second: Floats, length: int) -> Floats:
    """Return the correlations of all windows, counted by their first item."""
    nothing = np.zeros(len(first))
    windows = _Pairs(1, first, second, (nothing, nothing, nothing))
    joined: _Pairs | None = None
    while True:
        if length & windows.size:
            joined = windows if joined is None else joined.join(windows)
            if joined.size == length:
                break
        windows = windows.join(windows)
    own, other, across = joined.products
    size = np.sqrt(own)
    size *= np.sqrt(other)
    found = divide(across, size)
    return np.clip(found, -1.0, 1.0, out=found)
