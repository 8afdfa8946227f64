"""Relative strength index."""

from math import nan
from typing import Final

NEUTRAL: Final = 50.0
"""Value of a market that did not move at all."""


class Rsi:
    """Wilder's relative strength index, 0 to 100.

    The first averages are the simple means of the first `period` changes, later ones are smoothed
    by 1 / period; so the first value comes with bar ``period + 1``. Equal to TA-Lib's, except that
    a market without any movement reads 50 here and 0 there: no movement is not "oversold".

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), section VI.

    Parameters
    ----------
    period : int
        Number of changes averaged.
    """

    def __init__(self, period: int) -> None:
        self.value = nan
        self.ready = False
        self._period = period
        self._previous = nan
        self._changes = -1
        self._gain = 0.0
        self._loss = 0.0

    def update(self, price: float) -> None:
        """Take the next price."""
        change = price - self._previous
        self._previous = price
        self._changes += 1
        if self._changes == 0:
            return
        weight = 1.0 / min(self._changes, self._period)
        self._gain += weight * (max(change, 0.0) - self._gain)
        self._loss += weight * (max(-change, 0.0) - self._loss)
        if self._changes >= self._period:
            moved = self._gain + self._loss
            self.value = 100.0 * self._gain / moved if moved > 0.0 else NEUTRAL
            self.ready = True

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`; the index itself has no unit."""
        self._previous *= factor
        self._gain *= factor
        self._loss *= factor
