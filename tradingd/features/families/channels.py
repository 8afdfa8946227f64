"""Where the price stands among its highs and lows, and how long ago those were."""

from collections import deque
from math import nan
from typing import Annotated, Literal, override

from msgspec import Meta

from tradingd.features.families.lengths import Length, Window
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import divide, shift
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.windows import LiveExtreme


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
