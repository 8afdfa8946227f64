"""Volatility of one bar, estimated from the last ones: closes, ranges, and how it changes.

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

from math import log, nan, pi, sqrt
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import divide, rolling_mean, rolling_sum, rolling_variance, shift
from tradingd.features.series import PRICES, Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.windows import LiveMoments, LiveSum

_PARKINSON: Final = 1.0 / (4.0 * log(2.0))
_GARMAN_KLASS: Final = 2.0 * log(2.0) - 1.0
_YANG_ZHANG: Final = 1.34
"""Alpha of formula 19: what the variance of a sum of squares is for prices without drift."""


class Window(FeatureParams, frozen=True, kw_only=True):
    """How many bars."""

    bars: Annotated[int, Meta(ge=2, le=10_000, description="Bars in the window.")] = 20


class TwoWindows(FeatureParams, frozen=True, kw_only=True):
    """A short window against a long one."""

    fast: Annotated[int, Meta(ge=2, le=10_000, description="Bars in the short window.")] = 10
    slow: Annotated[int, Meta(ge=3, le=10_000, description="Bars in the long window.")] = 60

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be less than slow ({self.slow})")


class Inner(FeatureParams, frozen=True, kw_only=True):
    """A window of values that have a window each."""

    inner: Annotated[int, Meta(ge=2, le=10_000, description="Bars of each volatility.")] = 20
    bars: Annotated[int, Meta(ge=2, le=10_000, description="Volatilities in the window.")] = 60


def _log_returns(series: Series) -> Floats:
    def compute() -> Floats:
        returns: Floats = np.log(series.close / shift(series.close, 1))
        return returns

    return shared(series, ("log returns",), compute)


class _LiveReturns:
    """Base of what remembers only the last close and numbers without a unit."""

    __slots__ = ("_close",)

    def __init__(self) -> None:
        self._close = nan

    def step(self, bar: LiveBar) -> float:
        """Return the log return of the bar."""
        change = log(bar.close / self._close)
        self._close = bar.close
        return change

    def rescale(self, factor: float) -> None:
        """Restate the last close."""
        self._close *= factor


class Realised(Feature):
    """Standard deviation of close-to-close log returns."""

    Params = Window
    kind = "realised"
    summary = "sample standard deviation of the last `bars` log returns"
    source = "close-to-close estimator; Yang & Zhang (2000), formula 1"
    windowed = True

    @property
    def memory(self) -> int:
        """Closes that the returns are made of."""
        return int(self.params.bars)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return realised(series, self.params.bars)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveRealised(self.params.bars)


def realised(series: Series, bars: int) -> Floats:
    """Return the standard deviation of log returns; nobody may write into it."""
    return shared(series, ("realised", bars), lambda: _deviation(_log_returns(series), bars))


def _deviation(values: Floats, bars: int) -> Floats:
    deviation: Floats = np.sqrt(rolling_variance(values, bars))
    return deviation


def _root(square: float) -> float:
    """Return the root of what is not negative but for rounding; nan stays."""
    return 0.0 if square < 0.0 else sqrt(square)


class _LiveRealised(_LiveReturns):
    __slots__ = ("_degrees", "_moments")

    def __init__(self, bars: int) -> None:
        super().__init__()
        self._moments = LiveMoments(bars)
        self._degrees = bars - 1

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        self._moments.update(self.step(bar))
        return _root(self._moments.squares / self._degrees)


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


class _LiveYangZhang(_LiveReturns):
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
        return _root(moved + (1.0 - weight) * mean)


class VolatilityRatio(Feature):
    """Volatility of the last bars against that of more of them."""

    Params = TwoWindows
    kind = "volatility_ratio"
    summary = "realised volatility of `fast` bars / of `slow` bars"
    source = "ratio of two close-to-close estimators"
    windowed = True

    @property
    def memory(self) -> int:
        """Closes of the long window."""
        return int(self.params.slow)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return divide(realised(series, self.params.fast), realised(series, self.params.slow))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveRatio(self.params.fast, self.params.slow)


class _LiveRatio(_LiveReturns):
    __slots__ = ("_degrees", "_fast", "_slow")

    def __init__(self, fast: int, slow: int) -> None:
        super().__init__()
        self._fast = LiveMoments(fast)
        self._slow = LiveMoments(slow)
        self._degrees = (slow - 1) / (fast - 1)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        change = self.step(bar)
        self._fast.update(change)
        self._slow.update(change)
        below = self._slow.squares
        return _root(self._fast.squares / below * self._degrees) if below > 0.0 else nan


class VolatilityOfVolatility(Feature):
    """How much the realised volatility itself varies, against its mean."""

    Params = Inner
    kind = "volatility_of_volatility"
    summary = "standard deviation / mean of the last `bars` realised volatilities"
    source = "coefficient of variation of the close-to-close estimator"
    windowed = True

    @property
    def memory(self) -> int:
        """Closes of the oldest volatility in the window."""
        return int(self.params.inner + self.params.bars - 1)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        each = realised(series, self.params.inner)
        return divide(_deviation(each, self.params.bars), rolling_mean(each, self.params.bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveVolatilityOfVolatility(self.params.inner, self.params.bars)


class _LiveVolatilityOfVolatility(_LiveReturns):
    __slots__ = ("_degrees", "_each", "_inner")

    def __init__(self, inner: int, bars: int) -> None:
        super().__init__()
        self._inner = LiveMoments(inner)
        self._each = LiveMoments(bars)
        self._degrees = (inner - 1, bars - 1)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        inner, each = self._inner, self._each
        inner.update(self.step(bar))
        each.update(_root(inner.squares / self._degrees[0]))
        return _root(each.squares / self._degrees[1]) / each.mean if each.mean > 0.0 else nan


class Downside(Feature):
    """Root mean square of the falls."""

    Params = Window
    kind = "downside"
    summary = "root of the mean of min(log return, 0)^2 over `bars` returns"
    source = "F. A. Sortino, R. van der Meer, Downside Risk, Journal of Portfolio Management (1991)"
    windowed = True

    @property
    def memory(self) -> int:
        """Closes that the returns are made of."""
        return int(self.params.bars)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        falls = np.minimum(_log_returns(series), 0.0)
        root: Floats = np.sqrt(rolling_mean(falls * falls, self.params.bars))
        return root

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveDownside(self.params.bars)


class _LiveDownside(_LiveReturns):
    __slots__ = ("_bars", "_sum")

    def __init__(self, bars: int) -> None:
        super().__init__()
        self._bars = bars
        self._sum = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        change = self.step(bar)
        fall = 0.0 if change > 0.0 else change
        return sqrt(self._sum.update(fall * fall) / self._bars)


class JumpShare(Feature):
    """Share of the variance that came in jumps instead of many small moves."""

    Params = Window
    kind = "jump_share"
    summary = "1 - bipower variation / realised variance of `bars` log returns, 0 at the least"
    source = (
        "Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2, formulas 4, 7"
    )
    windowed = True

    @property
    def memory(self) -> int:
        """Closes that the returns are made of."""
        return int(self.params.bars)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        bars = self.params.bars
        size = np.abs(_log_returns(series))
        pairs = rolling_sum(size * shift(size, 1), bars - 1) * _pair_scale(bars)
        return np.maximum(1.0 - divide(pairs, rolling_sum(size * size, bars)), 0.0)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveJumpShare(self.params.bars)


def _pair_scale(bars: int) -> float:
    return 0.5 * pi * bars / (bars - 1.0)


class _LiveJumpShare(_LiveReturns):
    __slots__ = ("_pairs", "_scale", "_size", "_squares")

    def __init__(self, bars: int) -> None:
        super().__init__()
        self._pairs = LiveSum(bars - 1)
        self._squares = LiveSum(bars)
        self._scale = _pair_scale(bars)
        self._size = nan

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        size = abs(self.step(bar))
        pairs = self._pairs.update(size * self._size) * self._scale
        self._size = size
        squares = self._squares.update(size * size)
        if not squares > 0.0:
            return nan
        share = 1.0 - pairs / squares
        return 0.0 if share < 0.0 else share
