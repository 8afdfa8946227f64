"""Stream stored bars of many symbols in time order; memory follows chunk_rows, nothing else.

A first pass reads only times and counts rows per day. From the counts follow windows of a few
chunks; each window reads, symbol by symbol, the row groups that touch it, and is cut into chunks.
A row group at a window's edge is read twice: that costs less than keeping one per symbol.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tradingd.domain.market import ActionKind, CorporateAction, Instrument, Resolution
from tradingd.domain.ports import BarChunk
from tradingd.history import reference
from tradingd.history.digest import combine
from tradingd.history.layout import times
from tradingd.history.manifest import FileRecord
from tradingd.history.rowgroups import RowGroups, own_memory
from tradingd.history.span import SessionCut, Span, Stamps
from tradingd.history.windows import DayCounts, chunk_ends
from tradingd.kits.hashing import stable_hash
from tradingd.session.calendar import local_midnight_ns

# Rows read at once, in chunks: more means fewer row groups read twice, and more memory.
WINDOW_CHUNKS: Final = 8
COLUMNS: Final = ("ts_event", "open", "high", "low", "close", "volume")


class StoredFeed:
    """A `BarFeed` over the files of a store; made by `Store.feed`."""

    def __init__(
        self,
        *,
        root: Path,
        resolution: Resolution,
        files: Mapping[str, Sequence[FileRecord]],
        span: Span,
        cut: SessionCut | None,
        calendar: str,
        chunk_rows: int,
        tables: Mapping[str, pa.Table],
    ) -> None:
        self._root = root
        self._resolution = resolution
        self._files = files
        self.span = span
        self._cut = cut
        self._calendar = calendar
        self._chunk_rows = chunk_rows
        self._tables = tables

    @property
    def resolution(self) -> Resolution:
        """Length of the bars."""
        return self._resolution

    def symbols(self) -> Sequence[str]:
        """Return the symbols that have rows in the range, sorted."""
        return [symbol for symbol, rows in self._census[1].items() if rows]

    def rows(self) -> int:
        """Return how many rows the stream yields."""
        return self._census[0].total

    def chunks(self) -> Iterator[BarChunk]:
        """Yield the bars in time order, each chunk sorted by symbol, then time."""
        groups = {
            symbol: RowGroups(
                self._root, [one for one in self._files[symbol] if self._in_span(one)]
            )
            for symbol in self.symbols()
        }
        for window in self._census[0].windows(self._chunk_rows * WINDOW_CHUNKS):
            yield from self._window_chunks(groups, window)

    def actions(self) -> Sequence[CorporateAction]:
        """Return splits and dividends of the symbols inside the range, by ex-date.

        Prices that their source adjusted for splits meet no split here, and dividends in the share
        units of those prices.
        """
        first, last = self._edges
        return [
            one
            for action in reference.actions_from(self._tables["actions"], set(self.symbols()))
            if (one := self._as_seen(action)) is not None
            and first <= local_midnight_ns(one.ex_date) < last
        ]

    def instruments(self) -> Sequence[Instrument]:
        """Return the trading facts, one per symbol."""
        return reference.instruments_from(self._tables["instruments"], self.symbols())

    def fingerprint(self) -> str:
        """Return a hash of the rows, actions and reference data behind the stream.

        It follows from content: a copy of the store, a compacted one or one that was imported in
        another order has the same. Whole partitions count, so rows added to a year that the range
        touches change it.
        """
        symbols = set(self.symbols())
        tables = {
            name: [row for row in _hashable(table).to_pylist() if row["symbol"] in symbols]
            for name, table in self._tables.items()
        }
        return stable_hash(
            {
                "resolution": self._resolution,
                "range": [self.span.start_ns, self.span.end_ns],
                "sessions": self._calendar,
                "bars": {symbol: self._partitions(symbol) for symbol in sorted(symbols)},
                "tables": tables,
            }
        )

    def _partitions(self, symbol: str) -> dict[str, str]:
        files = self._files[symbol]
        folders = sorted({one.folder for one in files if self._in_span(one)})
        return {
            folder: combine(one.digest for one in files if one.folder == folder)
            for folder in folders
        }

    def _in_span(self, record: FileRecord) -> bool:
        return self.span.touches(record.first_ts, record.last_ts)

    @cached_property
    def _census(self) -> tuple[DayCounts, dict[str, int]]:
        """Rows per day, and per symbol; reads the time column once."""
        wanted = [one for files in self._files.values() for one in files if self._in_span(one)]
        first = min((one.first_ts for one in wanted), default=0)
        last = max((one.last_ts for one in wanted), default=0)
        counts, per_symbol = DayCounts(first, last), {}
        for symbol, files in self._files.items():
            before = counts.total
            for record in files:
                if self._in_span(record):
                    for stamps in RowGroups(self._root, [record]).stamps():
                        counts.add(self._inside(stamps))
            per_symbol[symbol] = counts.total - before
        return counts, per_symbol

    def _inside(self, stamps: Stamps) -> Stamps:
        offset, length = self.span.slice_of(stamps)
        stamps = stamps[offset : offset + length]
        if self._cut is None:
            return stamps
        runs = [stamps[low : low + size] for low, size in self._cut.slices_of(stamps)]
        return np.concatenate(runs) if runs else stamps[:0]

    @cached_property
    def _edges(self) -> tuple[int, int]:
        """First and last time the stream can hold, UTC nanoseconds."""
        wanted = [one for files in self._files.values() for one in files if self._in_span(one)]
        first = max(self.span.start_ns, min(one.first_ts for one in wanted) - 1)
        return first, min(self.span.end_ns, max(one.last_ts for one in wanted))

    def _as_seen(self, action: CorporateAction) -> CorporateAction | None:
        if action.kind not in (ActionKind.SPLIT, ActionKind.DIVIDEND):
            return None
        if not self._files[action.symbol][0].adjusted:
            return action
        return reference.in_adjusted_units(action, self._tables["actions"])

    def _window_chunks(self, groups: Mapping[str, RowGroups], window: Span) -> Iterator[BarChunk]:
        window = window.both(self.span)
        parts: list[tuple[str, pa.Table, Stamps]] = []
        for symbol, files in groups.items():
            table = self._cut_rows(files.read(window, COLUMNS), window)
            if table is not None:
                parts.append((symbol, table, times(table)))
        if not parts:
            return
        edge = window.start_ns
        for end in chunk_ends(np.concatenate([stamps for _, _, stamps in parts]), self._chunk_rows):
            yield _chunk(parts, Span(edge, end))
            edge = end

    def _cut_rows(self, table: pa.Table | None, window: Span) -> pa.Table | None:
        if table is None:
            return None
        table = table.slice(*window.slice_of(times(table)))
        if self._cut is not None:
            runs = self._cut.slices_of(times(table))
            table = pa.concat_tables([table.slice(*run) for run in runs]) if runs else None
        return own_memory(table) if table is not None and table.num_rows else None


def _chunk(parts: Sequence[tuple[str, pa.Table, Stamps]], span: Span) -> BarChunk:
    tables: list[Any] = []
    first, last = span.end_ns, span.start_ns
    names: list[str] = []
    sizes: list[int] = []
    for symbol, table, stamps in parts:
        offset, length = span.slice_of(stamps)
        if length:
            tables.append(table.slice(offset, length))
            names.append(symbol)
            sizes.append(length)
            first = min(first, int(stamps[offset]))
            last = max(last, int(stamps[offset + length - 1]))
    rows = pa.concat_tables(tables).combine_chunks()
    column = pa.array(names).take(pa.array(np.repeat(np.arange(len(names)), sizes)))
    return BarChunk(rows.add_column(0, pa.field("symbol", pa.string()), column), first, last)


def _hashable(table: pa.Table) -> pa.Table:
    """Turn nanosecond times into integers: as objects they depend on pandas being loaded."""
    fields = [
        pa.field(field.name, pa.int64()) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
