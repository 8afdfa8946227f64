"""Volatility from whole bars: their range, their close, the gap before them.

Every value is a standard deviation per bar, or a ratio of two; times the root of the bars in a year
it is annual. Where prices stand still a volatility is exactly 0 and a ratio to it is nan.

Sources
-------
Parkinson (1980), "The Extreme Value Method for Estimating the Variance of the Rate of Return",
Journal of Business 53. Garman & Klass (1980), "On the Estimation of Security Price Volatilities
from Historical Data", ibid. Rogers & Satchell (1991), "Estimating Variance from High, Low and
Closing Prices", Annals of Applied Probability 1. Yang & Zhang (2000), "Drift-Independent Volatility
Estimation Based on High, Low, Open, and Close Prices", Journal of Business 73.
"""

from math import log, sqrt
from typing import ClassVar, Final

import numpy as np

from tradingd.features.families.volatility import (
    LiveReturns,
    Window,
    root,
)
from tradingd.features.feature import Feature, Live
from tradingd.features.rolling import rolling_mean, rolling_variance, shift
from tradingd.features.series import PRICES, Floats, LiveBar, Series
from tradingd.features.windows import LiveMoments, LiveSum

_PARKINSON: Final = 1.0 / (4.0 * log(2.0))
_GARMAN_KLASS: Final = 2.0 * log(2.0) - 1.0
_YANG_ZHANG: Final = 1.34
"""Alpha of formula 19: what the variance of a sum of squares is for prices without drift."""


class RangeVolatility(Feature):
    """Base of estimators that average one number a bar."""

    Params = Window
    inputs: ClassVar[tuple[str, ...]] = PRICES
    windowed = True

    @property
    def memory(self) -> int:
        """Bars in the window."""
        return int(self.params.bars)

    def terms(self, series: Series) -> Floats:
        """Return every bar's variance."""
        raise NotImplementedError(type(self).__name__)

    def term(self, bar: LiveBar) -> float:
        """Return the bar's variance."""
        raise NotImplementedError(type(self).__name__)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        # High and low of a dirty bar may not enclose its open and close; it counts as no movement.
        terms = np.maximum(self.terms(series), 0.0)
        mean: Floats = np.sqrt(rolling_mean(terms, self.params.bars))
        return mean

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveRange(self)


class _LiveRange:
    __slots__ = ("_bars", "_sum", "_term")

    def __init__(self, kind: RangeVolatility) -> None:
        self._bars = kind.params.bars
        self._term = kind.term
        self._sum = LiveSum(self._bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        term = self._term(bar)
        return sqrt(self._sum.update(0.0 if term < 0.0 else term) / self._bars)

    def rescale(self, factor: float) -> None:
        """Nothing remembered has a unit."""


class Parkinson(RangeVolatility):
    """Volatility from the range of high and low."""

    kind = "parkinson"
    summary = "root of mean log(high / low)^2 / (4 log 2)"
    source = "Parkinson (1980), Journal of Business 53"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low")

    def terms(self, series: Series) -> Floats:
        """Return every bar's variance."""
        terms: Floats = np.log(series.high / series.low) ** 2 * _PARKINSON
        return terms

    def term(self, bar: LiveBar) -> float:
        """Return the bar's variance."""
        extent = log(bar.high / bar.low)
        return extent * extent * _PARKINSON


class GarmanKlass(RangeVolatility):
    """Volatility from the range and the move from open to close."""

    kind = "garman_klass"
    summary = "root of mean 0.5 log(high / low)^2 - (2 log 2 - 1) log(close / open)^2"
    source = "Garman & Klass (1980), Journal of Business 53, formula 20"

    def terms(self, series: Series) -> Floats:
        """Return every bar's variance."""
        move = np.log(series.close / series.open) ** 2
        terms: Floats = 0.5 * np.log(series.high / series.low) ** 2 - _GARMAN_KLASS * move
        return terms

    def term(self, bar: LiveBar) -> float:
        """Return the bar's variance."""
        extent = log(bar.high / bar.low)
        move = log(bar.close / bar.open)
        return 0.5 * (extent * extent) - _GARMAN_KLASS * (move * move)


class RogersSatchell(RangeVolatility):
    """Volatility from the range, whatever the drift."""

    kind = "rogers_satchell"
    summary = "root of mean log(h/c) log(h/o) + log(l/c) log(l/o)"
    source = "Rogers & Satchell (1991), Annals of Applied Probability 1, formula 6"

    def terms(self, series: Series) -> Floats:
        """Return every bar's variance."""
        high, low = series.high, series.low
        up = np.log(high / series.close) * np.log(high / series.open)
        down = np.log(low / series.close) * np.log(low / series.open)
        terms: Floats = up + down
        return terms

    def term(self, bar: LiveBar) -> float:
        """Return the bar's variance."""
        high, low, first, last = bar.high, bar.low, bar.open, bar.close
        return log(high / last) * log(high / first) + log(low / last) * log(low / first)


class YangZhang(Feature):
    """Volatility from opening jumps, moves from open to close, and ranges."""

    Params = Window
    kind = "yang_zhang"
    summary = "root of var(open jump) + k var(open to close) + (1 - k) Rogers-Satchell variance"
    source = "Yang & Zhang (2000), Journal of Business 73, formulas 7 to 19"
    inputs: ClassVar[tuple[str, ...]] = PRICES
    windowed = True

    @property
    def memory(self) -> int:
        """Bars in the window and the close before."""
        return int(self.params.bars)

    @property
    def weight(self) -> float:
        """Weight k of the moves from open to close (formula 19)."""
        bars = self.params.bars
        return float((_YANG_ZHANG - 1.0) / (_YANG_ZHANG + (bars + 1.0) / (bars - 1.0)))

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        bars, weight = self.params.bars, self.weight
        jump = rolling_variance(np.log(series.open / shift(series.close, 1)), bars)
        move = rolling_variance(np.log(series.close / series.open), bars)
        terms = np.maximum(RogersSatchell(self.params).terms(series), 0.0)
        square = jump + weight * move + (1.0 - weight) * rolling_mean(terms, bars)
        root: Floats = np.sqrt(square)
        return root

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveYangZhang(self.params.bars, self.weight)


class _LiveYangZhang(LiveReturns):
    __slots__ = ("_bars", "_jump", "_move", "_range", "_weight")

    def __init__(self, bars: int, weight: float) -> None:
        super().__init__()
        self._bars = bars
        self._weight = weight
        self._jump = LiveMoments(bars)
        self._move = LiveMoments(bars)
        self._range = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        first, last, high, low = bar.open, bar.close, bar.high, bar.low
        self._jump.update(log(first / self._close))
        self._close = last
        self._move.update(log(last / first))
        term = log(high / last) * log(high / first) + log(low / last) * log(low / first)
        mean = self._range.update(0.0 if term < 0.0 else term) / self._bars
        weight, degrees = self._weight, self._bars - 1
        moved = self._jump.squares / degrees + weight * (self._move.squares / degrees)
        return root(moved + (1.0 - weight) * mean)
