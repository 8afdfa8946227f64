"""Volume-weighted average price of a session, and how far the price has stretched from it."""

from math import nan, sqrt

from tradingd.indicators.zscore import COLLAPSED


class SessionVwap:
    """Volume-weighted mean of the typical price (high + low + close) / 3 since the session's open.

    Call `start_session` at every open. Not `ready` until the session has traded a share.

    Attributes
    ----------
    deviation : float
        Last close minus the average, in price units; nan until `ready`.
    """

    def __init__(self) -> None:
        self.value = nan
        self.ready = False
        self.deviation = nan
        self._turnover = 0.0
        self._volume = 0.0

    def start_session(self) -> None:
        """Forget the session before."""
        self.value = self.deviation = nan
        self.ready = False
        self._turnover = self._volume = 0.0

    def update(self, high: float, low: float, close: float, volume: float) -> None:
        """Take the next bar of the session."""
        self._turnover += (high + low + close) / 3.0 * volume
        self._volume += volume
        if self._volume > 0.0:
            self.value = self._turnover / self._volume
            self.deviation = close - self.value
            self.ready = True

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor` (shares by its inverse)."""
        self._volume /= factor
        self.value *= factor
        self.deviation *= factor


class VwapStretch:
    """Distance of the close from the session VWAP in units of its own recent size.

    The unit is the root mean square of the last `period` distances: zero lies at the VWAP itself,
    not at the mean distance, and no value can be beyond the square root of `period`. The average
    starts afresh every session, its distances do not, so that the first hour of a day is judged by
    the day before instead of by a handful of bars.

    Parameters
    ----------
    period : int
        Window in bars.

    Attributes
    ----------
    vwap : SessionVwap
        The average it measures from.
    """

    def __init__(self, period: int) -> None:
        self.value = nan
        self.ready = False
        self.vwap = SessionVwap()
        self._period = period
        self._squares: list[float] = []
        self._next = 0
        self._sum = 0.0
        self._peak = 0.0

    def start_session(self) -> None:
        """Start the average afresh; call it at every open."""
        self.vwap.start_session()

    def update(self, high: float, low: float, close: float, volume: float) -> None:
        """Take the next bar of the session."""
        self.vwap.update(high, low, close, volume)
        if not self.vwap.ready:
            self._publish()
            return
        self._remember(self.vwap.deviation**2)
        self._publish()

    def _remember(self, square: float) -> None:
        if len(self._squares) < self._period:
            self._squares.append(square)
            self._sum += square
            return
        self._sum += square - self._squares[self._next]
        self._squares[self._next] = square
        self._next = (self._next + 1) % self._period
        self._peak = max(self._peak, self._sum)
        # Made afresh once per turn of the window and after a collapse: rounding never accumulates.
        if self._next == 0 or self._sum < COLLAPSED * self._peak:
            self._sum = self._peak = sum(self._squares)

    def _publish(self) -> None:
        self.ready = self.vwap.ready and len(self._squares) == self._period
        if not self.ready:
            self.value = nan
            return
        deviation = self.vwap.deviation
        unit = sqrt(max(self._sum, deviation**2) / self._period)
        self.value = deviation / unit if unit > 0.0 else 0.0

    def rescale(self, factor: float) -> None:
        """Multiply every price it remembers by `factor`; the stretch itself has no unit."""
        self.vwap.rescale(factor)
        self._squares = [one * factor * factor for one in self._squares]
        self._sum *= factor * factor
        self._peak *= factor * factor
