"""Average true range."""

from math import nan


def true_range(high: float, low: float, previous_close: float) -> float:
    """Return the range of a bar, the gap from the close before it included."""
    return max(high, previous_close) - min(low, previous_close)


class Atr:
    """Wilder's average true range, in price units.

    The first value is the simple mean of the first `period` true ranges, which need a previous
    close, so it comes with bar ``period + 1``; later ones are smoothed by 1 / period. Equal to
    TA-Lib's. On minute bars the gap over night counts as a true range, as it does for Wilder.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), section III.

    Parameters
    ----------
    period : int
        Number of true ranges averaged.
    """

    def __init__(self, period: int) -> None:
        self.value = nan
        self.ready = False
        self._period = period
        self._close = nan
        self._ranges = -1
        self._mean = 0.0

    def update(self, high: float, low: float, close: float) -> None:
        """Take the next bar."""
        previous, self._close = self._close, close
        self._ranges += 1
        if self._ranges == 0:
            return
        weight = 1.0 / min(self._ranges, self._period)
        self._mean += weight * (true_range(high, low, previous) - self._mean)
        if self._ranges >= self._period:
            self.value = self._mean
            self.ready = True

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`."""
        self._close *= factor
        self._mean *= factor
        self.value *= factor
