"""Returns, gaps and price ratios."""

from collections import deque
from math import log, nan
from typing import Annotated, Literal, override

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import shift
from tradingd.features.series import Floats, LiveBar, Series

Price = Literal["open", "high", "low", "close"]


class Horizon(FeatureParams, frozen=True, kw_only=True):
    """How far back."""

    bars: Annotated[int, Meta(ge=1, le=10_000, description="Bars back.")] = 1


class _Past:
    """The last prices, oldest first."""

    __slots__ = ("prices",)

    def __init__(self, size: int) -> None:
        self.prices: deque[float] = deque([nan] * size, maxlen=size)

    def rescale(self, factor: float) -> None:
        self.prices = deque([one * factor for one in self.prices], maxlen=self.prices.maxlen)


class Return(Feature):
    """Close over the close of `bars` bars before, less one."""

    Params = Horizon
    kind = "return"
    summary = "close / close of `bars` bars before - 1"
    source = "R. S. Tsay, Analysis of Financial Time Series (2010), formula 1.1"
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        return series.close / shift(series.close, self.params.bars) - 1.0

    @override
    def live(self) -> Live:
        return _LiveReturn(self.params.bars)


class _LiveReturn(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        prices, close = self.prices, bar.close
        before = prices[0]
        prices.append(close)
        return close / before - 1.0


class LogReturn(Return):
    """Logarithm of the close over that of `bars` bars before."""

    kind = "log_return"
    summary = "log(close / close of `bars` bars before)"
    source = "R. S. Tsay, Analysis of Financial Time Series (2010), formula 1.4"

    @override
    def batch(self, series: Series) -> Floats:
        values: Floats = np.log(series.close / shift(series.close, self.params.bars))
        return values

    @override
    def live(self) -> Live:
        return _LiveLogReturn(self.params.bars)


class _LiveLogReturn(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        prices, close = self.prices, bar.close
        before = prices[0]
        prices.append(close)
        return log(close / before)


class Roc(Return):
    """Rate of change in percent."""

    kind = "roc"
    summary = "100 * (close / close of `bars` bars before - 1)"
    source = "TA-Lib ROC"

    @override
    def batch(self, series: Series) -> Floats:
        return 100.0 * (series.close / shift(series.close, self.params.bars) - 1.0)

    @override
    def live(self) -> Live:
        return _LiveRoc(self.params.bars)


class _LiveRoc(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        prices, close = self.prices, bar.close
        before = prices[0]
        prices.append(close)
        return 100.0 * (close / before - 1.0)


class Gap(Feature):
    """Open over the close of the bar before, less one."""

    kind = "gap"
    summary = "open / previous close - 1"
    source = "the overnight return, on daily bars"
    inputs = ("open", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return 1

    @override
    def batch(self, series: Series) -> Floats:
        return series.open / shift(series.close, 1) - 1.0

    @override
    def live(self) -> Live:
        return _LiveGap(1)


class _LiveGap(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        before = self.prices[0]
        self.prices.append(bar.close)
        return bar.open / before - 1.0


class Prices(FeatureParams, frozen=True, kw_only=True):
    """Which two prices."""

    above: Annotated[Price, Meta(description="Price of the present bar.")] = "close"
    below: Annotated[Price, Meta(description="Price it is divided by.")] = "open"
    bars: Annotated[
        int, Meta(ge=0, le=10_000, description="How many bars before that price is taken.")
    ] = 0

    def __post_init__(self) -> None:
        if self.above == self.below and not self.bars:
            raise ValueError("above and below are the same price of the same bar")


class PriceRatio(Feature):
    """One price over another, of the same bar or an earlier one."""

    Params = Prices
    kind = "price_ratio"
    summary = "price `above` / price `below` of `bars` bars before"
    source = "definition"
    inputs = ("open", "high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        above: Floats = getattr(series, self.params.above)
        return above / shift(getattr(series, self.params.below), self.params.bars)

    @override
    def live(self) -> Live:
        return _LivePriceRatio(self.params)


class _LivePriceRatio(_Past):
    __slots__ = ("above", "below")

    def __init__(self, params: Prices) -> None:
        super().__init__(params.bars + 1)
        self.above = params.above
        self.below = params.below

    def update(self, bar: LiveBar) -> float:
        self.prices.append(getattr(bar, self.below))
        above: float = getattr(bar, self.above)
        return above / self.prices[0]


class BarRange(Feature):
    """High less low over the close."""

    kind = "bar_range"
    summary = "(high - low) / close"
    source = "definition"
    inputs = ("high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return 0

    @override
    def batch(self, series: Series) -> Floats:
        return (series.high - series.low) / series.close

    @override
    def live(self) -> Live:
        return _LiveBarRange()


class _LiveBarRange:
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        return (bar.high - bar.low) / bar.close

    def rescale(self, factor: float) -> None:
        """Nothing is remembered."""


class Skipped(FeatureParams, frozen=True, kw_only=True):
    """From when to when."""

    bars: Annotated[int, Meta(ge=2, le=10_000, description="Bars back where it begins.")] = 252
    skip: Annotated[int, Meta(ge=1, le=9_999, description="Bars back where it ends.")] = 21

    def __post_init__(self) -> None:
        if self.skip >= self.bars:
            raise ValueError(f"skip {self.skip} is not below bars {self.bars}")


class MomentumSkip(Feature):
    """Return over a long past without the newest part of it, which tends to revert."""

    Params = Skipped
    kind = "momentum_skip"
    summary = "close of `skip` bars before / close of `bars` bars before - 1"
    source = "N. Jegadeesh, S. Titman, Journal of Finance 48 (1993) 65-91"
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        return shift(series.close, self.params.skip) / shift(series.close, self.params.bars) - 1.0

    @override
    def live(self) -> Live:
        return _LiveMomentumSkip(self.params)


class _LiveMomentumSkip(_Past):
    __slots__ = ("end",)

    def __init__(self, params: Skipped) -> None:
        super().__init__(params.bars + 1)
        self.end = -1 - params.skip

    def update(self, bar: LiveBar) -> float:
        self.prices.append(bar.close)
        return self.prices[self.end] / self.prices[0] - 1.0
