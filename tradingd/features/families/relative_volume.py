"""Volume against what is usual at this minute of the day.

Volume is large at the open and at the close of every session; a bar is compared with the bars of
the same minute in the sessions before. A daily bar is its session's only one, so it is compared
with daily bars, on half days too.
"""

from array import array
from math import nan
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import divide, rolling_sum_of_rows
from tradingd.features.segments import Segments, bars_a_session, segments_of
from tradingd.features.series import Floats, Integers, LiveBar, Series

_WHOLE: Final = -1.0
"""Minute of a bar that is its session's first and ends with it."""


class Sessions(FeatureParams, frozen=True, kw_only=True):
    """How many sessions."""

    sessions: Annotated[
        int, Meta(ge=1, le=1000, description="Sessions before this one that are averaged.")
    ] = 20


class RelativeVolume(Feature):
    """Volume over the mean volume of the same minute in the sessions before.

    Sessions without a bar at the minute are left out of the mean; there is no value before the
    symbol's first bar is `sessions` sessions ago.
    """

    Params = Sessions
    kind = "relative_volume"
    summary = "volume / mean volume at the same minute of the `sessions` sessions before"
    source = "volume profile of the day; StockCharts ChartSchool, Relative Volume"
    inputs: ClassVar[tuple[str, ...]] = ("volume", "session", "minute", "to_close")

    @property
    def memory(self) -> int:
        """Bars of all sessions that are averaged, and of the present one."""
        return int((self.params.sessions + 1) * bars_a_session(self.context))

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        segments = segments_of(series)
        if not len(segments.rows):
            return segments.put(np.empty(0))
        volume = segments.take(series.volume)
        session = series.session[segments.rows]
        usual = self._usual(session - session[0], _minutes(segments, series), volume)
        return segments.put(divide(volume, usual))

    def _usual(self, day: Integers, minute: Floats, volume: Floats) -> Floats:
        """Return the mean at the same minute of the days before."""
        before = self.params.sessions
        slot = _slots(minute)
        usual = np.full(len(day), nan)
        days = int(day[-1]) + 1
        if days <= before:
            return usual
        volumes = np.zeros((days, int(slot.max()) + 1))
        present = np.zeros((days, int(slot.max()) + 1))
        volumes[day, slot] = volume
        present[day, slot] = 1.0
        mean = divide(rolling_sum_of_rows(volumes, before), rolling_sum_of_rows(present, before))
        late = day >= before
        usual[late] = mean[day[late] - before, slot[late]]
        return usual

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveRelativeVolume(self.params.sessions)


def _minutes(segments: Segments, series: Series) -> Floats:
    whole = (segments.column == 0) & (segments.take(series.to_close) == 0.0)
    return np.where(whole, _WHOLE, segments.take(series.minute))


def _slots(minute: Floats) -> Integers:
    """Return places for the minutes, counted from 0."""
    numbers = minute.astype(np.int64)
    if np.array_equal(numbers, minute):
        return numbers - int(_WHOLE)
    return np.unique(minute, return_inverse=True)[1]


class _LiveRelativeVolume:
    __slots__ = ("_first", "_last", "_sessions", "_slots")

    def __init__(self, sessions: int) -> None:
        self._sessions = sessions
        self._first = -1
        self._last = -1
        self._slots: dict[float, _Slot] = {}

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        session = bar.session
        if session < 0:
            return nan
        minute = bar.minute
        if session != self._last:
            self._last = session
            if self._first < 0:
                self._first = session
            if bar.to_close == 0.0:
                minute = _WHOLE
        slot = self._slots.get(minute)
        if slot is None:
            slot = self._slots[minute] = _Slot(self._sessions, session)
        usual = slot.usual(session)
        slot.put(session, bar.volume)
        if session - self._first < self._sessions or not usual > 0.0:
            return nan
        return bar.volume / usual

    def rescale(self, factor: float) -> None:
        """Restate the volumes."""
        for slot in self._slots.values():
            slot.rescale(factor)


class _Slot:
    """Volumes of one minute in the last sessions, nan where there was none."""

    __slots__ = ("_last", "_volumes")

    def __init__(self, sessions: int, session: int) -> None:
        self._volumes = array("d", [nan]) * sessions
        self._last = session - 1

    def usual(self, session: int) -> float:
        """Return the mean over the sessions before this one."""
        volumes = self._volumes
        for missed in range(max(self._last + 1, session - len(volumes)), session):
            volumes[missed % len(volumes)] = nan
        total = sum(volumes)
        if total == total:
            return total / len(volumes)
        held = [volume for volume in volumes if volume == volume]
        return sum(held) / len(held) if held else nan

    def put(self, session: int, volume: float) -> None:
        """Keep the session's volume instead of the oldest."""
        self._volumes[session % len(self._volumes)] = volume
        self._last = session

    def rescale(self, factor: float) -> None:
        """Divide what is remembered."""
        self._volumes = array("d", [volume / factor for volume in self._volumes])
