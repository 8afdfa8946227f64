"""Average directional index with its two directional indicators."""

from math import nan

from tradingd.indicators.atr import true_range


class Adx:
    """Wilder's average directional index: how strong a trend is, 0 to 100, whatever its direction.

    Sums of true range and directional movement start with ``period - 1`` bars and are smoothed by
    1 / period from then on; `plus_di` and `minus_di` exist from bar ``period + 1``, the index is
    the mean of the first `period` DX and exists from bar ``2 * period``. A bar on which no
    direction moved leaves the index where it was. Equal to TA-Lib's ADX, PLUS_DI and MINUS_DI.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978), section IV.

    Parameters
    ----------
    period : int
        Smoothing length, 2 at the least.

    Attributes
    ----------
    plus_di, minus_di : float
        Upward and downward movement as a percentage of the true range; nan before they exist.
    """

    def __init__(self, period: int) -> None:
        self.value = nan
        self.ready = False
        self.plus_di = nan
        self.minus_di = nan
        self._period = period
        self._bars = 0
        self._high = nan
        self._low = nan
        self._close = nan
        self._range = 0.0
        self._up = 0.0
        self._down = 0.0
        self._index = 0.0

    def update(self, high: float, low: float, close: float) -> None:
        """Take the next bar."""
        if self._bars:
            self._smooth(high, low)
        self._high, self._low, self._close = high, low, close
        self._bars += 1
        if self._bars > self._period:
            self._direct()

    def _smooth(self, high: float, low: float) -> None:
        up, down = high - self._high, self._low - low
        # The first period - 1 bars add up; from then on a sum loses one period-th of itself a bar.
        keep = 1.0 if self._bars < self._period else 1.0 - 1.0 / self._period
        self._up = self._up * keep + (up if up > down and up > 0.0 else 0.0)
        self._down = self._down * keep + (down if down > up and down > 0.0 else 0.0)
        self._range = self._range * keep + true_range(high, low, self._close)

    def _direct(self) -> None:
        if self._range > 0.0:
            self.plus_di = 100.0 * self._up / self._range
            self.minus_di = 100.0 * self._down / self._range
        else:
            self.plus_di = self.minus_di = 0.0
        self._average()

    def _average(self) -> None:
        seen = self._bars - self._period
        moved = self.plus_di + self.minus_di
        dx = 100.0 * abs(self.plus_di - self.minus_di) / moved if moved > 0.0 else None
        if seen <= self._period:
            self._index += (dx or 0.0) / self._period
        elif dx is not None:
            self._index += (dx - self._index) / self._period
        if seen >= self._period:
            self.value = self._index
            self.ready = True

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`; the indices themselves have no unit."""
        self._high *= factor
        self._low *= factor
        self._close *= factor
        self._range *= factor
        self._up *= factor
        self._down *= factor
