"""Exponential moving average."""

from math import nan


class Ema:
    """Exponential moving average with weight 2 / (period + 1).

    Seeded with the first price, as pandas ``Series.ewm(span=period, adjust=False).mean()`` is, so
    the two agree on every bar. TA-Lib seeds with the simple mean of the first `period` prices;
    the seeds' difference fades by (period - 1) / (period + 1) a bar.

    Parameters
    ----------
    period : int
        Span in bars; the average is `ready` after as many.
    """

    def __init__(self, period: int) -> None:
        self.value = nan
        self.ready = False
        self._period = period
        self._weight = 2.0 / (period + 1)
        self._count = 0
        self._mean = 0.0

    def update(self, price: float) -> None:
        """Take the next price."""
        # After the warm-up only this line runs: it is the hot path of every EMA strategy.
        if self.ready:
            self.value += self._weight * (price - self.value)
        else:
            self._warm_up(price)

    def _warm_up(self, price: float) -> None:
        self._mean += (self._weight if self._count else 1.0) * (price - self._mean)
        self._count += 1
        if self._count >= self._period:
            self.ready = True
            self.value = self._mean

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`."""
        self._mean *= factor
        self.value *= factor
