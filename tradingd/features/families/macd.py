"""How its averages move: MACD and TRIX."""

from math import nan
from typing import Annotated, Literal, override

import numpy as np
from msgspec import Meta

from tradingd.features.families.lengths import Pair
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.parts import by_part
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.smoothing import (
    LiveEma,
    ema,
    ema_memory,
)


class MacdParams(Pair, frozen=True, kw_only=True):
    """Lengths and which of the three lines."""

    fast: Annotated[int, Meta(ge=2, le=10_000, description="Short length in bars.")] = 12
    slow: Annotated[int, Meta(ge=3, le=10_000, description="Long length in bars.")] = 26
    signal: Annotated[int, Meta(ge=2, le=10_000, description="Length of the signal line.")] = 9
    part: Annotated[
        Literal["value", "signal", "histogram"],
        Meta(description="The line, its average, or the first less the second."),
    ] = "value"


class Macd(Feature):
    """Short less long exponential average, over the close."""

    Params = MacdParams
    kind = "macd"
    summary = "MACD line, signal line or histogram / close"
    source = "G. Appel, Technical Analysis (2005); TA-Lib MACD over close"
    parted = True

    @property
    @override
    def memory(self) -> int:
        params = self.params
        return ema_memory(params.slow) + (
            0 if params.part == "value" else ema_memory(params.signal)
        )

    @override
    def batch(self, series: Series) -> Floats:
        line = self._line(series)
        if self.params.part == "value":
            return line / series.close
        signal = self._signal(series, line)
        if self.params.part == "signal":
            return signal / series.close
        return (line - signal) / series.close

    def _line(self, series: Series) -> Floats:
        return shared(
            series,
            ("macd", self.params.fast, self.params.slow),
            lambda: self._late_fast(series) - ema(series, self.params.slow),
        )

    def _late_fast(self, series: Series) -> Floats:
        """Return the short average begun so late that both have their first value together."""
        late, bars = self.params.slow - self.params.fast, self.params.fast
        return by_part(series, lambda close: _ema_from(close, late, bars), series.close)

    def _signal(self, series: Series, line: Floats) -> Floats:
        first, bars = self.params.slow - 1, self.params.signal
        return by_part(series, lambda part: _ema_from(part, first, bars), line)

    @override
    def live(self) -> Live:
        return _LiveMacd(self.params)


def _ema_from(values: Floats, first: int, bars: int) -> Floats:
    """Return the exponential average of the values from `first` on."""
    import talib

    average = np.full(len(values), nan)
    if len(values) > first:
        average[first:] = talib.EMA(values[first:], bars)
    return average


class _LiveMacd:
    __slots__ = ("_fast", "_late", "_part", "_signal", "_slow")

    def __init__(self, params: MacdParams) -> None:
        self._late = params.slow - params.fast
        self._fast = LiveEma(params.fast)
        self._slow = LiveEma(params.slow)
        self._signal = LiveEma(params.signal)
        self._part = params.part

    def update(self, bar: LiveBar) -> float:
        close = bar.close
        slow = self._slow.update(close)
        if self._late:
            self._late -= 1
            return nan
        line = self._fast.update(close) - slow
        if self._part == "value" or line != line:
            return line / close
        signal = self._signal.update(line)
        return (signal if self._part == "signal" else line - signal) / close

    def rescale(self, factor: float) -> None:
        self._fast.rescale(factor)
        self._slow.rescale(factor)
        self._signal.rescale(factor)


class TrixParams(FeatureParams, frozen=True, kw_only=True):
    """Length of each of the three averages."""

    bars: Annotated[int, Meta(ge=2, le=1_000, description="Length in bars.")] = 15


class Trix(Feature):
    """Change of a close that was averaged three times, in percent a bar."""

    Params = TrixParams
    kind = "trix"
    summary = "100 * (EMA of EMA of EMA / its value before - 1)"
    source = "J. K. Hutson (1983); TA-Lib TRIX"
    parted = True

    @property
    @override
    def memory(self) -> int:
        return ema_memory(self.params.bars, 3) + 1

    @override
    def batch(self, series: Series) -> Floats:
        import talib

        def of(close: Floats) -> Floats:
            values: Floats = talib.TRIX(close, self.params.bars)
            return values

        return by_part(series, of, series.close)

    @override
    def live(self) -> Live:
        return _LiveTrix(self.params.bars)


class _LiveTrix:
    __slots__ = ("_averages", "_last")

    def __init__(self, bars: int) -> None:
        self._averages = (LiveEma(bars), LiveEma(bars), LiveEma(bars))
        self._last = nan

    def update(self, bar: LiveBar) -> float:
        value = bar.close
        for average in self._averages:
            value = average.update(value)
            if value != value:
                return nan
        last, self._last = self._last, value
        return 100.0 * (value / last - 1.0)

    def rescale(self, factor: float) -> None:
        for average in self._averages:
            average.rescale(factor)
        self._last *= factor
