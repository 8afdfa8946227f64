"""Where the price stands against its averages and channels, and how strong its trend is."""

from collections import deque
from math import nan
from typing import Annotated, Literal, override

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.offsets import NOTHING
from tradingd.features.parts import by_part, starts_of
from tradingd.features.rolling import divide, rolling_mean, shift
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.smoothing import (
    STILL,
    LiveEma,
    LiveWilder,
    ema,
    ema_memory,
    motionless,
    wilder,
    wilder_memory,
)
from tradingd.features.windows import LiveExtreme, LiveSum

Length = Annotated[int, Meta(ge=2, le=10_000, description="Length in bars.")]


class Window(FeatureParams, frozen=True, kw_only=True):
    """One length."""

    bars: Length = 20


class Pair(FeatureParams, frozen=True, kw_only=True):
    """A short and a long length."""

    fast: Annotated[int, Meta(ge=2, le=10_000, description="Short length in bars.")] = 20
    slow: Annotated[int, Meta(ge=3, le=10_000, description="Long length in bars.")] = 50

    def __post_init__(self) -> None:
        if self.fast >= self.slow:
            raise ValueError(f"fast {self.fast} is not below slow {self.slow}")


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


class WilderParams(FeatureParams, frozen=True, kw_only=True):
    """Wilder's smoothing length."""

    bars: Annotated[int, Meta(ge=2, le=1_000, description="Smoothing length in bars.")] = 14


class PlusDi(Feature):
    """Upward movement as a percentage of the true range.

    A high and a low that moved out by the same number of ticks move no direction. As prices
    restated by a split's factor they may differ in the last bit, which is not taken for movement.
    """

    Params = WilderParams
    kind = "plus_di"
    summary = "Wilder's positive directional indicator"
    source = "J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib PLUS_DI"
    inputs = ("high", "low", "close")
    parted = True

    @property
    @override
    def memory(self) -> int:
        return wilder_memory(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        bars = self.params.bars
        values = self._values(series, bars)
        values[motionless(series, STILL * bars)] = nan
        return values

    def _values(self, series: Series, bars: int) -> Floats:
        return _indicator(series, bars, "up").copy()

    @override
    def live(self) -> Live:
        return _LivePlusDi(self.params.bars)


class MinusDi(PlusDi):
    """Downward movement as a percentage of the true range."""

    kind = "minus_di"
    summary = "Wilder's negative directional indicator"
    source = "J. W. Wilder (1978); TA-Lib MINUS_DI"

    @override
    def _values(self, series: Series, bars: int) -> Floats:
        return _indicator(series, bars, "down").copy()

    @override
    def live(self) -> Live:
        return _LiveMinusDi(self.params.bars)


class Adx(PlusDi):
    """Strength of the trend whatever its direction, 0 to 100."""

    kind = "adx"
    summary = "Wilder's average directional index"
    source = "J. W. Wilder (1978); TA-Lib ADX"

    @property
    @override
    def memory(self) -> int:
        return wilder_memory(self.params.bars, 2)

    @override
    def _values(self, series: Series, bars: int) -> Floats:
        up, down = _indicator(series, bars, "up"), _indicator(series, bars, "down")
        both = up + down
        index = up - down
        np.abs(index, out=index)
        index *= 100.0
        index /= both
        index[~(both > 0.0)] = 0.0

        def of(index: Floats) -> Floats:
            values = np.full(len(index), nan)
            # The first index is at bar `bars`; the average begins with the mean of `bars` of them.
            values[bars - 1 :] = wilder(index[bars - 1 :], bars) if len(index) >= bars else nan
            return values

        return by_part(series, of, index)

    @override
    def live(self) -> Live:
        return _LiveAdx(self.params.bars)


def _indicator(series: Series, bars: int, direction: Literal["up", "down"]) -> Floats:
    def compute() -> Floats:
        moved = _begun(series, _movement(series, direction), bars)
        spread = shared(
            series, ("true range", bars), lambda: _begun(series, _true_range(series), bars)
        )
        found = divide(moved, spread)
        found *= 100.0
        return found

    return shared(series, (direction, bars), compute)


def _begun(series: Series, values: Floats, bars: int) -> Floats:
    """Average as TA-Lib begins its directional sums: the first bars - 1 are decayed once."""

    def of(part: Floats) -> Floats:
        part[1:bars] *= 1.0 - 1.0 / bars
        return wilder(part, bars)

    return by_part(series, of, values)


def _movement(series: Series, direction: Literal["up", "down"]) -> Floats:
    """Return how much further out the high or the low is, 0 where the other moved as far."""
    mine = np.zeros(len(series))
    _outward(series, direction, mine[1:])
    lead = shared(series, ("lead",), lambda: _lead(series))
    further = lead > 0.0 if direction == "up" else lead < 0.0
    further &= mine > 0.0
    mine *= further
    mine[starts_of(series)] = 0.0
    return mine


def _lead(series: Series) -> Floats:
    """Return by how much the high moved further out than the low, 0 for what may be rounding."""
    lead, down = np.zeros(len(series)), np.empty(max(len(series) - 1, 0))
    _outward(series, "up", lead[1:])
    _outward(series, "down", down)
    lead[1:] -= down
    lead[np.abs(lead) <= NOTHING * series.close] = 0.0
    return lead


def _outward(series: Series, direction: Literal["up", "down"], out: Floats) -> None:
    if direction == "up":
        np.subtract(series.high[1:], series.high[:-1], out=out)
    else:
        np.subtract(series.low[:-1], series.low[1:], out=out)


def _true_range(series: Series) -> Floats:
    values = np.zeros(len(series))
    before = series.close[:-1]
    np.maximum(series.high[1:], before, out=values[1:])
    values[1:] -= np.minimum(series.low[1:], before)
    values[starts_of(series)] = 0.0
    return values


class _LiveDirections:
    """Sums of upward and downward movement and of true range."""

    __slots__ = (
        "_bars",
        "_close",
        "_count",
        "_high",
        "_keep",
        "_limit",
        "_low",
        "_still",
        "down",
        "spread",
        "up",
    )

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._keep = 1.0 - 1.0 / bars
        self._limit = self._still = STILL * bars
        self._count = 0
        self._high = self._low = self._close = nan
        self.up = self.down = self.spread = 0.0

    def take(self, bar: LiveBar) -> bool:
        """Take the next bar; tell whether there is a value."""
        high, low, close, before = bar.high, bar.low, bar.close, self._close
        count = self._count
        if count:
            up, down = high - self._high, self._low - low
            nothing = NOTHING * close
            spread = (high if high > before else before) - (low if low < before else before)
            keep = self._keep if count >= self._bars else 1.0
            self.up = self.up * keep + (up if up > 0.0 and up - down > nothing else 0.0)
            self.down = self.down * keep + (down if down > 0.0 and down - up > nothing else 0.0)
            self.spread = self.spread * keep + spread
            self._still = 0 if spread != 0.0 else self._still + 1
        self._high, self._low, self._close = high, low, close
        self._count = count + 1
        return count >= self._bars

    def rescale(self, factor: float) -> None:
        self._high *= factor
        self._low *= factor
        self._close *= factor
        self.up *= factor
        self.down *= factor
        self.spread *= factor


class _LivePlusDi(_LiveDirections):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        if not self.take(bar) or self._still >= self._limit:
            return nan
        return 100.0 * self.up / self.spread


class _LiveMinusDi(_LiveDirections):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        if not self.take(bar) or self._still >= self._limit:
            return nan
        return 100.0 * self.down / self.spread


class _LiveAdx(_LiveDirections):
    __slots__ = ("_average",)

    def __init__(self, bars: int) -> None:
        super().__init__(bars)
        self._average = LiveWilder(bars)

    def update(self, bar: LiveBar) -> float:
        if not self.take(bar):
            return nan
        both = self.up + self.down
        value = self._average.update(100.0 * abs(self.up - self.down) / both if both else 0.0)
        return nan if self._still >= self._limit else value


class AroonParams(FeatureParams, frozen=True, kw_only=True):
    """Length and which line."""

    bars: Length = 25
    part: Annotated[
        Literal["up", "down", "oscillator"],
        Meta(description="Age of the high, of the low, or the first less the second."),
    ] = "oscillator"


class Aroon(Feature):
    """How lately the highest high and the lowest low were made, 100: now."""

    Params = AroonParams
    kind = "aroon"
    summary = "Aroon up, down or oscillator over bars + 1 bars"
    source = "T. Chande (1995); TA-Lib AROON, AROONOSC (the later of equals counts)"
    inputs = ("high", "low")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars) + 1

    @override
    def batch(self, series: Series) -> Floats:
        import talib

        if self.params.part == "oscillator":
            values: Floats = talib.AROONOSC(series.high, series.low, self.params.bars)
            return values
        down, up = talib.AROON(series.high, series.low, self.params.bars)
        line: Floats = up if self.params.part == "up" else down
        return line

    @override
    def live(self) -> Live:
        return _LiveAroon(self.params)


class _LiveAroon:
    """Two queues of (bar number, price), each the best first and only what may become the best."""

    __slots__ = ("_bars", "_count", "_highs", "_lows", "_part")

    def __init__(self, params: AroonParams) -> None:
        self._bars = params.bars
        self._part = params.part
        self._count = 0
        self._highs: deque[tuple[int, float]] = deque()
        self._lows: deque[tuple[int, float]] = deque()

    def update(self, bar: LiveBar) -> float:
        number = self._count
        self._count = number + 1
        highs, lows, high, low = self._highs, self._lows, bar.high, bar.low
        while highs and highs[-1][1] <= high:
            highs.pop()
        highs.append((number, high))
        while lows and lows[-1][1] >= low:
            lows.pop()
        lows.append((number, low))
        oldest = number - self._bars
        if highs[0][0] < oldest:
            highs.popleft()
        if lows[0][0] < oldest:
            lows.popleft()
        if oldest < 0:
            return nan
        up = 100.0 * (highs[0][0] - oldest) / self._bars
        down = 100.0 * (lows[0][0] - oldest) / self._bars
        return up - down if self._part == "oscillator" else (up if self._part == "up" else down)

    def rescale(self, factor: float) -> None:
        self._highs = deque([(number, price * factor) for number, price in self._highs])
        self._lows = deque([(number, price * factor) for number, price in self._lows])


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


class PriceChannel(Feature):
    """Where the close lies in the range of the bars before: 0 at the low, 1 at the high."""

    Params = Window
    kind = "price_channel"
    summary = "(close - lowest low) / (highest high - lowest low) of the `bars` bars before"
    source = "R. Donchian's channel; below 0 or above 1: it broke out"
    inputs = ("high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars) + 1

    @override
    def batch(self, series: Series) -> Floats:
        import talib

        high = shift(talib.MAX(series.high, self.params.bars), 1)
        low = shift(talib.MIN(series.low, self.params.bars), 1)
        return divide(series.close - low, high - low)

    @override
    def live(self) -> Live:
        return _LivePriceChannel(self.params.bars)


class _LivePriceChannel:
    __slots__ = ("_highest", "_lowest")

    def __init__(self, bars: int) -> None:
        self._highest = LiveExtreme(bars)
        self._lowest = LiveExtreme(bars, -1.0)

    def update(self, bar: LiveBar) -> float:
        high, low = self._highest.value, self._lowest.value
        self._highest.update(bar.high)
        self._lowest.update(bar.low)
        span = high - low
        return (bar.close - low) / span if span != 0.0 else nan

    def rescale(self, factor: float) -> None:
        self._highest.rescale(factor)
        self._lowest.rescale(factor)
