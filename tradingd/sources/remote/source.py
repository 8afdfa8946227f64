"""A vendor as a source: one import task per symbol, whatever the vendor."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from tradingd.config.source import RemoteSource as RemoteConfig
from tradingd.domain.market import (
    NANOSECONDS,
    CorporateAction,
    DataKind,
    ReferenceData,
    Resolution,
)
from tradingd.history.span import Span
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_date
from tradingd.sources.columns import Bars, select, to_table
from tradingd.sources.remote.trouble import Kind, Trouble, failure
from tradingd.sources.remote.vendor import Vendor
from tradingd.sources.rules import require_sound

SETTLED: Final = 30 * 60 * NANOSECONDS
"""After a session's close, before an import without an end asks for its bars."""


class RemoteSource:
    """Implements `domain.ports.Source` over a `Vendor`; constructing one touches nothing.

    Parameters
    ----------
    config : RemoteSource
        What to fetch.
    vendor : Vendor
        From whom.
    calendar : SessionCalendar, optional
        Regular sessions; default XNYS.
    wall : callable, optional
        UTC nanoseconds now; decides only where an open end is.
    """

    def __init__(
        self,
        config: RemoteConfig,
        vendor: Vendor,
        calendar: SessionCalendar | None = None,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._config = config
        self._vendor = vendor
        self._calendar = calendar or SessionCalendar()
        self._wall = wall

    @property
    def name(self) -> str:
        """Short name of the vendor."""
        return self._vendor.name

    @property
    def knows_actions(self) -> bool:
        """Whether an empty `actions` means that there are none."""
        return self._vendor.knows_actions

    def narrowed(
        self, symbols: Sequence[str], resolution: Resolution, first: dt.date, last: dt.date
    ) -> "RemoteSource":
        """Return the same source, with its connection and allowances, asked for something else."""
        config = msgspec.structs.replace(
            self._config,
            symbols=tuple(symbols),
            resolution=str(resolution),
            start=first,
            end=last,
        )
        return RemoteSource(config, self._vendor, self._calendar, self._wall)

    def tasks(self) -> Sequence["RemoteTask"]:
        """List one task per symbol.

        Raises
        ------
        Failure
            CONFIG without symbols, or for a bar length the vendor does not have.
        """
        resolution = Resolution(self._config.resolution)
        if not self._config.symbols:
            raise _nothing_asked(self.name)
        if resolution not in self._vendor.resolutions:
            raise _no_such_bars(self._vendor, resolution)
        last = self._last_day()
        return [
            RemoteTask(self._vendor, symbol, resolution, self._config.start, last)
            for symbol in self._config.symbols
        ]

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends of the symbols in the configured days.

        Raises
        ------
        Failure
            SOURCE or UNREADABLE_INPUT.
        """
        first, last = self._config.start, self._last_day()
        found: list[CorporateAction] = []
        for symbol in self._config.symbols if self.knows_actions else ():
            try:
                found += self._vendor.actions(symbol, first, last)
            except Trouble as trouble:
                # Of a symbol that it does not know, the vendor knows no actions: `tasks` tells it.
                if trouble.kind is not Kind.UNKNOWN:
                    raise _told(trouble, self._vendor, f"{self.name} {symbol} actions") from trouble
        return found

    def reference(self) -> ReferenceData:
        """Return nothing: these vendors' earnings and borrow lists are not read."""
        return ReferenceData()

    def _last_day(self) -> dt.date:
        if self._config.end is not None:
            return self._config.end
        return last_day_over(self._calendar, self._wall() - SETTLED)


def last_day_over(calendar: SessionCalendar, ts: int) -> dt.date:
    """Return the day of the last session that had closed by `ts`, UTC nanoseconds."""
    today = local_date(ts)
    for session in reversed(calendar.between(today - dt.timedelta(days=14), today)):
        if session.close_ns <= ts:
            return session.day
    return today


class RemoteTask:
    """The bars of one symbol over some days."""

    kind = DataKind.BARS

    def __init__(
        self, vendor: Vendor, symbol: str, resolution: Resolution, first: dt.date, last: dt.date
    ) -> None:
        self._vendor = vendor
        self._symbol = symbol
        self._first = first
        self._last = last
        self.resolution: Resolution | None = resolution
        self._skipped: Counter[str] = Counter()

    @property
    def label(self) -> str:
        """Vendor, symbol, bar length and days."""
        days = f"{self._first}..{self._last}"
        return f"{self._vendor.name} {self._symbol} {self.resolution} {days}"

    @property
    def skipped(self) -> Mapping[str, int]:
        """Rows left out, by reason."""
        return self._skipped

    def load(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the symbol's bars in one table; nothing when the vendor has none.

        Raises
        ------
        Failure
            SOURCE, UNKNOWN_SYMBOL, UNREADABLE_INPUT, or INVALID_ROW naming the row.
        """
        assert self.resolution is not None
        try:
            found = self._vendor.bars(self._symbol, self.resolution, self._first, self._last)
        except Trouble as trouble:
            raise _told(trouble, self._vendor, self.label) from trouble
        self._skipped = Counter(found.skipped)
        bars = self._in_days(found.bars)
        if len(bars.ts):
            require_sound(bars, lambda position: f"{self.label}, row {position + 1}")
            yield self._symbol, to_table(bars)

    def _in_days(self, bars: Bars) -> Bars:
        """Sort by time and cut what lies outside the asked days."""
        ordered = select(bars, np.argsort(bars.ts, kind="stable"))
        offset, length = Span.of_days(self._first, self._last).slice_of(ordered.ts)
        if outside := len(ordered.ts) - length:
            self._skipped["outside_range"] += outside
        cut = select(ordered, np.arange(offset, offset + length))
        assert isinstance(cut, Bars)
        return cut


def _told(trouble: Trouble, vendor: Vendor, where: str) -> Failure:
    step = f"check {vendor.key}, and what its plan includes" if vendor.key else ""
    return failure(trouble, vendor.name, where, step)


def _nothing_asked(name: str) -> Failure:
    return Failure(
        f"source {name} must be told what to fetch",
        code=ExitCode.CONFIG,
        where="source.symbols",
        expected="at least one symbol",
        found="none",
        next_step="source.symbols=[SPY,AAPL]",
    )


def _no_such_bars(vendor: Vendor, resolution: Resolution) -> Failure:
    return Failure(
        f"source {vendor.name} has no {resolution} bars",
        code=ExitCode.CONFIG,
        where="source.resolution",
        expected=" or ".join(vendor.resolutions),
        found=str(resolution),
        next_step="choose another source, or another resolution",
    )
