"""Where the price stands against its averages."""

from typing import override

from tradingd.features.families.lengths import Pair, Window
from tradingd.features.feature import Feature, Live
from tradingd.features.rolling import rolling_mean
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.smoothing import (
    LiveEma,
    ema,
    ema_memory,
)
from tradingd.features.windows import LiveSum


def sma(series: Series, bars: int) -> Floats:
    """Return the plain average of the close."""
    return shared(series, ("sma", bars), lambda: rolling_mean(series.close, bars))


class SmaRatio(Feature):
    """Close over its plain average, less one."""

    Params = Window
    kind = "sma_ratio"
    summary = "close / SMA(close, bars) - 1"
    source = "TA-Lib SMA"
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        return series.close / sma(series, self.params.bars) - 1.0

    @override
    def live(self) -> Live:
        return _LiveSmaRatio(self.params.bars)


class _LiveSmaRatio:
    __slots__ = ("_bars", "_sum")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._sum = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        close = bar.close
        return close * self._bars / self._sum.update(close) - 1.0

    def rescale(self, factor: float) -> None:
        self._sum.rescale(factor)


class SmaCross(Feature):
    """Short average over the long one, less one: above zero in a rising trend."""

    Params = Pair
    kind = "sma_cross"
    summary = "SMA(close, fast) / SMA(close, slow) - 1"
    source = "TA-Lib SMA"
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.slow)

    @override
    def batch(self, series: Series) -> Floats:
        return sma(series, self.params.fast) / sma(series, self.params.slow) - 1.0

    @override
    def live(self) -> Live:
        return _LiveSmaCross(self.params)


class _LiveSmaCross:
    __slots__ = ("_fast", "_ratio", "_slow")

    def __init__(self, params: Pair) -> None:
        self._fast = LiveSum(params.fast)
        self._slow = LiveSum(params.slow)
        self._ratio = params.slow / params.fast

    def update(self, bar: LiveBar) -> float:
        close = bar.close
        return self._fast.update(close) / self._slow.update(close) * self._ratio - 1.0

    def rescale(self, factor: float) -> None:
        self._fast.rescale(factor)
        self._slow.rescale(factor)


class EmaRatio(Feature):
    """Close over its exponential average, less one."""

    Params = Window
    kind = "ema_ratio"
    summary = "close / EMA(close, bars) - 1"
    source = "TA-Lib EMA"
    parted = True

    @property
    @override
    def memory(self) -> int:
        return ema_memory(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        return series.close / ema(series, self.params.bars) - 1.0

    @override
    def live(self) -> Live:
        return _LiveEmaRatio(self.params.bars)


class _LiveEmaRatio(LiveEma):
    __slots__ = ()

    def update(self, value: LiveBar) -> float:  # type: ignore[override]
        close = value.close
        return close / super().update(close) - 1.0


class EmaCross(Feature):
    """Short exponential average over the long one, less one."""

    Params = Pair
    kind = "ema_cross"
    summary = "EMA(close, fast) / EMA(close, slow) - 1"
    source = "TA-Lib EMA"
    parted = True

    @property
    @override
    def memory(self) -> int:
        return ema_memory(self.params.slow)

    @override
    def batch(self, series: Series) -> Floats:
        return ema(series, self.params.fast) / ema(series, self.params.slow) - 1.0

    @override
    def live(self) -> Live:
        return _LiveEmaCross(self.params)


class _LiveEmaCross:
    __slots__ = ("_fast", "_slow")

    def __init__(self, params: Pair) -> None:
        self._fast = LiveEma(params.fast)
        self._slow = LiveEma(params.slow)

    def update(self, bar: LiveBar) -> float:
        close = bar.close
        return self._fast.update(close) / self._slow.update(close) - 1.0

    def rescale(self, factor: float) -> None:
        self._fast.rescale(factor)
        self._slow.rescale(factor)
