"""Rolling mean, standard deviation and z-score."""

from math import nan, sqrt
from typing import Final

COLLAPSED: Final = 1e-4
"""A running sum below this share of its peak has lost digits and is computed afresh."""


class ZScore:
    """Distance of the last price from its rolling mean, in sample standard deviations.

    The standard deviation has ``period - 1`` in the denominator, as pandas' rolling ``std()``.
    Mean and spread are updated by Welford's method, as offsets from a price inside the window, and
    computed afresh once per turn of the window and whenever the spread collapses: neither the level
    of the prices, nor the length of the series, nor a calm after a storm costs digits. A
    window without any movement reads 0.

    Source: B. P. Welford, Note on a Method for Calculating Corrected Sums of Squares and Products,
    Technometrics 4 (1962).

    Parameters
    ----------
    period : int
        Window in bars, 2 at the least.

    Attributes
    ----------
    mean, deviation : float
        Of the window, the last price included; nan until `ready`.
    """

    def __init__(self, period: int) -> None:
        self.value = nan
        self.ready = False
        self.mean = nan
        self.deviation = nan
        self._period = period
        self._window: list[float] = []
        self._next = 0
        self._same = 0
        self._last = nan
        self._base = 0.0
        self._mean = 0.0
        self._squares = 0.0
        self._peak = 0.0

    def update(self, price: float) -> None:
        """Take the next price."""
        self._same = self._same + 1 if price == self._last else 1
        self._last = price
        if len(self._window) < self._period:
            self._window.append(price)
            self.ready = len(self._window) == self._period
            if self.ready:
                self._compute_afresh()
                self._publish(price)
            return
        self._replace(price)
        self._publish(price)

    def _replace(self, price: float) -> None:
        gone = self._window[self._next]
        self._window[self._next] = price
        self._next = (self._next + 1) % self._period
        if self._next == 0:
            self._compute_afresh()
            return
        before = self._mean
        self._mean += (price - gone) / self._period
        self._squares += (price - gone) * (
            (price - self._base - self._mean) + (gone - self._base - before)
        )
        self._peak = max(self._peak, self._squares)
        if self._squares < COLLAPSED * self._peak:
            self._compute_afresh()

    def _compute_afresh(self) -> None:
        self._base = self._window[0]
        offsets = [one - self._base for one in self._window]
        self._mean = sum(offsets) / self._period
        self._squares = sum((one - self._mean) ** 2 for one in offsets)
        self._peak = self._squares

    def _publish(self, price: float) -> None:
        # A flat window is told by counting: rounding would leave a spread of its own.
        flat = self._same >= self._period
        offset = 0.0 if flat else price - self._base - self._mean
        self.mean = price if flat else self._base + self._mean
        self.deviation = 0.0 if flat else sqrt(max(self._squares, 0.0) / (self._period - 1))
        self.value = offset / self.deviation if self.deviation > 0.0 else 0.0

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`; the score itself has no unit."""
        self._window = [one * factor for one in self._window]
        self._last *= factor
        self._base *= factor
        self._mean *= factor
        self._squares *= factor * factor
        self._peak *= factor * factor
        self.mean *= factor
        self.deviation *= factor
