"""Oscillators: how far and how steadily the price has moved within its recent range."""

from collections import deque
from math import nan
from typing import Annotated, Literal, override

from msgspec import Meta

from tradingd.features.families.lengths import WilderParams, Window
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.offsets import NOTHING, away_from_mean, spread_about_mean
from tradingd.features.parts import by_part
from tradingd.features.rolling import divide, rolling_mean
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.smoothing import STILL, LiveStill, LiveWilder, lifted, still, wilder_memory
from tradingd.features.windows import LiveExtreme, LiveSum


class Rsi(Feature):
    """Average gain as a percentage of average gain and loss."""

    Params = WilderParams
    kind = "rsi"
    summary = "Wilder's relative strength index"
    source = "J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RSI"
    parted = True

    @property
    @override
    def memory(self) -> int:
        return wilder_memory(self.params.bars) + 1

    @override
    def batch(self, series: Series) -> Floats:
        import talib

        bars = self.params.bars

        def of(close: Floats) -> Floats:
            found: Floats = talib.RSI(close, bars)
            return found

        values = by_part(series, of, lifted(series, "close"))
        values[still(series, STILL * bars)] = nan
        return values

    @override
    def live(self) -> Live:
        return _LiveRsi(self.params.bars)


class _LiveRsi:
    __slots__ = ("_close", "_gain", "_loss", "_still")

    def __init__(self, bars: int) -> None:
        self._close = nan
        self._gain = LiveWilder(bars)
        self._loss = LiveWilder(bars)
        self._still = LiveStill(STILL * bars)

    def update(self, bar: LiveBar) -> float:
        close = bar.close
        change = close - self._close
        self._close = close
        still_now = self._still.update(close)
        if change > 0.0:
            gain = self._gain.update(change)
            loss = self._loss.update(0.0)
        elif change == change:
            gain = self._gain.update(0.0)
            loss = self._loss.update(-change)
        else:
            return nan
        return nan if still_now or gain != gain else 100.0 * (gain / (gain + loss))

    def rescale(self, factor: float) -> None:
        self._close *= factor
        self._gain.rescale(factor)
        self._loss.rescale(factor)
        self._still.rescale(factor)


class StochasticParams(FeatureParams, frozen=True, kw_only=True):
    """Range, smoothing and which line."""

    bars: Annotated[int, Meta(ge=2, le=10_000, description="Bars of the range.")] = 14
    smooth: Annotated[
        int, Meta(ge=1, le=1_000, description="Average of the raw line; 1: the fast stochastic.")
    ] = 3
    signal: Annotated[int, Meta(ge=1, le=1_000, description="Length of the signal line.")] = 3
    part: Annotated[Literal["k", "d"], Meta(description="The line, or its average.")] = "k"


def highest(series: Series, bars: int) -> Floats:
    """Return the highest high of the last `bars` bars."""
    import talib

    return shared(series, ("highest", bars), lambda: talib.MAX(series.high, bars))


def lowest(series: Series, bars: int) -> Floats:
    """Return the lowest low of the last `bars` bars."""
    import talib

    return shared(series, ("lowest", bars), lambda: talib.MIN(series.low, bars))


def _in_range(series: Series, bars: int) -> Floats:
    """Return where the close lies in the range, 0 to 100; nan in a range of no width."""
    low = lowest(series, bars)
    return divide(100.0 * (series.close - low), highest(series, bars) - low)


class Stochastic(Feature):
    """Where the close lies in the range of the last bars, averaged."""

    Params = StochasticParams
    kind = "stochastic"
    summary = "%K: SMA of 100 * (close - low) / (high - low) over bars; %D: its SMA"
    source = "G. Lane; TA-Lib STOCH, STOCHF"
    inputs = ("high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        params = self.params
        return int(params.bars + params.smooth + (params.signal if params.part == "d" else 0))

    @override
    def batch(self, series: Series) -> Floats:
        params = self.params
        bars, smooth = params.bars, params.smooth
        line = shared(
            series,
            ("stochastic", bars, smooth),
            lambda: rolling_mean(_in_range(series, bars), smooth),
        )
        return line if params.part == "k" else rolling_mean(line, params.signal)

    @override
    def live(self) -> Live:
        return _LiveStochastic(self.params)


class _LiveRange:
    __slots__ = ("_highest", "_lowest")

    def __init__(self, bars: int) -> None:
        self._highest = LiveExtreme(bars)
        self._lowest = LiveExtreme(bars, -1.0)

    def rescale(self, factor: float) -> None:
        self._highest.rescale(factor)
        self._lowest.rescale(factor)


class _LiveStochastic(_LiveRange):
    __slots__ = ("_signal", "_smooth", "_sums")

    def __init__(self, params: StochasticParams) -> None:
        super().__init__(params.bars)
        self._smooth = params.smooth
        self._signal = params.signal if params.part == "d" else 1
        self._sums = (LiveSum(self._smooth), LiveSum(self._signal))

    def update(self, bar: LiveBar) -> float:
        low = self._lowest.update(bar.low)
        span = self._highest.update(bar.high) - low
        value = 100.0 * (bar.close - low) / span if span != 0.0 else nan
        if self._smooth > 1:
            value = self._sums[0].update(value) / self._smooth
        if self._signal > 1:
            value = self._sums[1].update(value) / self._signal
        return value


class WilliamsR(Feature):
    """Distance of the close from the highest high, in percent of the range; 0 to -100."""

    Params = WilderParams
    kind = "williams_r"
    summary = "-100 * (highest high - close) / (highest high - lowest low)"
    source = "L. Williams (1973); TA-Lib WILLR"
    inputs = ("high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        high = highest(series, self.params.bars)
        return divide(100.0 * (series.close - high), high - lowest(series, self.params.bars))

    @override
    def live(self) -> Live:
        return _LiveWilliamsR(self.params.bars)


class _LiveWilliamsR(_LiveRange):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        high = self._highest.update(bar.high)
        span = high - self._lowest.update(bar.low)
        return 100.0 * (bar.close - high) / span if span != 0.0 else nan


class Cci(Feature):
    """Typical price less its average, in mean absolute deviations."""

    Params = Window
    kind = "cci"
    summary = "commodity channel index"
    source = "D. Lambert, Commodities (1980); TA-Lib CCI"
    inputs = ("high", "low", "close")
    windowed = True

    @property
    @override
    def memory(self) -> int:
        return int(self.params.bars)

    @override
    def batch(self, series: Series) -> Floats:
        import talib

        # Not by TA-Lib's CCI: a price at its average is noise there, as much as 1e-9 of an index.
        bars = self.params.bars
        typical = typical_price(series)
        away = away_from_mean(typical, bars)
        values = away / (0.015 * spread_about_mean(typical, away, bars))
        most = talib.MAX(typical, bars)
        values[most - talib.MIN(typical, bars) <= NOTHING * most] = nan
        return values

    @override
    def live(self) -> Live:
        return _LiveCci(self.params.bars)


def typical_price(series: Series) -> Floats:
    """Return the mean of high, low and close."""
    return shared(series, ("typical",), lambda: (series.high + series.low + series.close) / 3.0)


class _LiveCci:
    """Summed anew at each bar: an average of absolute deviations cannot be carried along."""

    __slots__ = ("_bars", "_prices", "_typical")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._prices: deque[tuple[float, float, float]] = deque(maxlen=bars)
        self._typical: deque[float] = deque(maxlen=bars)

    def update(self, bar: LiveBar) -> float:
        held, bars = self._typical, self._bars
        high, low, close = bar.high, bar.low, bar.close
        typical = (high + low + close) / 3.0
        self._prices.append((high, low, close))
        held.append(typical)
        if len(held) < bars:
            return nan
        most = max(held)
        if most - min(held) <= NOTHING * most:
            return nan
        offsets = [one - typical for one in held]
        mean = sum(offsets) / bars
        if abs(mean) <= NOTHING * typical:
            mean = 0.0
        spread = sum([abs(one - mean) for one in offsets]) / bars
        return -mean / (0.015 * spread)

    def rescale(self, factor: float) -> None:
        # From the prices, as a batch has them: a product of the mean may differ in its last bit.
        self._prices = deque(
            [(high * factor, low * factor, close * factor) for high, low, close in self._prices],
            maxlen=self._bars,
        )
        # Not by sum(), which rounds once where three additions round twice.
        self._typical = deque(
            [(high + low + close) / 3.0 for high, low, close in self._prices], maxlen=self._bars
        )
