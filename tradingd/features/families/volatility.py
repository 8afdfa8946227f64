"""How much closes move: deviations per bar, their ratios, falls and jumps.

Times the root of the bars in a year they are annual. Where prices stand still a volatility is
exactly 0 and a ratio to it is nan.
"""

from math import log, nan, pi, sqrt
from typing import Annotated

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import divide, rolling_mean, rolling_sum, rolling_variance, shift
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.windows import LiveMoments, LiveSum


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


def log_returns(series: Series) -> Floats:
    """Return the log return to each close, nan for the first."""

    def compute() -> Floats:
        returns: Floats = np.log(series.close / shift(series.close, 1))
        return returns

    return shared(series, ("log returns",), compute)


class LiveReturns:
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
    return shared(series, ("realised", bars), lambda: deviation(log_returns(series), bars))


def deviation(values: Floats, bars: int) -> Floats:
    """Return the sample deviation over a window."""
    found: Floats = np.sqrt(rolling_variance(values, bars))
    return found


def root(square: float) -> float:
    """Return the root of what is not negative but for rounding; nan stays."""
    return 0.0 if square < 0.0 else sqrt(square)


class _LiveRealised(LiveReturns):
    __slots__ = ("_degrees", "_moments")

    def __init__(self, bars: int) -> None:
        super().__init__()
        self._moments = LiveMoments(bars)
        self._degrees = bars - 1

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        self._moments.update(self.step(bar))
        return root(self._moments.squares / self._degrees)


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


class _LiveRatio(LiveReturns):
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
        return root(self._fast.squares / below * self._degrees) if below > 0.0 else nan


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
        return divide(deviation(each, self.params.bars), rolling_mean(each, self.params.bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveVolatilityOfVolatility(self.params.inner, self.params.bars)


class _LiveVolatilityOfVolatility(LiveReturns):
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
        each.update(root(inner.squares / self._degrees[0]))
        return root(each.squares / self._degrees[1]) / each.mean if each.mean > 0.0 else nan


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
        falls = np.minimum(log_returns(series), 0.0)
        root: Floats = np.sqrt(rolling_mean(falls * falls, self.params.bars))
        return root

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveDownside(self.params.bars)


class _LiveDownside(LiveReturns):
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
        size = np.abs(log_returns(series))
        pairs = rolling_sum(size * shift(size, 1), bars - 1) * _pair_scale(bars)
        return np.maximum(1.0 - divide(pairs, rolling_sum(size * size, bars)), 0.0)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveJumpShare(self.params.bars)


def _pair_scale(bars: int) -> float:
    return 0.5 * pi * bars / (bars - 1.0)


class _LiveJumpShare(LiveReturns):
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
