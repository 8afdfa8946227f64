"""Which way volume went: money flow, on-balance volume, and the balance within bars."""

from collections import deque
from math import nan, sumprod
from typing import Annotated, override

import numpy as np
from msgspec import Meta

from tradingd.features.families.lengths import WilderParams, Window
from tradingd.features.families.momentum import typical_price
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.offsets import NOTHING
from tradingd.features.rolling import divide, rolling_mean, rolling_sum
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.windows import LiveSum


class Mfi(Feature):
    """Dollars traded at a higher typical price, as a percentage of those that moved it."""

    Params = WilderParams
    kind = "mfi"
    summary = "money flow index"
    source = "G. Quong, A. Soudack, Stocks & Commodities 7 (1989); TA-Lib MFI"
    inputs = ("high", "low", "close", "volume")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars) + 1

    @override
    def batch(self, series: Series) -> Floats:
        # Not by TA-Lib: its running sums keep the rounding of the largest volume ever seen.
        bars = self.params.bars
        typical = typical_price(series)
        flow = typical * series.volume
        change = np.full(len(typical), nan)
        np.subtract(typical[1:], typical[:-1], out=change[1:])
        nothing = NOTHING * typical
        flow[:1] = nan
        up = rolling_sum(flow * (change > nothing), bars)
        both = up + rolling_sum(flow * (change < -nothing), bars)
        return divide(100.0 * up, both)

    @override
    def live(self) -> Live:
        return _LiveMfi(self.params.bars)


class _LiveMfi:
    __slots__ = ("_down", "_prices", "_up")

    def __init__(self, bars: int) -> None:
        self._prices = (nan, nan, nan)
        self._up = LiveSum(bars)
        self._down = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        high, low, close = self._prices
        before = (high + low + close) / 3.0
        self._prices = high, low, close = bar.high, bar.low, bar.close
        typical = (high + low + close) / 3.0
        if before != before:
            return nan
        flow, change, nothing = typical * bar.volume, typical - before, NOTHING * typical
        up = self._up.update(flow if change > nothing else 0.0)
        both = up + self._down.update(flow if change < -nothing else 0.0)
        return 100.0 * up / both if both != 0.0 else nan

    def rescale(self, factor: float) -> None:
        # Dollars stay dollars through a split.
        high, low, close = self._prices
        self._prices = (high * factor, low * factor, close * factor)


class ObvSlope(Feature):
    """Least-squares slope of on-balance volume, in average volumes a bar; about -1 to 1."""

    Params = Window
    kind = "obv_slope"
    summary = "slope of OBV over `bars` bars / mean volume of these bars"
    source = "J. Granville (1963); TA-Lib OBV and LINEARREG_SLOPE"
    inputs = ("close", "volume")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        bars = self.params.bars
        values = np.full(len(series), nan)
        if len(series) < bars:
            return values
        signed = np.sign(np.diff(series.close)) * series.volume[1:]
        slope = np.correlate(signed, _slope_weights(bars), "valid")
        values[bars - 1 :] = slope
        return divide(values, rolling_mean(series.volume, bars))

    @override
    def live(self) -> Live:
        return _LiveObvSlope(self.params.bars)


def _slope_weights(bars: int) -> Floats:
    """Return what each of the last bars - 1 changes adds to the slope of their running sum.

    The slope is the sum of (i - middle) * y_i over that of (i - middle) ** 2; a change raises every
    later y, so its weight is the sum of (i - middle) from it on.
    """
    offsets = np.arange(bars) - (bars - 1) / 2.0
    later: Floats = np.cumsum(offsets[::-1])[::-1][1:]
    return later / (bars * (bars**2 - 1.0) / 12.0)


class _LiveObvSlope:
    __slots__ = ("_close", "_signed", "_volume", "_weights")

    def __init__(self, bars: int) -> None:
        self._close = nan
        self._signed: deque[float] = deque(maxlen=bars - 1)
        self._volume: deque[float] = deque(maxlen=bars)
        # In closed form: the sum of (i - middle) from i = j on is j * (bars - j) / 2.
        scale = 6.0 / (bars * (bars * bars - 1.0))
        self._weights = [scale * j * (bars - j) for j in range(1, bars)]

    def update(self, bar: LiveBar) -> float:
        close, before = bar.close, self._close
        self._close = close
        self._volume.append(bar.volume)
        if close > before:
            self._signed.append(bar.volume)
        elif close < before:
            self._signed.append(-bar.volume)
        elif close == before:
            self._signed.append(0.0)
        volume = self._volume
        if len(volume) < len(self._weights) + 1:
            return nan
        total = sum(volume)
        if total == 0.0:
            return nan
        return sumprod(self._weights, self._signed) * len(volume) / total

    def rescale(self, factor: float) -> None:
        self._close *= factor
        self._signed = deque([one / factor for one in self._signed], maxlen=self._signed.maxlen)
        self._volume = deque([one / factor for one in self._volume], maxlen=self._volume.maxlen)


class Smoothed(FeatureParams, frozen=True, kw_only=True):
    """How many bars are averaged."""

    bars: Annotated[int, Meta(ge=1, le=10_000, description="Bars averaged; 1: none.")] = 1


class BalanceOfPower(Feature):
    """Where the bar went from its open to its close, as a share of its range; -1 to 1."""

    Params = Smoothed
    kind = "balance_of_power"
    summary = "average of (close - open) / (high - low); a bar without a range counts 0"
    source = "I. Livshin, Stocks & Commodities 19 (2001); TA-Lib BOP"
    inputs = ("open", "high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        span = series.high - series.low
        values = np.zeros(len(series))
        np.divide(series.close - series.open, span, out=values, where=span > 0.0)
        return values if self.params.bars == 1 else rolling_mean(values, self.params.bars)

    @override
    def live(self) -> Live:
        return _LiveBalanceOfPower(self.params.bars)


class _LiveBalanceOfPower:
    __slots__ = ("_bars", "_sum")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._sum = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        span = bar.high - bar.low
        value = (bar.close - bar.open) / span if span > 0.0 else 0.0
        return value if self._bars == 1 else self._sum.update(value) / self._bars

    def rescale(self, factor: float) -> None:
        """Nothing remembered has a unit."""
