"""Bars held in memory, such as the embedded sample, as a stream of chunks."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from tradingd.domain.market import CorporateAction, Instrument, Resolution
from tradingd.domain.ports import BarChunk, BarFeed
from tradingd.feeds.columns import SCHEMA, times_of
from tradingd.feeds.ranges import empty_range
from tradingd.history.span import Span
from tradingd.kits.hashing import stable_hash
from tradingd.session.calendar import local_date

CHUNK_ROWS: Final = 10_000

type Load = Callable[[], Mapping[str, pa.Table]]


class MemoryBars:
    """Bars of a few symbols, loaded whole when the first range is asked for.

    Parameters
    ----------
    name : str
        What a refusal calls them.
    resolution : Resolution
        Length of the bars.
    load : Callable
        Returns the rows of each symbol in the store's schema, sorted by time.
    actions : Callable
        Returns all splits and dividends.
    """

    def __init__(
        self,
        name: str,
        resolution: Resolution,
        load: Load,
        actions: Callable[[], Sequence[CorporateAction]],
    ) -> None:
        self._name = name
        self._resolution = resolution
        self._load = load
        self._actions = actions
        self._table: pa.Table | None = None

    def between(self, start: dt.date | None, end: dt.date | None) -> BarFeed:
        """Return the bars of New York days, both inclusive."""
        if self._table is None:
            self._table = _together(self._load())
        times = times_of(self._table["ts_event"])
        span = Span.of_days(start, end)
        rows = self._table.filter(pa.array((times > span.start_ns) & (times <= span.end_ns)))
        if not rows.num_rows:
            found = "nothing"
            if len(times):
                found = f"{local_date(int(times.min()))} to {local_date(int(times.max()))}"
            raise empty_range(self._name, start, end, found)
        inside = times_of(rows["ts_event"])
        first, last = local_date(int(inside.min())), local_date(int(inside.max()))
        actions = [one for one in self._actions() if first <= one.ex_date <= last]
        return MemoryFeed(rows, self._resolution, sorted(actions, key=lambda one: one.ex_date))


class MemoryFeed:
    """A `BarFeed` over a table in memory; made by `MemoryBars`."""

    def __init__(
        self, table: pa.Table, resolution: Resolution, actions: Sequence[CorporateAction]
    ) -> None:
        self._table = table
        self._resolution = resolution
        self._all_actions = actions

    @property
    def resolution(self) -> Resolution:
        """Length of the bars."""
        return self._resolution

    def symbols(self) -> Sequence[str]:
        """Return the symbols with rows, sorted."""
        return sorted(self._table["symbol"].unique().to_pylist())

    def rows(self) -> int:
        """Return how many rows the stream yields."""
        return int(self._table.num_rows)

    def chunks(self) -> Iterator[BarChunk]:
        """Yield the bars in time order."""
        times = times_of(self._table["ts_event"])
        stamps, counts = np.unique(times, return_counts=True)
        ends = np.flatnonzero(np.diff((np.cumsum(counts) - 1) // CHUNK_ROWS, append=-1))
        first = 0
        for end in ends.tolist():
            low, high = int(stamps[first]), int(stamps[end])
            rows = self._table.filter(pa.array((times >= low) & (times <= high)))
            yield BarChunk(rows, low, high)
            first = end + 1

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends inside the range, by ex-date."""
        return self._all_actions

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts: one cent ticks."""
        return [Instrument(symbol=symbol) for symbol in self.symbols()]

    def fingerprint(self) -> str:
        """Return a hash of the rows."""
        return stable_hash([str(row) for row in self._table.to_pylist()])


def _together(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return the rows of all symbols in the layout of a chunk, by symbol, then time."""
    parts = []
    for symbol, table in sorted(tables.items()):
        column = pa.array([symbol] * table.num_rows, pa.string())
        with_symbol = table.append_column(pa.field("symbol", pa.string()), column)
        parts.append(with_symbol.select(SCHEMA.names).cast(SCHEMA))
    return pa.concat_tables(parts).combine_chunks() if parts else SCHEMA.empty_table()
