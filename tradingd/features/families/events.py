"""Company events known ahead of time: days to and since earnings.

Distances are counted in sessions and capped: a company names its date some weeks ahead, so a
feature that looked further would know what nobody knew. An announcement on a day without a session
belongs to the next session. A symbol without any date has no value; nor has one whose last known
date is so long ago that the next must be missing from the table.

Sources
-------
Ball & Brown (1968), "An Empirical Evaluation of Accounting Income Numbers", Journal of Accounting
Research 6; Frazzini & Lamont (2007), "The Earnings Announcement Premium and Trading Volume", NBER
13090: the date is known ahead.
"""

from functools import cached_property
from math import nan
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta

from tradingd.features.families.calendar import LiveFact
from tradingd.features.feature import Feature, FeatureParams, Live
from tradingd.features.series import Floats, Integers, Series

_STALE: Final = 75
"""Sessions after which the next quarter's date must have come; a quarter has 62 to 65."""


class Cap(FeatureParams, frozen=True, kw_only=True):
    """How far it looks."""

    sessions: Annotated[
        int, Meta(ge=1, le=63, description="Largest distance told; farther ones read the same.")
    ] = 10


class _EarningsFeature(Feature):
    """Base of kinds that count sessions from announcements."""

    Params = Cap
    inputs: ClassVar[tuple[str, ...]] = ("session",)

    @property
    def memory(self) -> int:
        """Nothing is remembered."""
        return 0

    @cached_property
    def _days(self) -> Integers:
        days = [one.day for one in self.context.calendar.sessions]
        found: Integers = np.array(days, "datetime64[D]").astype(np.int64)
        return found

    def table(self, symbol: str) -> Floats:
        """Return one value a session of the calendar, and nan for -1."""
        dates = self.context.earnings.get(symbol, ())
        if not dates:
            return np.full(len(self._days) + 1, nan)
        on = np.sort(np.array(dates, "datetime64[D]").astype(np.int64))
        events = np.unique(np.searchsorted(self._days, on, side="left"))
        values = self.count(np.arange(len(self._days)), events)
        return np.append(values, nan)

    def count(self, session: Integers, events: Integers) -> Floats:
        """Return one value a session from the numbers of sessions with an announcement."""
        raise NotImplementedError(type(self).__name__)

    def batch(self, series: Series) -> Floats:
        """Return the values of all bars."""
        return self.table(series.symbol)[series.session]

    def live(self) -> Live:
        """Return the computation of a symbol without dates."""
        return self.live_of("")

    def live_of(self, symbol: str) -> Live:
        """Return the computation bar by bar."""
        return LiveFact(self.table(symbol))


class DaysToEarnings(_EarningsFeature):
    """Sessions to the next announcement, 0 on its day."""

    kind = "days_to_earnings"
    summary = "sessions to the next earnings announcement, `sessions` at the most"
    source = "Frazzini & Lamont (2007), NBER 13090"

    def count(self, session: Integers, events: Integers) -> Floats:
        """Return one value a session."""
        following = np.searchsorted(events, session, side="left")
        known = following < len(events)
        distance = events[np.minimum(following, len(events) - 1)] - session
        capped = np.minimum(np.where(known, distance, self.params.sessions), self.params.sessions)
        stale = ~known & (session - events[-1] > _STALE)
        return np.where(stale, nan, capped)


class DaysSinceEarnings(_EarningsFeature):
    """Sessions since the last announcement, 0 on its day."""

    kind = "days_since_earnings"
    summary = "sessions since the last earnings announcement, `sessions` at the most"
    source = "Ball & Brown (1968), Journal of Accounting Research 6"

    def count(self, session: Integers, events: Integers) -> Floats:
        """Return one value a session."""
        passed = np.searchsorted(events, session, side="right")
        distance = session - events[np.maximum(passed, 1) - 1]
        capped = np.minimum(distance, self.params.sessions).astype(np.float64)
        return np.where((passed == 0) | (session - events[-1] > _STALE), nan, capped)
