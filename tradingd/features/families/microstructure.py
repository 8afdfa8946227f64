"""The touch and the tape: spread, who waits, who pays.

Quotes are the last before the bar's close; a crossed, one-sided or missing quote has no value.

Sources
-------
Lee & Ready (1991), "Inferring Trade Direction from Intraday Data", Journal of Finance 46. Cartea,
Jaimungal & Penalva (2015), Algorithmic and High-Frequency Trading, sections 3.1 and 12.1: imbalance
and microprice. Marc Chaikin's close location value: StockCharts ChartSchool.
"""

from math import nan
from typing import ClassVar, Final

import numpy as np

from tradingd.features.families.volatility import Window
from tradingd.features.feature import Feature, Live
from tradingd.features.rolling import divide, rolling_mean, rolling_sum, shift
from tradingd.features.series import QUOTES, Floats, LiveBar, Series
from tradingd.features.windows import LiveSum

_BASIS_POINTS: Final = 1e4


class _QuoteFeature(Feature):
    """Base of kinds that read the standing quote and remember nothing."""

    inputs: ClassVar[tuple[str, ...]] = QUOTES
    quote_only: ClassVar[bool] = True

    @property
    def memory(self) -> int:
        """Nothing is remembered."""
        return 0

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars; nan where there are no quotes."""
        bid, ask = series.bid, series.ask
        bid_size, ask_size = series.bid_size, series.ask_size
        if bid is None or ask is None or bid_size is None or ask_size is None:
            return np.full(len(series), nan)
        sound = (bid > 0.0) & (ask >= bid)
        values: Floats = np.where(sound, self.values(bid, ask, bid_size, ask_size), nan)
        return values

    def values(self, bid: Floats, ask: Floats, bid_size: Floats, ask_size: Floats) -> Floats:
        """Return the values of quotes; those of unsound ones are not used."""
        raise NotImplementedError(type(self).__name__)

    def value(self, bar: LiveBar) -> float:
        """Return the value of the bar's quote, which is sound."""
        raise NotImplementedError(type(self).__name__)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveQuote(self)


class _LiveQuote:
    __slots__ = ("_value",)

    def __init__(self, kind: _QuoteFeature) -> None:
        self._value = kind.value

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        return self._value(bar) if bar.bid > 0.0 and bar.ask >= bar.bid else nan

    def rescale(self, factor: float) -> None:
        """Nothing is remembered."""


class SpreadBps(_QuoteFeature):
    """Quoted spread over the mid."""

    kind = "spread_bps"
    summary = "(ask - bid) / mid in basis points"
    source = "relative quoted spread; Cartea, Jaimungal & Penalva (2015), section 3.1"
    inputs: ClassVar[tuple[str, ...]] = ("bid", "ask")

    def values(self, bid: Floats, ask: Floats, bid_size: Floats, ask_size: Floats) -> Floats:
        """Return the values of quotes."""
        return divide(ask - bid, (ask + bid) * 0.5) * _BASIS_POINTS

    def value(self, bar: LiveBar) -> float:
        """Return the value of the bar's quote."""
        return (bar.ask - bar.bid) / ((bar.ask + bar.bid) * 0.5) * _BASIS_POINTS


class QuoteImbalance(_QuoteFeature):
    """Which side of the touch shows more shares, -1 (ask) to 1 (bid)."""

    kind = "quote_imbalance"
    summary = "(bid size - ask size) / (bid size + ask size)"
    source = "Cartea, Jaimungal & Penalva (2015), section 12.1"

    def values(self, bid: Floats, ask: Floats, bid_size: Floats, ask_size: Floats) -> Floats:
        """Return the values of quotes."""
        return divide(bid_size - ask_size, bid_size + ask_size)

    def value(self, bar: LiveBar) -> float:
        """Return the value of the bar's quote."""
        return _imbalance(bar)


def _imbalance(bar: LiveBar) -> float:
    total = bar.bid_size + bar.ask_size
    return (bar.bid_size - bar.ask_size) / total if total != 0.0 else nan


class MicropriceDistance(_QuoteFeature):
    """How far the size-weighted price of the touch lies above the mid."""

    kind = "microprice_distance"
    summary = "((bid * ask size + ask * bid size) / sizes - mid) / mid in basis points"
    source = "Cartea, Jaimungal & Penalva (2015), section 3.1"

    def values(self, bid: Floats, ask: Floats, bid_size: Floats, ask_size: Floats) -> Floats:
        """Return the values of quotes."""
        imbalance = divide(bid_size - ask_size, bid_size + ask_size)
        return imbalance * divide(ask - bid, ask + bid) * _BASIS_POINTS

    def value(self, bar: LiveBar) -> float:
        """Return the value of the bar's quote."""
        return _imbalance(bar) * ((bar.ask - bar.bid) / (bar.ask + bar.bid)) * _BASIS_POINTS


class BookImbalance(QuoteImbalance):
    """Mean imbalance of the touch over the last bars."""

    Params = Window
    kind = "book_imbalance"
    summary = "mean of the last `bars` quote imbalances"
    source = "Cartea, Jaimungal & Penalva (2015), section 12.1"
    quote_only: ClassVar[bool] = False

    @property
    def memory(self) -> int:
        """Bars in the window."""
        return int(self.params.bars)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars; nan where one of the window has no quote."""
        return rolling_mean(super().batch(series), self.params.bars)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveBook(self, self.params.bars)


class _LiveBook(_LiveQuote):
    __slots__ = ("_bars", "_sum")

    def __init__(self, kind: _QuoteFeature, bars: int) -> None:
        super().__init__(kind)
        self._bars = bars
        self._sum = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        return self._sum.update(super().update(bar)) / self._bars


class TickRuleImbalance(Feature):
    """Signed volume over volume, bars signed by the tick rule.

    A bar is a buy where it closes above the last different close, a sale where below; after `bars`
    equal closes in a row the side is forgotten.
    """

    Params = Window
    kind = "tick_rule_imbalance"
    summary = "sum of volume signed by the last change of the close / volume, over `bars` bars"
    source = "Lee & Ready (1991), Journal of Finance 46, tick test, applied to bars"
    inputs: ClassVar[tuple[str, ...]] = ("close", "volume")

    @property
    def memory(self) -> int:
        """Bars in the window and those that its oldest one's side may come from."""
        return int(2 * self.params.bars)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        bars, volume = self.params.bars, series.volume
        signed = rolling_sum(_sides(series.close, bars) * volume, bars)
        return divide(signed, rolling_sum(volume, bars))

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveTickRule(self.params.bars)


def _sides(close: Floats, bars: int) -> Floats:
    """Return the sign of the last change, nan before the second bar, 0 after `bars` without."""
    before = shift(close, 1)
    change = np.sign(close - before)
    index = np.arange(len(close))
    last = np.maximum.accumulate(np.where(change == 0.0, 0, index))
    sides = np.where((index - last >= bars) | (last == 0), 0.0, change[last])
    sides[:1] = nan
    return sides


class _LiveTickRule:
    __slots__ = ("_age", "_bars", "_close", "_side", "_signed", "_total")

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._close = self._side = nan
        self._age = 0
        self._signed = LiveSum(bars)
        self._total = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        self._turn(bar.close)
        signed = self._signed.update(self._side * bar.volume)
        total = self._total.update(bar.volume)
        return signed / total if total != 0.0 else nan

    def _turn(self, close: float) -> None:
        before, self._close = self._close, close
        if close == before:
            self._age += 1
            if self._age >= self._bars or self._side != self._side:
                self._side = 0.0
        elif before == before:
            self._age = 0
            self._side = 1.0 if close > before else -1.0

    def rescale(self, factor: float) -> None:
        """Restate the last close and the volumes."""
        self._close *= factor
        self._signed.rescale(factor, volume=True)
        self._total.rescale(factor, volume=True)


class CloseLocation(Feature):
    """Where in its range the bar closed, -1 at the low to 1 at the high."""

    kind = "close_location"
    summary = "((close - low) - (high - close)) / (high - low)"
    source = "StockCharts ChartSchool, Accumulation/Distribution Line: close location value"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close")

    @property
    def memory(self) -> int:
        """Nothing is remembered."""
        return 0

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        high, low, close = series.high, series.low, series.close
        return divide((close - low) - (high - close), high - low)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveCloseLocation()


class _LiveCloseLocation:
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        high, low, close = bar.high, bar.low, bar.close
        extent = high - low
        return ((close - low) - (high - close)) / extent if extent != 0.0 else nan

    def rescale(self, factor: float) -> None:
        """Nothing is remembered."""
