"""Returns, gaps and price ratios over horizons of bars."""

from collections import deque
from math import log, nan
from typing import Annotated

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import shift
from tradingd.features.series import Floats, LiveBar, Series


class Horizon(FeatureParams, frozen=True, kw_only=True):
    """How far back."""

    bars: Annotated[int, Meta(ge=1, le=10_000, description="Bars back.")] = 1


class Return(Feature):
    """Close over the close of `bars` bars before, less one."""

    Params = Horizon
    kind = "return"
    summary = "close / close `bars` bars ago - 1"
    source = "R. S. Tsay, Analysis of Financial Time Series (2010), formula 1.1"

    @property
    def memory(self) -> int:
        """Bars it looks back."""
        return int(self.params.bars)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return series.close / shift(series.close, self.params.bars) - 1.0

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveReturn(self.params.bars)


class _Past:
    """The last closes, oldest first."""

    __slots__ = ("closes",)

    def __init__(self, size: int) -> None:
        self.closes: deque[float] = deque([nan] * size, maxlen=size)

    def rescale(self, factor: float) -> None:
        """Multiply every close by `factor`."""
        self.closes = deque([one * factor for one in self.closes], maxlen=self.closes.maxlen)


class _LiveReturn(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        closes, close = self.closes, bar.close
        before = closes[0]
        closes.append(close)
        return close / before - 1.0


class LogReturn(Return):
    """Logarithm of the close over that of `bars` bars before."""

    kind = "log_return"
    summary = "log(close / close `bars` bars ago)"
    source = "R. S. Tsay, Analysis of Financial Time Series (2010), formula 1.4"

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        values: Floats = np.log(series.close / shift(series.close, self.params.bars))
        return values

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveLogReturn(self.params.bars)


class _LiveLogReturn(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        closes, close = self.closes, bar.close
        before = closes[0]
        closes.append(close)
        return log(close / before)


class Gap(Feature):
    """Open over the close of the bar before, less one."""

    kind = "gap"
    summary = "open / previous close - 1"
    source = "overnight return on daily bars: Tsay (2010), section 1.1"
    inputs = ("open", "close")

    @property
    def memory(self) -> int:
        """Bars it looks back."""
        return 1

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return series.open / shift(series.close, 1) - 1.0

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveGap(1)


class _LiveGap(_Past):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        before = self.closes[0]
        self.closes.append(bar.close)
        return bar.open / before - 1.0
