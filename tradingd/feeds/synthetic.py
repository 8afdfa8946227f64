"""Invented minute bars on real sessions: the same seed gives the same bars, from any day on.

Every symbol has a daily level (a random walk from `HISTORY` sessions before the first day) and,
inside a session, a random path that is tied to the levels at both ends. So a range of days can be
made without the days before it, and prices still join. Nothing here resembles a forecast; it is
there to move the machinery, and is labelled SYNTHETIC wherever it is seen.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import (
    NANOSECONDS,
    CorporateAction,
    Instrument,
    Resolution,
    Session,
)
from tradingd.domain.money import CENT
from tradingd.domain.ports import BarChunk, BarFeed
from tradingd.feeds.columns import Integers, bar_table
from tradingd.feeds.ranges import empty_range
from tradingd.kits.hashing import stable_hash
from tradingd.session.calendar import SessionCalendar

LABEL: Final = "SYNTHETIC"
HISTORY: Final = 60
"""Sessions before the first day that exist too, for warm-up."""

FIRST_DAY: Final = dt.date(2024, 1, 2)
_MINUTE: Final = 60 * NANOSECONDS
_DAILY_MOVE: Final = 0.015
_MINUTE_MOVE: Final = 0.0008
_LEAST: Final = 5.0

type Floats = NDArray[np.float64]


class SyntheticBars:
    """Minute bars of `symbols` invented symbols over `days` sessions.

    Parameters
    ----------
    symbols, days : int
        How many.
    seed : int
        Decides every price.
    calendar : SessionCalendar
        Real sessions, early closes included.
    start : datetime.date, optional
        Earliest first session; None: 2024-01-02.
    end : datetime.date, optional
        Last session, if that is before `days` are over.
    """

    def __init__(
        self,
        *,
        symbols: int,
        days: int,
        seed: int,
        calendar: SessionCalendar,
        start: dt.date | None = None,
        end: dt.date | None = None,
    ) -> None:
        width = len(str(symbols))
        self.names = [f"SYN{number:0{width}d}" for number in range(1, symbols + 1)]
        self._days = days
        self._seed = seed
        self._calendar = calendar
        self._start = start or FIRST_DAY
        self._end = end

    def between(self, start: dt.date | None, end: dt.date | None) -> BarFeed:
        """Return the bars of New York days, both inclusive, warm-up sessions too."""
        days = [session.day for session in self._sessions]
        first = bisect_left(days, start) if start else 0
        last = bisect_right(days, end) if end else len(days)
        if first >= last:
            raise empty_range("the synthetic feed", start, end, f"{days[0]} to {days[-1]}")
        return SyntheticFeed(self, range(first, last))

    def session(self, ordinal: int) -> Session:
        """Return a session by its number."""
        return self._sessions[ordinal]

    def chunk(self, ordinal: int) -> BarChunk:
        """Return the bars of one session."""
        session = self._sessions[ordinal]
        ends = np.arange(session.open_ns + _MINUTE, session.close_ns + 1, _MINUTE, dtype=np.int64)
        parts = [self._bars(ordinal, number, len(ends)) for number in range(len(self.names))]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        columns["ts_event"] = np.tile(ends, len(self.names))
        symbols = np.repeat(self.names, len(ends)).tolist()
        return BarChunk(bar_table(symbols, columns), int(ends[0]), int(ends[-1]))

    @property
    def identity(self) -> dict[str, object]:
        """Everything that decides the bars."""
        return {
            "seed": self._seed,
            "symbols": len(self.names),
            "first": self._sessions[0].day,
            "calendar": self._calendar.name,
        }

    @cached_property
    def _sessions(self) -> tuple[Session, ...]:
        known = self._calendar.sessions
        begin = bisect_left([session.day for session in known], self._start)
        wanted = known[begin : begin + self._days]
        if self._end is not None:
            wanted = tuple(session for session in wanted if session.day <= self._end)
        if not wanted:
            raise empty_range("the synthetic feed", self._start, self._end, "the calendar's years")
        return (*known[max(0, begin - HISTORY) : begin], *wanted)

    @cached_property
    def _levels(self) -> Floats:
        """Price of every symbol at the end of every session, and before the first."""
        random = np.random.default_rng([self._seed, 1])
        first = random.uniform(20.0, 300.0, len(self.names))
        moves = random.normal(0.0, _DAILY_MOVE, (len(self._sessions), len(self.names)))
        path = np.vstack([np.zeros(len(self.names)), np.cumsum(moves, axis=0)])
        levels: Floats = np.maximum(first * np.exp(path), _LEAST)
        return levels

    def _bars(self, ordinal: int, number: int, minutes: int) -> dict[str, Integers]:
        """Return one symbol's columns for one session: a path between two levels."""
        random = np.random.default_rng([self._seed, 2, ordinal, number])
        begin, end = self._levels[ordinal, number], self._levels[ordinal + 1, number]
        steps = np.cumsum(random.normal(0.0, _MINUTE_MOVE, minutes))
        share = np.arange(1, minutes + 1) / minutes
        bridge = steps - share * steps[-1]
        closes = np.exp(np.log(begin) + share * np.log(end / begin) + bridge)
        opens = np.concatenate([[begin], closes[:-1]])
        wicks = np.abs(random.normal(0.0, _MINUTE_MOVE / 2, (2, minutes)))
        highs = np.maximum(opens, closes) * (1 + wicks[0])
        lows = np.minimum(opens, closes) * (1 - wicks[1])
        smile = 1.0 + 2.0 * (2 * share - 1) ** 2
        volume = (random.lognormal(8.0, 0.6, minutes) * smile).astype(np.int64) + 100
        return {
            "open": _cents(opens),
            "high": _cents(highs),
            "low": _cents(lows),
            "close": _cents(closes),
            "volume": volume,
        }


class SyntheticFeed:
    """A `BarFeed` over some sessions; one chunk a session; made by `SyntheticBars`."""

    resolution = Resolution.MINUTE

    def __init__(self, bars: SyntheticBars, ordinals: range) -> None:
        self._bars = bars
        self._ordinals = ordinals

    def symbols(self) -> Sequence[str]:
        """Return the invented symbols."""
        return self._bars.names

    def rows(self) -> int:
        """Return how many rows the stream yields."""
        spans = [self._bars.session(one) for one in self._ordinals]
        minutes = sum((one.close_ns - one.open_ns) // _MINUTE for one in spans)
        return minutes * len(self._bars.names)

    def chunks(self) -> Iterator[BarChunk]:
        """Yield the bars, a session at a time."""
        for ordinal in self._ordinals:
            yield self._bars.chunk(ordinal)

    def actions(self) -> Sequence[CorporateAction]:
        """Return nothing: invented companies do not split."""
        return []

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts: one cent ticks."""
        return [Instrument(symbol=name) for name in self._bars.names]

    def fingerprint(self) -> str:
        """Return a hash of everything that decides the bars."""
        span = [self._ordinals.start, self._ordinals.stop]
        return stable_hash({**self._bars.identity, "span": span})


def _cents(prices: Floats) -> Integers:
    """Return prices as Nanos, rounded to the cent."""
    cents: Integers = np.rint(prices * 100).astype(np.int64) * CENT
    return cents
