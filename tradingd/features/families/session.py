"""The session so far: its average price, its range, its open and the night before.

Everything starts anew with the first bar of a regular session; bars outside of sessions have no
value and are not counted. On daily bars the session is one bar.

Sources
-------
Berkowitz, Logue & Noser (1988), "The Total Cost of Transactions on the NYSE", Journal of Finance
43: VWAP. Crabel (1990), Day Trading with Short Term Price Patterns and Opening Range Breakout.
Gao, Han, Li & Zhou (2018), "Market Intraday Momentum", Journal of Financial Economics 129: night
and first half-hour returns.
"""

from math import inf, nan, sqrt
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from tradingd.features.families.volatility import Window
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import divide, rolling_mean
from tradingd.features.segments import Segments, bars_a_session, segments_of
from tradingd.features.series import Floats, LiveBar, Series
from tradingd.features.shared import shared
from tradingd.features.windows import LiveSum


class OpeningRange(FeatureParams, frozen=True, kw_only=True):
    """How long the session opens."""

    minutes: Annotated[
        float, Meta(gt=0, le=600, description="Minutes of the session that make its range.")
    ] = 30


class _SessionFeature(Feature):
    """Base of kinds that know the present session, and of the one before its last bar."""

    @property
    def memory(self) -> int:
        """Bars of the longest session."""
        return bars_a_session(self.context)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        segments = segments_of(series)
        return segments.put(self.within(segments, series))

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        raise NotImplementedError(type(self).__name__)


class VwapDistance(_SessionFeature):
    """Close over the session's volume-weighted average price, less one."""

    kind = "vwap_distance"
    summary = "close / session VWAP of (high + low + close) / 3 - 1"
    source = "Berkowitz, Logue & Noser (1988), Journal of Finance 43"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close", "volume", "session")

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        return _vwap_distance(segments, series)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveVwap()


def _vwap_distance(segments: Segments, series: Series) -> Floats:
    return shared(series, ("vwap distance",), lambda: _from_vwap(segments, series))


def _from_vwap(segments: Segments, series: Series) -> Floats:
    close, volume = segments.take(series.close), segments.take(series.volume)
    high, low = segments.take(series.high), segments.take(series.low)
    # Taken from the session's first close, so that a flat session lies at its average exactly.
    anchor = close[segments.first]
    away = ((high - anchor) + (low - anchor) + (close - anchor)) / 3.0
    mean = divide(segments.running_sum(away * volume), segments.running_sum(volume))
    distance: Floats = ((close - anchor) - mean) / (anchor + mean)
    return distance


class _LiveVwap:
    __slots__ = ("_anchor", "_session", "_turnover", "_volume")

    def __init__(self) -> None:
        self._session = -1
        self._anchor = nan
        self._turnover = self._volume = 0.0

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        session, close, volume = bar.session, bar.close, bar.volume
        if session < 0:
            return nan
        if session != self._session:
            self._session = session
            self._anchor = close
            self._turnover = self._volume = 0.0
        anchor = self._anchor
        away = close - anchor
        self._turnover += ((bar.high - anchor) + (bar.low - anchor) + away) / 3.0 * volume
        self._volume += volume
        if self._volume == 0.0:
            return nan
        mean = self._turnover / self._volume
        return (away - mean) / (anchor + mean)

    def rescale(self, factor: float) -> None:
        """Restate prices and volumes; turnover in dollars stays."""
        self._anchor *= factor
        self._volume /= factor


class VwapStretch(_SessionFeature):
    """Distance from the session VWAP in units of its own recent size.

    The unit is the root mean square of the last `bars` distances, over the ends of sessions: the
    first minutes of a day are judged by the day before.
    """

    Params = Window
    kind = "vwap_stretch"
    summary = "distance from session VWAP / root mean square of the last `bars` distances"
    source = "as tradingd.indicators.vwap.VwapStretch, of relative distances"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close", "volume", "session")

    @property
    def memory(self) -> int:
        """Bars of the window and of the session that the oldest of them lies in."""
        return int(bars_a_session(self.context) + self.params.bars)

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        distance = _vwap_distance(segments, series)
        size: Floats = np.sqrt(rolling_mean(distance * distance, self.params.bars))
        return divide(distance, size)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveStretch(self.params.bars)


class _LiveStretch(_LiveVwap):
    __slots__ = ("_bars", "_squares")

    def __init__(self, bars: int) -> None:
        super().__init__()
        self._bars = bars
        self._squares = LiveSum(bars)

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        distance = super().update(bar)
        if bar.session < 0:
            return nan
        size = self._squares.update(distance * distance)
        return distance / sqrt(size / self._bars) if size > 0.0 else nan


class SessionReturn(_SessionFeature):
    """Close over the session's first open, less one."""

    kind = "session_return"
    summary = "close / open of the session's first bar - 1"
    source = "Gao, Han, Li & Zhou (2018), Journal of Financial Economics 129"
    inputs: ClassVar[tuple[str, ...]] = ("open", "close", "session")

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        start = segments.take(series.open)[segments.first]
        return segments.take(series.close) / start - 1.0

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveSessionReturn()


class _LiveSessionReturn:
    __slots__ = ("_open", "_session")

    def __init__(self) -> None:
        self._session = -1
        self._open = nan

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        if bar.session < 0:
            return nan
        if bar.session != self._session:
            self._session = bar.session
            self._open = bar.open
        return bar.close / self._open - 1.0

    def rescale(self, factor: float) -> None:
        """Restate the open."""
        self._open *= factor


class OvernightGap(_SessionFeature):
    """First open of the session over the last close of the session before, less one."""

    kind = "overnight_gap"
    summary = "open of the session's first bar / last close of the session before - 1"
    source = "Gao, Han, Li & Zhou (2018), Journal of Financial Economics 129"
    inputs: ClassVar[tuple[str, ...]] = ("open", "close", "session")

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        close = segments.take(series.close)
        gaps = np.full(len(segments.opens), nan)
        later = segments.opens[1:]
        gaps[1:] = segments.take(series.open)[later] / close[later - 1] - 1.0
        return gaps[segments.line]

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveOvernightGap()


class _LiveOvernightGap:
    __slots__ = ("_close", "_gap", "_session")

    def __init__(self) -> None:
        self._session = -1
        self._close = self._gap = nan

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        if bar.session < 0:
            return nan
        if bar.session != self._session:
            self._session = bar.session
            self._gap = bar.open / self._close - 1.0
        self._close = bar.close
        return self._gap

    def rescale(self, factor: float) -> None:
        """Restate the last close."""
        self._close *= factor


class SessionRangePosition(_SessionFeature):
    """Where in the session's range so far the close lies: 0 at the low, 1 at the high."""

    kind = "session_range_position"
    summary = "(close - session low) / (session high - session low)"
    source = "stochastic of the session; Crabel (1990)"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close", "session")

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        high = segments.running_max(segments.take(series.high))
        low = segments.running_min(segments.take(series.low))
        return divide(segments.take(series.close) - low, high - low)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveRangePosition(inf, 0.0)


class OpeningRangePosition(_SessionFeature):
    """Where the close lies in the range of the session's first minutes; beyond 0..1 outside it.

    There is no value before those minutes are over.
    """

    Params = OpeningRange
    kind = "opening_range_position"
    summary = "(close - low) / (high - low) of the session's first `minutes` minutes"
    source = "Crabel (1990), Day Trading with Short Term Price Patterns"
    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close", "session", "minute")

    def within(self, segments: Segments, series: Series) -> Floats:
        """Return the values of the regular bars."""
        minute, limit = segments.take(series.minute), self.params.minutes
        opening = minute <= limit
        high = segments.running_max(np.where(opening, segments.take(series.high), -inf))
        low = segments.running_min(np.where(opening, segments.take(series.low), inf))
        extent = np.where((minute >= limit) & np.isfinite(high), high - low, 0.0)
        return divide(segments.take(series.close) - low, extent)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveRangePosition(self.params.minutes, self.params.minutes)


class _LiveRangePosition:
    __slots__ = ("_after", "_high", "_low", "_session", "_until")

    def __init__(self, until: float, after: float) -> None:
        self._until = until
        self._after = after
        self._session = -1
        self._high, self._low = -inf, inf

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        if bar.session < 0:
            return nan
        if bar.session != self._session:
            self._session = bar.session
            self._high, self._low = -inf, inf
        if bar.minute <= self._until:
            if bar.high > self._high:
                self._high = bar.high
            if bar.low < self._low:
                self._low = bar.low
        extent = self._high - self._low
        if bar.minute < self._after or extent == 0.0 or extent == -inf:
            return nan
        return (bar.close - self._low) / extent

    def rescale(self, factor: float) -> None:
        """Restate the range."""
        self._high *= factor
        self._low *= factor
