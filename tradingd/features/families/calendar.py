"""The exchange's calendar: which day it is, how far the session has come, what was closed before.

A published schedule, holidays of the years ahead included, so nothing here is told by prices. Bars
outside of regular sessions have no value.

Sources
-------
French (1980), "Stock Returns and the Weekend Effect", Journal of Financial Economics 8. Ariel
(1987), "A Monthly Effect in Stock Returns", ibid. 18; Lakonishok & Smidt (1988), "Are Seasonal
Anomalies Real?", Review of Financial Studies 1: turn of the month.
"""

from functools import cached_property
from math import nan
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.rolling import divide
from tradingd.features.series import Floats, Integers, LiveBar, Series


class Turn(FeatureParams, frozen=True, kw_only=True):
    """How wide the turn of the month is."""

    sessions: Annotated[
        int, Meta(ge=1, le=10, description="Sessions on each side of the turn that are told apart.")
    ] = 4


class Closure(FeatureParams, frozen=True, kw_only=True):
    """What counts as a gap."""

    days: Annotated[
        int,
        Meta(ge=1, le=30, description="Days without a session that make a gap; a weekend has 2."),
    ] = 2


class _SessionFact(Feature):
    """Base of kinds that are a fact of the session."""

    inputs: ClassVar[tuple[str, ...]] = ("session",)

    @property
    def memory(self) -> int:
        """Nothing is remembered."""
        return 0

    def facts(self, days: Integers) -> Floats:
        """Return one value a session; `days` are their dates, counted from 1970-01-01."""
        raise NotImplementedError(type(self).__name__)

    @cached_property
    def table(self) -> Floats:
        """One value a session of the calendar, and nan for -1."""
        days = np.array([one.day for one in self.context.calendar.sessions], "datetime64[D]")
        return np.append(self.facts(days.astype(np.int64)), nan)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return self.table[series.session]

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return LiveFact(self.table)


class LiveFact:
    """The value is looked up when the session changes."""

    __slots__ = ("_session", "_table", "_value")

    def __init__(self, table: Floats) -> None:
        self._table = table
        self._session = -1
        self._value = nan

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        if bar.session != self._session:
            self._session = bar.session
            self._value = float(self._table[bar.session])
        return self._value

    def rescale(self, factor: float) -> None:
        """Dates have no price."""


class DayOfWeek(_SessionFact):
    """Weekday of the session."""

    kind = "day_of_week"
    summary = "0 Monday to 4 Friday"
    source = "French (1980), Journal of Financial Economics 8"

    def facts(self, days: Integers) -> Floats:
        """Return one value a session."""
        # 1970-01-01 was a Thursday.
        return ((days + 3) % 7).astype(np.float64)


class MonthTurn(_SessionFact):
    """Sessions to and from the turn of the month."""

    Params = Turn
    kind = "month_turn"
    summary = "-1 on a month's last session, 1 on its first, to `sessions` on each side; else 0"
    source = "Ariel (1987), JFE 18; Lakonishok & Smidt (1988), Review of Financial Studies 1"

    def facts(self, days: Integers) -> Floats:
        """Return one value a session."""
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        index = np.arange(len(days))
        after = index - np.searchsorted(months, months, side="left") + 1
        left = np.searchsorted(months, months, side="right") - index
        width = self.params.sessions
        late = np.where(left <= width, -left, 0)
        # A month so short that both sides meet counts from the nearer turn.
        return np.where((after <= width) & (after <= left), after, late).astype(np.float64)


class HalfDay(_SessionFact):
    """Whether the session closes early."""

    kind = "half_day"
    summary = "1 where the session is shorter than the exchange's usual one, else 0"
    source = "the exchange's calendar"

    def facts(self, days: Integers) -> Floats:
        """Return one value a session."""
        spans = np.array([one.close_ns - one.open_ns for one in self.context.calendar.sessions])
        shorter: Floats = (spans < np.median(spans)).astype(np.float64)
        return shorter


class DaysSinceGap(_SessionFact):
    """Sessions since the exchange was last closed for some days."""

    Params = Closure
    kind = "days_since_gap"
    summary = "sessions since it was shut for `days` days or more; 0 on the first one after"
    source = "French (1980), Journal of Financial Economics 8: trading and calendar time"

    def facts(self, days: Integers) -> Floats:
        """Return one value a session."""
        index = np.arange(len(days))
        gap = np.zeros(len(days), dtype=np.bool_)
        gap[1:] = np.diff(days) > self.params.days
        last = np.maximum.accumulate(np.where(gap, index, -1))
        return np.where(last >= 0, index - last, nan).astype(np.float64)


class DaysClosed(_SessionFact):
    """Days without a session before this one."""

    kind = "days_closed"
    summary = "days the exchange was shut before the session: 0 within a week, 2 after a weekend"
    source = "French (1980), Journal of Financial Economics 8"

    def facts(self, days: Integers) -> Floats:
        """Return one value a session."""
        closed: Floats = np.append(nan, np.diff(days) - 1.0)
        return closed


class MinuteOfSession(Feature):
    """How long the session has been open."""

    kind = "minute_of_session"
    summary = "minutes from the session's open to the bar's close"
    source = "the exchange's calendar"
    inputs: ClassVar[tuple[str, ...]] = ("minute",)

    @property
    def memory(self) -> int:
        """Nothing is remembered."""
        return 0

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return series.minute.copy()

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LiveMinute()


class _LiveMinute:
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        return bar.minute

    def rescale(self, factor: float) -> None:
        """Nothing is remembered."""


class SessionPosition(MinuteOfSession):
    """How much of the session is over: 0 at the open, 1 at the close, early ones too."""

    kind = "session_position"
    summary = "minutes since the open / minutes of the whole session"
    source = "the exchange's calendar"
    inputs: ClassVar[tuple[str, ...]] = ("minute", "to_close")

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return divide(series.minute, series.minute + series.to_close)

    def live(self) -> Live:
        """Return the computation bar by bar."""
        return _LivePosition()


class _LivePosition(_LiveMinute):
    __slots__ = ()

    def update(self, bar: LiveBar) -> float:
        """Take the next bar."""
        return bar.minute / (bar.minute + bar.to_close)
