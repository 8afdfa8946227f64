"""Volume: how much of it, when, and on which side of the market.

Shares count in the units after the last split, so a ratio of volumes has no unit; dollar volume
(shares times price) never has one that a split changes. Where nothing was traded over the whole
window there is no value.

Sources
-------
Amihud (2002), "Illiquidity and Stock Returns", Journal of Financial Markets 5. Karpoff (1987), "The
Relation Between Price Changes and Trading Volume", JFQA 22. Marc Chaikin's money flow: StockCharts
ChartSchool, "Chaikin Money Flow".
"""

from math import log, nan, sqrt
from typing import ClassVar, Final

import numpy as np

from tradingd.features.families.volatility import TwoWindows, Window
from tradingd.features.feature import Feature, Live
from tradingd.features.rolling import (
    divide,
    rolling_correlation,
    rolling_mean,
    rolling_rank,
    rolling_sum,
    rolling_variance,
    shift,
)
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.windows import LiveCovariance, LiveMoments, LiveRank, LiveSum

_MILLION: Final = 1e6


class _WindowFeature(Feature):
    """Base of kinds over the last `bars` volumes."""

    Params = Window
    inputs: ClassVar[tuple[str, ...]] = ("volume",)
    windowed = True

    @property
    def memory(self) -> int:
        """Bars in the window."""
        return int(self.params.bars)


class VolumeRatio(_WindowFeature):
    """Volume against its mean."""

    kind = "volume_ratio"
    summary = "volume / mean of the last `bars` volumes"
    source = "relative volume; StockCharts ChartSchool, Relative Volume"

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return divide(series.volume, rolling_mean(series.volume, self.params.bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveVolumeRatio(self.params.bars)


class _LiveVolumeRatio:
    __slots__ = ("_bars", "_sum")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._sum = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        total = self._sum.update(bar.volume)
        return bar.volume / (total / self._bars) if total != 0.0 else nan

    def rescale(self, factor: float) -> None:
        """Restate the volumes."""
        self._sum.rescale(factor, volume=True)


class VolumeZscore(_WindowFeature):
    """Volume's distance from its mean in standard deviations."""

    kind = "volume_zscore"
    summary = "(volume - mean) / sample standard deviation of the last `bars` volumes"
    source = "standard score"

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        bars, volume = self.params.bars, series.volume
        spread = np.sqrt(rolling_variance(volume, bars))
        return divide(volume - rolling_mean(volume, bars), spread)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveVolumeZscore(self.params.bars)


class _LiveVolumeZscore:
    __slots__ = ("_degrees", "_moments")

    def __init__(self, bars: int) -> None:
        self._degrees = bars - 1
        self._moments = LiveMoments(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        moments, volume = self._moments, bar.volume
        moments.update(volume)
        # Equal volumes deviate by exactly nothing, here and in the batch.
        if not moments.squares > 0.0:
            return nan
        return (volume - moments.mean) / sqrt(moments.squares / self._degrees)

    def rescale(self, factor: float) -> None:
        """Restate the volumes."""
        self._moments.rescale(factor, volume=True)


class VolumeRank(_WindowFeature):
    """Share of the window's other volumes that the last exceeds."""

    kind = "volume_rank"
    summary = "percentile of the volume among the last `bars`, 0 to 1"
    source = "percentile rank, ties count half"

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return rolling_rank(series.volume, self.params.bars)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveVolumeRank(self.params.bars)


class _LiveVolumeRank:
    __slots__ = ("_rank",)

    def __init__(self, bars: int) -> None:
        self._rank = LiveRank(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        return self._rank.update(bar.volume)

    def rescale(self, factor: float) -> None:
        """Restate the volumes."""
        self._rank.rescale(factor, volume=True)


class DollarVolumeTrend(Feature):
    """Whether more or less money than usual changes hands."""

    Params = TwoWindows
    kind = "dollar_volume_trend"
    summary = "log(mean dollar volume of `fast` bars / of `slow` bars)"
    source = "ratio of two means of close * volume"
    inputs: ClassVar[tuple[str, ...]] = ("close", "volume")
    windowed = True

    @property
    def memory(self) -> int:
        """Bars of the long window."""
        return int(self.params.slow)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        money = series.close * series.volume
        fast, slow = self.params.fast, self.params.slow
        ratio = divide(rolling_sum(money, fast), rolling_sum(money, slow)) * (slow / fast)
        ratio[ratio == 0.0] = nan
        trend: Floats = np.log(ratio)
        return trend

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveDollarVolumeTrend(self.params.fast, self.params.slow)


class _LiveDollarVolumeTrend:
    __slots__ = ("_fast", "_scale", "_slow")

    def __init__(self, fast: int, slow: int) -> None:
        self._fast = LiveSum(fast)
        self._slow = LiveSum(slow)
        self._scale = slow / fast

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        money = bar.close * bar.volume
        fast = self._fast.update(money)
        slow = self._slow.update(money)
        return log(fast / slow * self._scale) if fast > 0.0 and slow > 0.0 else nan

    def rescale(self, factor: float) -> None:
        """Dollars stay dollars."""


class Amihud(_WindowFeature):
    """How far a million dollars moves the price."""

    kind = "amihud"
    summary = "mean of |return| per million dollars over those of `bars` bars that traded"
    source = "Amihud (2002), Journal of Financial Markets 5, formula 1"
    version = 2
    inputs: ClassVar[tuple[str, ...]] = ("close", "volume")

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        close, volume, bars = series.close, series.volume, self.params.bars
        traded = volume > 0.0
        moves = np.abs(close / shift(close, 1) - 1.0)
        moves *= _MILLION
        moves /= close * volume
        moves[~traded] = 0.0
        # Nobody knows whether the first one moved, traded or not.
        moves[:1] = nan
        return divide(rolling_sum(moves, bars), rolling_sum(traded.astype(np.float64), bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveAmihud(self.params.bars)


class _LiveAmihud:
    __slots__ = ("_close", "_moves", "_traded")

    def __init__(self, bars: int) -> None:
        self._close = nan
        self._moves = LiveSum(bars)
        self._traded = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        close, volume = bar.close, bar.volume
        before, self._close = self._close, close
        move, traded = (0.0 if before == before else nan), 0.0
        if volume > 0.0:
            move = abs(close / before - 1.0) * _MILLION / (close * volume)
            traded = 1.0
        total = self._moves.update(move)
        count = self._traded.update(traded)
        return total / count if count != 0.0 else nan

    def rescale(self, factor: float) -> None:
        """Restate the last close; moves per dollar stay."""
        self._close *= factor


class VolumePriceCorrelation(_WindowFeature):
    """Whether volume comes with rises or with falls."""

    kind = "volume_price_correlation"
    summary = "correlation of return and volume over `bars` bars"
    source = "Karpoff (1987), Journal of Financial and Quantitative Analysis 22"
    inputs: ClassVar[tuple[str, ...]] = ("close", "volume")

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        returns = series.close / shift(series.close, 1) - 1.0
        return rolling_correlation(returns, series.volume, self.params.bars)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveCorrelation(self.params.bars)


class _LiveCorrelation:
    __slots__ = ("_close", "_moments")

    def __init__(self, bars: int) -> None:
        self._close = nan
        self._moments = LiveCovariance(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        change = bar.close / self._close - 1.0
        self._close = bar.close
        self._moments.update(change, bar.volume)
        return self._moments.correlation

    def rescale(self, factor: float) -> None:
        """Restate the last close and the volumes."""
        self._close *= factor
        self._moments.rescale(second=factor, volume=True)


class UpVolumeShare(_WindowFeature):
    """Share of the volume that was traded in rising bars."""

    kind = "up_volume_share"
    summary = "volume of bars that closed higher than the one before / volume, over `bars` bars"
    source = "up/down volume ratio; StockCharts ChartSchool, as a share"
    inputs: ClassVar[tuple[str, ...]] = ("close", "volume")

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        bars, volume = self.params.bars, series.volume
        before = shift(series.close, 1)
        up = np.where(np.isnan(before), nan, np.where(series.close > before, volume, 0.0))
        return divide(rolling_sum(up, bars), rolling_sum(volume, bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveUpVolume(self.params.bars)


class _LiveUpVolume:
    __slots__ = ("_close", "_total", "_up")

    def __init__(self, bars: int) -> None:
        self._close = nan
        self._up = LiveSum(bars)
        self._total = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        before, self._close = self._close, bar.close
        up = bar.volume if bar.close > before else 0.0
        above = self._up.update(up if before == before else nan)
        total = self._total.update(bar.volume)
        return above / total if total != 0.0 else nan

    def rescale(self, factor: float) -> None:
        """Restate the last close and the volumes."""
        self._close *= factor
        self._up.rescale(factor, volume=True)
        self._total.rescale(factor, volume=True)


class ChaikinMoneyFlow(_WindowFeature):
    """Where in their ranges bars close, weighted by volume."""

    kind = "chaikin_money_flow"
    summary = "sum of volume * ((c - l) - (h - c)) / (h - l) over `bars` bars / their volume"
    source = "StockCharts ChartSchool, Chaikin Money Flow"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close", "volume")

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        high, low, close, bars = series.high, series.low, series.close, self.params.bars
        extent = high - low
        place = np.where(extent == 0.0, 0.0, divide((close - low) - (high - close), extent))
        flow = rolling_sum(place * series.volume, bars)
        return divide(flow, rolling_sum(series.volume, bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveChaikin(self.params.bars)


class _LiveChaikin:
    __slots__ = ("_flow", "_total")

    def __init__(self, bars: int) -> None:
        self._flow = LiveSum(bars)
        self._total = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        high, low, close, volume = bar.high, bar.low, bar.close, bar.volume
        extent = high - low
        place = ((close - low) - (high - close)) / extent if extent != 0.0 else 0.0
        flow = self._flow.update(place * volume)
        total = self._total.update(volume)
        return flow / total if total != 0.0 else nan

    def rescale(self, factor: float) -> None:
        """Restate the volumes."""
        self._flow.rescale(factor, volume=True)
        self._total.rescale(factor, volume=True)
