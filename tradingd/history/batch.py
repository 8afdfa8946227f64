"""Write to the store: validate, compare with what is there, write files, commit them.

Rows of finished units (one input file each) are gathered so that many small inputs become few
large files; a unit is committed whole or not at all.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from tradingd.config.store import StoreConfig
from tradingd.domain.market import (
    CorporateAction,
    DataKind,
    Instrument,
    ReferenceData,
    Resolution,
)
from tradingd.history import files, layout, manifest, recovery
from tradingd.history import reference as reference_tables
from tradingd.history.layout import Partition, Series
from tradingd.history.lock import refusing_writes
from tradingd.history.manifest import Commit, FileRecord, Fill, Manifest
from tradingd.history.merge import Written, merged
from tradingd.history.provenance import joined
from tradingd.history.validate import checked
from tradingd.kits.failure import ExitCode, Failure

GATHER_ROWS: Final = 1_000_000


class Batch:
    """A writer's session, made by `Store.batch`; not to be kept beyond it.

    Parameters
    ----------
    root : Path
        Store folder, locked by the caller.
    contents : Manifest
        The store's files now; moves forward with each commit.
    source : str
        Provenance kept with every file.
    adjusted : bool
        True when the prices were split-adjusted by the source.
    verdict, note : str
        What a quality check said of the rows before, kept as provenance.
    """

    def __init__(
        self,
        root: Path,
        settings: StoreConfig,
        contents: Manifest,
        source: str,
        adjusted: bool,
        verdict: str = "",
        note: str = "",
    ) -> None:
        self._root = root
        self._settings = settings
        self._contents = contents
        self._source = source
        self._adjusted = adjusted
        self._verdict = verdict
        self._note = note
        self._finished_fills: list[Fill] = []
        self._current_fills: list[Fill] = []
        self._finished: Pending = {}
        self._current: Pending = {}
        self._staged = Staged()
        self._in_unit = False

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Keep what the block writes whole: an exception drops all of it."""
        self._in_unit = True
        try:
            yield
            self._finish_unit()
        except BaseException:
            self._drop_unit()
            raise
        finally:
            self._in_unit = False

    def bars(self, resolution: Resolution, symbol: str, table: pa.Table) -> Written:
        """Take bars; a stored bar at the same time with other values is replaced.

        Raises
        ------
        Failure
            INVALID_ROW naming symbol, time and rule; nothing of the table is kept then.
        """
        return self._take(Series(DataKind.BARS, symbol, Resolution(resolution)), table)

    def quotes(self, symbol: str, table: pa.Table) -> Written:
        """Take quotes; all rows of one instant must come in one table."""
        return self._take(Series(DataKind.QUOTES, symbol), table)

    def trades(self, symbol: str, table: pa.Table) -> Written:
        """Take trades; all rows of one instant must come in one table."""
        return self._take(Series(DataKind.TRADES, symbol), table)

    def actions(self, actions: Sequence[CorporateAction]) -> Written:
        """Take corporate actions, known by symbol, ex-date, kind and old symbol."""
        return self._take_reference("actions", reference_tables.actions_table(actions))

    def instruments(self, instruments: Sequence[Instrument]) -> Written:
        """Take trading facts, known by symbol."""
        return self._take_reference("instruments", reference_tables.instruments_table(instruments))

    def reference(self, data: ReferenceData) -> Written:
        """Take earnings dates and borrowable shares."""
        earnings = self._take_reference("earnings", reference_tables.earnings_table(data))
        return earnings + self._take_reference("borrow", reference_tables.borrow_table(data))

    def close(self) -> None:
        """Commit what finished units left; called by `Store.batch`."""
        self._drop_unit()
        self._commit_finished()

    def _take(self, series: Series, table: pa.Table) -> Written:
        table = checked(series, table)
        self._check_adjustment(series)
        counts = Written()
        for partition, rows in layout.split(series, table):
            counts += self._take_rows(partition, rows)
        if counts.changed:
            self._current_fills.append(self._fill(series, table, counts))
        if not self._in_unit:
            self._finish_unit()
        return counts

    def _fill(self, series: Series, table: pa.Table, counts: Written) -> Fill:
        first, last = files.span(table)
        return Fill(
            table=series.kind,
            symbol=series.symbol,
            resolution=series.resolution,
            first_ts=first,
            last_ts=last,
            rows=counts.rows_new + counts.rows_revised,
            verdict=self._verdict,
            note=self._note,
        )

    def _take_rows(self, partition: Partition, rows: pa.Table) -> Written:
        self._settle(partition, rows)
        overlap = self._overlapping(partition, rows)
        if not overlap:
            self._current.setdefault(partition, []).append(rows)
            self._spill_when_large()
            return Written(rows_new=rows.num_rows)
        stored = pa.concat_tables([self._read(one) for one in overlap])
        union, counts = merged(stored, rows)
        if counts.changed:
            self._discard(self._staged.supersede(overlap))
            with refusing_writes(self._root):
                self._stage(partition, union, overlap)
        return counts

    def _settle(self, partition: Partition, rows: pa.Table) -> None:
        """Move gathered rows that touch the same times to files, so that one compare sees all."""
        if _touches(self._finished.get(partition, []), rows):
            self._commit_finished()
        if _touches(self._current.get(partition, []), rows):
            self._spill()

    def _overlapping(self, partition: Partition, rows: pa.Table) -> list[FileRecord]:
        first, last = files.span(rows)
        known = [*self._contents.in_folder(partition.folder), *self._staged.add.values()]
        return [
            one
            for one in known
            if one.folder == partition.folder
            and one.first_ts <= last
            and one.last_ts >= first
            and one.path not in self._staged.remove
        ]

    def _read(self, record: FileRecord) -> pa.Table:
        return files.read_rows(self._root, record)

    def _stage(
        self, partition: Partition, rows: pa.Table, merged_from: Sequence[FileRecord] = ()
    ) -> None:
        names = {self._source, *(name for one in merged_from for name in one.source.split("+"))}
        source = "+".join(sorted(names))
        self._staged.put(
            files.write_rows(self._root, partition, rows, self._settings, source, self._adjusted)
        )

    def _finish_unit(self) -> None:
        if self._staged:
            self._spill()
            self._commit(self._staged, self._current_fills)
            self._staged, self._current_fills = Staged(), []
        for partition, tables in self._current.items():
            self._finished.setdefault(partition, []).extend(tables)
        self._current = {}
        self._finished_fills += self._current_fills
        self._current_fills = []
        if _rows(self._finished) > GATHER_ROWS:
            self._commit_finished()

    def _drop_unit(self) -> None:
        self._current = {}
        self._current_fills = []
        self._discard(self._staged.add)
        self._staged = Staged()

    def _discard(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path not in self._contents:
                (self._root / path).unlink(missing_ok=True)

    def _spill_when_large(self) -> None:
        if _rows(self._current) > GATHER_ROWS:
            self._spill()

    def _spill(self) -> None:
        """Write the current unit's rows; the manifest does not name them before it ends."""
        # Finished units first: their rows must not depend on how this one ends.
        self._commit_finished()
        with refusing_writes(self._root):
            for partition, tables in self._current.items():
                self._stage(partition, _united(tables))
        self._current = {}

    def _commit_finished(self) -> None:
        if not self._finished:
            return
        gathered, self._finished = self._finished, {}
        staged, self._staged = self._staged, Staged()
        with refusing_writes(self._root):
            for partition, tables in gathered.items():
                self._stage(partition, _united(tables))
        ready, self._staged = self._staged, staged
        fills, self._finished_fills = self._finished_fills, []
        self._commit(ready, fills)

    def _commit(self, staged: "Staged", fills: Sequence[Fill] = ()) -> None:
        entry = Commit(
            at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            source=self._source,
            add=tuple(staged.add.values()),
            remove=tuple(staged.remove),
            fills=tuple(joined(fills)),
        )
        with refusing_writes(self._root):
            manifest.append(self._root, [entry])
            self._contents.apply(entry)
            recovery.retire(self._root, [one for one in entry.remove if one not in self._contents])

    def _take_reference(self, table: str, rows: pa.Table) -> Written:
        if not rows.num_rows:
            return Written()
        # Reference rows are few: they are committed at once.
        self._commit_finished()
        known = self._contents.of_table(table)
        stored = reference_tables.read(self._root, known, table)
        union, counts = reference_tables.merged(table, stored, rows)
        if counts.changed:
            staged = Staged()
            staged.supersede(known)
            with refusing_writes(self._root):
                staged.put(
                    files.write_reference(self._root, table, union, self._settings, self._source)
                )
            self._commit(staged)
        return counts

    def _check_adjustment(self, series: Series) -> None:
        stored = self._contents.of_series(series)
        if not stored or stored[0].adjusted == self._adjusted:
            return
        words = {True: "split-adjusted by its source", False: "as traded"}
        raise Failure(
            f"{series} would mix adjusted and unadjusted prices",
            code=ExitCode.INVALID_ROW,
            where=series.symbol,
            expected=f"prices {words[stored[0].adjusted]}, as stored from {stored[0].source}",
            found=f"prices {words[self._adjusted]}, from {self._source}",
            next_step="import into another store: store.root=...",
        )


type Pending = dict[Partition, list[pa.Table]]


class Staged(msgspec.Struct):
    """Files that are in place but not yet named by the manifest, and those they supersede."""

    add: dict[str, FileRecord] = {}
    remove: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)

    def put(self, record: FileRecord) -> None:
        """Add a file."""
        self.add[record.path] = record

    def supersede(self, records: Sequence[FileRecord]) -> list[str]:
        """Drop files; return those that were only staged, to be deleted."""
        staged = [one.path for one in records if self.add.pop(one.path, None)]
        self.remove.extend(one.path for one in records if one.path not in staged)
        return staged


def _rows(pending: Pending) -> int:
    return sum(table.num_rows for tables in pending.values() for table in tables)


def _touches(tables: Sequence[pa.Table], rows: pa.Table) -> bool:
    if not tables:
        return False
    first, last = files.span(rows)
    spans = (files.span(table) for table in tables)
    return any(start <= last and end >= first for start, end in spans)


def _united(tables: Sequence[pa.Table]) -> pa.Table:
    """Concatenate tables of disjoint spans in time order."""
    return pa.concat_tables(sorted(tables, key=files.span)).combine_chunks()
