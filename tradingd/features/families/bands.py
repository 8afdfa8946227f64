"""Distance from averages and extremes in units of the price's own spread."""

from math import nan, sqrt
from typing import Annotated, override

import numpy as np
from msgspec import Meta

from tradingd.features.families.lengths import WilderParams, Window
from tradingd.features.families.momentum import highest, lowest
from tradingd.features.families.trend import sma
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.offsets import NOTHING, away_from_mean
from tradingd.features.rolling import divide, rolling_variance
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.smoothing import LiveWilder, average_range, wilder_memory
from tradingd.features.windows import LiveExtreme, LiveMoments


class BandParams(FeatureParams, frozen=True, kw_only=True):
    """Length and width."""

    bars: Annotated[int, Meta(ge=2, le=10_000, description="Length in bars.")] = 20
    width: Annotated[
        float,
        Meta(gt=0, le=100, description="Standard deviations from the average to each band."),
    ] = 2.0


def _deviation(series: Series, bars: int) -> Floats:
    """Return the population standard deviation of the close, exactly 0 in a flat window."""
    return shared(
        series,
        ("deviation", bars),
        lambda: np.sqrt(rolling_variance(series.close, bars, sample=False)),
    )


def _away(series: Series, bars: int) -> Floats:
    """Return the close less its average."""
    return shared(series, ("away", bars), lambda: away_from_mean(series.close, bars))


class BollingerPosition(Feature):
    """Where the close lies between the bands: -1 at the lower, 0 in the middle, 1 at the upper."""

    Params = BandParams
    kind = "bollinger_position"
    summary = "(close - SMA) / (upper band - SMA)"
    source = "J. Bollinger, Bollinger on Bollinger Bands (2001), 2 * %b - 1; TA-Lib BBANDS"
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        bars = self.params.bars
        away: Floats = divide(_away(series, bars), _deviation(series, bars))
        return away / float(self.params.width)

    @override
    def live(self) -> Live:
        return _LiveBollingerPosition(self.params)


class _LiveMoments:
    __slots__ = ("_bars", "_moments", "_width")

    def __init__(self, params: BandParams) -> None:
        self._bars = params.bars
        self._width = params.width
        self._moments = LiveMoments(params.bars)

    def rescale(self, factor: float) -> None:
        self._moments.rescale(factor)


class _LiveBollingerPosition(_LiveMoments):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        moments = self._moments
        moments.update(bar.close)
        if not moments.squares > 0.0:
            return nan
        deviation = sqrt(moments.squares / self._bars)
        away = moments.away if abs(moments.away) > NOTHING * bar.close else 0.0
        return away / (self._width * deviation)


class BollingerWidth(BollingerPosition):
    """Distance between the bands over the average."""

    kind = "bollinger_width"
    summary = "(upper band - lower band) / SMA(close, bars)"
    source = "J. Bollinger (2001), BandWidth; TA-Lib BBANDS"

    @override
    def batch(self, series: Series) -> Floats:
        bars = self.params.bars
        return 2.0 * float(self.params.width) * _deviation(series, bars) / sma(series, bars)

    @override
    def live(self) -> Live:
        return _LiveBollingerWidth(self.params)


class _LiveBollingerWidth(_LiveMoments):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        moments = self._moments
        moments.update(bar.close)
        squares = max(moments.squares, 0.0) if moments.squares == moments.squares else nan
        return 2.0 * self._width * sqrt(squares / self._bars) / moments.mean


class Zscore(Feature):
    """Distance of the close from its average in sample standard deviations."""

    Params = Window
    kind = "zscore"
    summary = "(close - mean) / sample standard deviation, both of the last `bars` closes"
    source = "pandas rolling mean and std"
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        bars = self.params.bars
        away: Floats = divide(_away(series, bars), _deviation(series, bars))
        return away * sqrt((bars - 1.0) / bars)

    @override
    def live(self) -> Live:
        return _LiveZscore(BandParams(bars=self.params.bars))


class _LiveZscore(_LiveMoments):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        moments = self._moments
        moments.update(bar.close)
        if not moments.squares > 0.0:
            return nan
        if abs(moments.away) <= NOTHING * bar.close:
            return 0.0
        return moments.away / sqrt(moments.squares / (self._bars - 1))


class Natr(Feature):
    """Average true range in percent of the close."""

    Params = WilderParams
    kind = "natr"
    summary = "100 * ATR / close"
    source = "J. W. Wilder (1978); J. Forman, Stocks & Commodities 24 (2006); TA-Lib NATR"
    inputs = ("high", "low", "close")
    parted = True

    @property
    @override
    def memory(self) -> int:
        return wilder_memory(self.params.bars) + 1

    @override
    def batch(self, series: Series) -> Floats:
        return 100.0 * average_range(series, self.params.bars) / series.close

    @override
    def live(self) -> Live:
        return _LiveNatr(self.params.bars)


class _LiveRange:
    """True range: of the bar, or from the close before where that lies outside."""

    __slots__ = ("_close",)

    def __init__(self) -> None:
        self._close = nan

    def next_range(self, bar: LiveBar) -> float:
        """Return the true range of the next bar, nan for the first."""
        close = self._close
        self._close = bar.close
        if close != close:
            return nan
        return (bar.high if bar.high > close else close) - (bar.low if bar.low < close else close)


class _LiveNatr(_LiveRange):
    __slots__ = ("_average",)

    def __init__(self, bars: int) -> None:
        super().__init__()
        self._average = LiveWilder(bars)

    def update(self, bar: LiveBar) -> float:
        spread = self.next_range(bar)
        return 100.0 * self._average.update(spread) / bar.close if spread == spread else nan

    def rescale(self, factor: float) -> None:
        self._close *= factor
        self._average.rescale(factor)


class AtrPair(FeatureParams, frozen=True, kw_only=True):
    """A short and a long smoothing length."""

    fast: Annotated[int, Meta(ge=2, le=1_000, description="Short length in bars.")] = 5
    slow: Annotated[int, Meta(ge=3, le=1_000, description="Long length in bars.")] = 20

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast {self.fast} is not below slow {self.slow}")


class AtrRatio(Feature):
    """Short average true range over the long one: above 1 while ranges widen."""

    Params = AtrPair
    kind = "atr_ratio"
    summary = "ATR(fast) / ATR(slow)"
    source = "J. W. Wilder (1978); TA-Lib ATR"
    inputs = ("high", "low", "close")
    parted = True

    @property
    @override
    def memory(self) -> int:
        return wilder_memory(self.params.slow) + 1

    @override
    def batch(self, series: Series) -> Floats:
        return divide(
            average_range(series, self.params.fast), average_range(series, self.params.slow)
        )

    @override
    def live(self) -> Live:
        return _LiveAtrRatio(self.params)


class _LiveAtrRatio(_LiveRange):
    __slots__ = ("_fast", "_slow")

    def __init__(self, params: AtrPair) -> None:
        super().__init__()
        self._fast = LiveWilder(params.fast)
        self._slow = LiveWilder(params.slow)

    def update(self, bar: LiveBar) -> float:
        spread = self.next_range(bar)
        if spread != spread:
            return nan
        fast, slow = self._fast.update(spread), self._slow.update(spread)
        return fast / slow if slow != 0.0 else nan

    def rescale(self, factor: float) -> None:
        self._close *= factor
        self._fast.rescale(factor)
        self._slow.rescale(factor)


class FromHigh(Feature):
    """Close over the highest high, less one: 0 or below."""

    Params = Window
    kind = "distance_from_high"
    summary = "close / highest high of `bars` bars - 1"
    source = "T. George, C. Hwang, Journal of Finance 59 (2004): nearness to the 52-week high"
    inputs = ("high", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        return series.close / highest(series, self.params.bars) - 1.0

    @override
    def live(self) -> Live:
        return _LiveFromHigh(self.params.bars)


class _LiveFromHigh:
    __slots__ = ("_highest",)

    def __init__(self, bars: int) -> None:
        self._highest = LiveExtreme(bars)

    def update(self, bar: LiveBar) -> float:
        return bar.close / self._highest.update(bar.high) - 1.0

    def rescale(self, factor: float) -> None:
        self._highest.rescale(factor)


class FromLow(Feature):
    """Close over the lowest low, less one: 0 or above."""

    Params = Window
    kind = "distance_from_low"
    summary = "close / lowest low of `bars` bars - 1"
    source = "as distance_from_high"
    inputs = ("low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        return series.close / lowest(series, self.params.bars) - 1.0

    @override
    def live(self) -> Live:
        return _LiveFromLow(self.params.bars)


class _LiveFromLow:
    __slots__ = ("_lowest",)

    def __init__(self, bars: int) -> None:
        self._lowest = LiveExtreme(bars, -1.0)

    def update(self, bar: LiveBar) -> float:
        return bar.close / self._lowest.update(bar.low) - 1.0

    def rescale(self, factor: float) -> None:
        self._lowest.rescale(factor)
