"""The history store: Parquet files named by a manifest, one writer, any number of readers."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

from tradingd.config.store import StoreConfig
from tradingd.domain.market import (
    ActionKind,
    CorporateAction,
    DataKind,
    Instrument,
    ReferenceData,
    Resolution,
)
from tradingd.domain.ports import BarFeed
from tradingd.history import files, manifest, recovery, reference
from tradingd.history.batch import Batch
from tradingd.history.feed import StoredFeed
from tradingd.history.layout import Series, times
from tradingd.history.lock import refusing_writes, writer_lock
from tradingd.history.manifest import FileRecord, Manifest
from tradingd.history.missing import empty_range, no_data, unknown_symbol
from tradingd.history.schema import SCHEMAS
from tradingd.history.span import SessionCut, Span
from tradingd.kits.failure import Failure
from tradingd.session.calendar import SessionCalendar

if TYPE_CHECKING:
    import duckdb

type Adjustment = Literal["none", "split", "total"]

_SETTINGS: Final = StoreConfig()


class Store:
    """History of bars, quotes and trades with their corporate actions and reference data.

    Constructing one touches nothing; an absent folder is an empty store.

    Parameters
    ----------
    root : Path
        Folder of the store.
    settings : StoreConfig
        How new files are written (its `root` is ignored here).
    """

    def __init__(self, root: Path, settings: StoreConfig = _SETTINGS) -> None:
        self.root = root
        self.settings = settings

    def contents(self) -> Manifest:
        """Return the files of the store as of now.

        Raises
        ------
        Failure
            MANIFEST when there are files and no manifest, UNREADABLE_INPUT when it is damaged.
        """
        found = manifest.load(self.root)
        if not found.commits:
            recovery.check_named(self.root)
        return found

    @contextmanager
    def batch(
        self, source: str, *, adjusted: bool = False, verdict: str = "", note: str = ""
    ) -> Iterator[Batch]:
        """Open the store for writing; leftovers of a crashed writer are cleaned up first.

        What finished units wrote stays even when the block fails. `verdict` and `note` are kept
        with the rows' provenance.

        Raises
        ------
        Failure
            STORE_LOCKED when another process writes, STORE_WRITE when the disk refuses, MANIFEST
            when there are files and no manifest.
        """
        with writer_lock(self.root):
            contents = self.contents()
            with refusing_writes(self.root):
                recovery.tidy(self.root, contents)
                if not contents.commits:
                    manifest.begin(self.root)
            batch = Batch(self.root, self.settings, contents, source, adjusted, verdict, note)
            try:
                yield batch
            except BaseException:
                with suppress(Failure):
                    batch.close()
                raise
            batch.close()

    def symbols(self, kind: DataKind, resolution: Resolution | None = None) -> list[str]:
        """Return the symbols that have rows, sorted."""
        return sorted({one.symbol for one in self.contents().series(kind, resolution)})

    def read(
        self,
        kind: DataKind,
        symbol: str,
        resolution: Resolution | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        adjust: Adjustment = "none",
    ) -> pa.Table:
        """Return rows of one symbol in the store's schema, by ts_event.

        Days are New York days, both inclusive. Adjusted bars come from the views of `connect`.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL, EMPTY_RANGE, NO_DATA or DAMAGED_PARQUET.
        """
        series = Series(kind, symbol, resolution)
        span = Span.of_days(start, end)
        contents = self.contents()
        stored = self._files_of(contents, series)
        if adjust != "none":
            from tradingd.history.views import read_adjusted

            table = read_adjusted(self.root, contents, series, span, adjust)
        else:
            table = self._read_span(stored, kind, span)
        if not table.num_rows:
            raise empty_range([series], stored, span)
        return table

    def feed(
        self,
        symbols: Sequence[str],
        resolution: Resolution,
        start: dt.date | None,
        end: dt.date | None,
        *,
        chunk_rows: int,
        sessions: SessionCalendar | None,
    ) -> BarFeed:
        """Return a stream of bars over many symbols in bounded memory.

        With `sessions`, intraday bars are cut to regular sessions; daily bars pass as they are.

        Raises
        ------
        Failure
            UNKNOWN_SYMBOL, EMPTY_RANGE or NO_DATA, before anything is streamed.
        """
        contents = self.contents()
        wanted = [Series(DataKind.BARS, one, resolution) for one in sorted(set(symbols))]
        if not wanted:
            raise no_data(self.root, DataKind.BARS, resolution)
        stored = {one: self._files_of(contents, one) for one in wanted}
        intraday = resolution is not Resolution.DAY
        feed = StoredFeed(
            root=self.root,
            resolution=resolution,
            files={series.symbol: found for series, found in stored.items()},
            span=Span.of_days(start, end),
            cut=SessionCut.of(sessions) if sessions and intraday else None,
            calendar=sessions.name if sessions and intraday else "",
            chunk_rows=chunk_rows,
            tables={name: self._reference(contents, name) for name in reference.TABLES},
        )
        if not feed.rows():
            raise empty_range(
                wanted, [one for found in stored.values() for one in found], feed.span
            )
        return feed

    def actions(self, symbols: Sequence[str] | None = None) -> list[CorporateAction]:
        """Return corporate actions by ex-date; of all symbols when None."""
        table = self._reference(self.contents(), "actions")
        return reference.actions_from(table, None if symbols is None else set(symbols))

    def ticker_history(self, symbol: str) -> list[CorporateAction]:
        """Return the renames that lead to `symbol`, oldest first.

        A name that is handed on is two securities on one day (2014-04-03: GOOG became GOOGL and
        GOOCV became GOOG), so only an earlier rename can be part of the same history.
        """
        renames = [one for one in self.actions() if one.kind is ActionKind.RENAME]
        found: list[CorporateAction] = []
        for one in sorted(renames, key=lambda rename: rename.ex_date, reverse=True):
            earlier = not found or one.ex_date < found[-1].ex_date
            if earlier and one.symbol == (found[-1].old_symbol if found else symbol):
                found.append(one)
        return found[::-1]

    def reference(self, symbols: Sequence[str]) -> ReferenceData:
        """Return earnings dates and borrowable shares of some symbols."""
        contents = self.contents()
        return reference.data_from(
            self._reference(contents, "earnings"), self._reference(contents, "borrow"), set(symbols)
        )

    def instruments(self, symbols: Sequence[str]) -> list[Instrument]:
        """Return the trading facts of some symbols, defaults where none are stored."""
        return reference.instruments_from(self._reference(self.contents(), "instruments"), symbols)

    def connect(self, *, sealed: bool = False) -> "duckdb.DuckDBPyConnection":
        """Return an in-memory DuckDB connection with views of the store as of now.

        Views: bars, quotes, trades, actions, bars_split, bars_total and the other reference
        tables. Nothing can be written to the store through them. `sealed` also forbids reading
        any file outside the store and changing that setting.
        """
        from tradingd.history.views import connect

        return connect(self.root, self.contents(), sealed=sealed)

    def _files_of(self, contents: Manifest, series: Series) -> list[FileRecord]:
        found = contents.of_series(series)
        if found:
            return found
        others = [one.symbol for one in contents.series(series.kind, series.resolution)]
        if not others:
            raise no_data(self.root, series.kind, series.resolution)
        raise unknown_symbol(self.root, series, others)

    def _read_span(self, stored: Sequence[FileRecord], kind: DataKind, span: Span) -> pa.Table:
        parts = []
        for record in stored:
            if span.touches(record.first_ts, record.last_ts):
                rows = files.read_rows(self.root, record)
                parts.append(rows.slice(*span.slice_of(times(rows))))
        schema = SCHEMAS[kind]
        return pa.concat_tables(parts).cast(schema) if parts else schema.empty_table()

    def _reference(self, contents: Manifest, table: str) -> pa.Table:
        return reference.read(self.root, contents.of_table(table), table)
