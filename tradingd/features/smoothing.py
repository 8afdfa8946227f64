"""Recursive averages: in batches by TA-Lib, bar by bar by the same recursion, and what they forget.

Both begin with the plain mean of the first `bars` values, TA-Lib's default.
"""

from math import ceil, log, log1p, nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingd.features.parts import by_part, starts_of
from tradingd.features.series import Floats, Integers, Series
from tradingd.features.shared import shared

_FORGOTTEN: Final = 1e-13
"""Influence of a cold start that no longer counts."""

STILL: Final = 20
"""Smoothing lengths without any movement after which a ratio of averages has no value: what is left
of the last movement is 2e-9 of it."""

_LIFT: Final = 2.0**40
"""TA-Lib takes anything below 1e-14 for zero. Prices times a power of two have the same digits, and
nothing that counts is that small then."""


def lifted(series: Series, column: str) -> Floats:
    """Return a price column times 2 ** 40, for functions of TA-Lib that compare with 1e-14."""
    return shared(series, ("lifted", column), lambda: getattr(series, column) * _LIFT)


def ema(series: Series, bars: int) -> Floats:
    """Return the exponential average of the close."""
    import talib

    def of(close: Floats) -> Floats:
        found: Floats = talib.EMA(close, bars)
        return found

    return shared(series, ("ema", bars), lambda: by_part(series, of, series.close))


def average_range(series: Series, bars: int) -> Floats:
    """Return Wilder's average true range in dollars."""
    import talib

    def of(high: Floats, low: Floats, close: Floats) -> Floats:
        found: Floats = talib.ATR(high, low, close, bars)
        return found

    columns = series.high, series.low, series.close
    return shared(series, ("atr", bars), lambda: by_part(series, of, *columns))


def ema_memory(bars: int, times: int = 1) -> int:
    """Return the bars after which an EMA, or one of an EMA and so on, has forgotten its start."""
    return _memory(2.0 / (bars + 1.0), bars, times)


def wilder_memory(bars: int, times: int = 1) -> int:
    """As `ema_memory` for Wilder's averages."""
    return _memory(1.0 / bars, bars, times)


def _memory(weight: float, bars: int, times: int) -> int:
    # m ** (times - 1) * (1 - weight) ** m: the impulse response of averages one after the other.
    rate = -log1p(-weight) if weight < 1.0 else 50.0
    most = (-log(_FORGOTTEN) + (times - 1) * log(100.0 * bars)) / rate
    return ceil(most) + times * bars


def still(series: Series, bars: int) -> Integers:
    """Return the rows where the last `bars` changes of the close, or all before, were zero."""
    close, starts = series.close, starts_of(series)
    # So long a run shows in a look at few values; mostly there is none.
    some, seconds = close[:: max(bars // 2, 1)], _seconds(starts, len(close))
    at_once = len(seconds) == len(starts) and bool((close[seconds] != close[starts]).all())
    if at_once and not (some[1:] == some[:-1]).any():
        return starts
    return np.flatnonzero(by_part(series, lambda part: _still(part[1:] == part[:-1], bars), close))


def motionless(series: Series, bars: int) -> Integers:
    """Return the rows where the last `bars` true ranges, or all before, were zero."""
    high, low, starts = series.high, series.low, starts_of(series)
    some, seconds = slice(None, None, max(bars // 2, 1)), _seconds(starts, len(high))
    at_once = len(seconds) == len(starts) and bool((high[seconds] != low[seconds]).all())
    if at_once and not (high[some] == low[some]).any():
        return starts

    def of(high: Floats, low: Floats, close: Floats) -> NDArray[np.bool_]:
        return _still((high[1:] == low[1:]) & (high[1:] == close[:-1]), bars)

    return np.flatnonzero(by_part(series, of, high, low, series.close))


def _seconds(starts: Integers, size: int) -> Integers:
    """Return the rows of every symbol's second bar; none where one has a single bar."""
    seconds = starts + 1
    alone = len(starts) > 0 and (seconds[-1] >= size or (seconds[:-1] == starts[1:]).any())
    return seconds[:0] if alone else seconds


def wilder(values: Floats, bars: int) -> Floats:
    """Return Wilder's average of values of 0 and more, from the mean of values 1 to `bars` on.

    TA-Lib has no function of that name: its ATR of bars from 0 to `values` is one.
    """
    import talib

    nothing = np.zeros(len(values))
    average: Floats = talib.ATR(values, nothing, nothing, bars)
    return average


def _still(same: NDArray[np.bool_], bars: int) -> NDArray[np.bool_]:
    """Count back over `same`: whether each bar but the first did not move."""
    index = np.arange(1, len(same) + 1)
    moved = np.maximum.accumulate(np.where(same, 0, index))
    found = np.ones(len(same) + 1, np.bool_)
    found[1:] = (index - moved >= bars) | (moved == 0)
    return found


class LiveStill:
    """The same count, value by value."""

    __slots__ = ("_bars", "_last", "_run")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._last = nan
        self._run = bars

    def update(self, value: float) -> bool:
        """Take the next value; tell whether nothing has moved for long."""
        # A run that began with the first value counts as long already.
        self._run = self._run + 1 if value == self._last else self._first_or_moved()
        self._last = value
        return self._run >= self._bars

    def _first_or_moved(self) -> int:
        return self._bars if self._last != self._last else 0

    def rescale(self, factor: float) -> None:
        """Multiply what is remembered."""
        self._last *= factor


class LiveEma:
    """Exponential average with weight 2 / (bars + 1)."""

    __slots__ = ("_bars", "_count", "_sum", "_weight", "value")

    def __init__(self, bars: int) -> None:
        self.value = nan
        self._bars = bars
        self._count = 0
        self._sum = 0.0
        self._weight = self._weigh(bars)

    def _weigh(self, bars: int) -> float:
        return 2.0 / (bars + 1.0)

    def update(self, value: float) -> float:
        """Take the next value; return the average, nan until there are `bars`."""
        before = self.value
        if before == before:
            self.value = before = (value - before) * self._weight + before
            return before
        self._sum += value
        self._count += 1
        if self._count == self._bars:
            self.value = self._sum / self._bars
        return self.value

    def rescale(self, factor: float) -> None:
        """Multiply what is remembered."""
        self.value *= factor
        self._sum *= factor


class LiveWilder(LiveEma):
    """Wilder's average: weight 1 / bars."""

    __slots__ = ()

    def _weigh(self, bars: int) -> float:
        return 1.0 / bars
