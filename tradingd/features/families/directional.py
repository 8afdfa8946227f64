"""Which way the price moves, and how strongly: Wilder's directional indicators."""

from math import nan
from typing import Literal, override

import numpy as np

from tradingd.features.families.lengths import WilderParams
from tradingd.features.feature import Feature, Live
from tradingd.features.offsets import NOTHING
from tradingd.features.parts import by_part, starts_of
from tradingd.features.rolling import divide
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.smoothing import (
    STILL,
    LiveWilder,
    motionless,
    wilder,
    wilder_memory,
)


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
