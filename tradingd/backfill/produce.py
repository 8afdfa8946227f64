"""DBN to the files of one task: streamed, so that memory does not grow with the day."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.backfill.job import Job
from tradingd.backfill.provider import Window
from tradingd.domain.market import NANOSECONDS
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2 import columns
from tradingd.level2.grid import GridSampler, Sampling
from tradingd.level2.trades import trades_of
from tradingd.level2.writer import SnapshotWriter, trades_writer
from tradingd.vendors.databento.dbn import BOOK_SCHEMAS, DbnFile

_MILLISECOND: Final = NANOSECONDS // 1_000

_SILENT_SECONDS: Final = 600
"""A book that is repeated for so long until the window's end is worth a word: it may be cut."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written; `rows` 0: there was nothing, and no file was touched."""

    rows: int
    trades: int | None = None
    bytes: int = 0
    note: str = ""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a task's files are to be written."""

    snapshots: bool
    trades: bool


def produce(dbn: Path, job: Job, files: Files, check: Callable[[], None]) -> Written:
    """Write a task's files from a DBN file that holds its symbol and window.

    Parameters
    ----------
    dbn : pathlib.Path
        May hold other symbols and more time.
    job : Job
    files : Files
    check : Callable
        Called between chunks; what it raises ends the work without a trace.

    Raises
    ------
    Failure
        UNREADABLE_INPUT, DAMAGED_ARCHIVE or INVALID_ROW.
    """
    file = _opened(dbn)
    window = _covered(file, job.window)
    sampler = _sampler(job, window)
    schema = columns.snapshot_schema(job.config.levels)
    snapshots = SnapshotWriter(job.snapshots, schema, job.snapshot_facts())
    trades = trades_writer(job.trades, job.trade_facts()) if job.trades and files.trades else None
    rows = last = 0
    try:
        for records in _records(file, job, window, check):
            last = int(records["ts_recv"][-1]) if len(records) else last
            rows += _write(snapshots, sampler.sampled(records))
            if trades:
                trades.write(trades_of(_within(records, window), job.task.symbol))
        rows += _write(snapshots, sampler.rest())
        check()
        if not rows:
            return Written(rows=0, note=_nothing(file, job))
        count = trades.commit() if trades else None
        if files.snapshots:
            snapshots.commit()
    finally:
        snapshots.abort()
        if trades:
            trades.abort()
    size = _size(job.snapshots, files.snapshots) + _size(job.trades, files.trades)
    return Written(rows=rows, trades=count, bytes=size, note=_doubts(window, job, last))


def _write(writer: SnapshotWriter, batches: Iterator[pa.RecordBatch]) -> int:
    rows = 0
    for batch in batches:
        writer.write(batch)
        rows += int(batch.num_rows)
    return rows


def _size(path: Path | None, written: bool) -> int:
    return path.stat().st_size if path and written else 0


def _opened(path: Path) -> DbnFile:
    file = DbnFile(path).open()
    if file.schema not in BOOK_SCHEMAS:
        raise Failure(
            "the DBN file holds no order books",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected=", ".join(BOOK_SCHEMAS),
            found=file.schema,
        )
    return file


def _covered(file: DbnFile, window: Window) -> Window:
    """Return what the file was asked for of the window: beyond it, a book is not known."""
    end = min(window.end_ns, file.end_ns) if file.end_ns else window.end_ns
    return Window(start_ns=max(window.start_ns, file.start_ns), end_ns=end)


def _sampler(job: Job, window: Window) -> GridSampler:
    config = job.config
    sampling = Sampling(
        levels=config.levels,
        interval_ns=config.interval_ms * _MILLISECOND,
        on_change=config.on_change,
        stale_ns=round(config.stale_seconds * NANOSECONDS),
    )
    return GridSampler(job.task.symbol, sampling, window.start_ns, window.end_ns)


def _records(
    file: DbnFile, job: Job, window: Window, check: Callable[[], None]
) -> Iterator[NDArray[np.void]]:
    """Yield the records of the symbol before the window's end; earlier ones make its first book."""
    numbers = _Numbers(file, job.vendor_symbol)
    for chunk in file.chunks(job.config.chunk_rows):
        check()
        times = chunk["ts_recv"]
        if int(times[0]) >= window.end_ns:
            return
        yield chunk[numbers.mask(chunk) & (times < window.end_ns)]


class _Numbers:
    """Which instrument ids mean a symbol; vendors hand them out anew every UTC day."""

    def __init__(self, file: DbnFile, symbol: str) -> None:
        self._file = file
        self._symbol = symbol
        self._days: dict[int, list[int]] = {}

    def mask(self, chunk: NDArray[np.void]) -> NDArray[np.bool_]:
        """Return which records are the symbol's."""
        days = (chunk["ts_recv"] // (86_400 * NANOSECONDS)).astype(np.int64)
        found = np.zeros(len(chunk), np.bool_)
        for day in np.unique(days):
            found |= (days == day) & np.isin(chunk["instrument_id"], self._on(int(day)))
        return found

    def _on(self, number: int) -> list[int]:
        if number not in self._days:
            day = dt.date(1970, 1, 1) + dt.timedelta(days=number)
            names = self._file.symbol_of(day)
            self._days[number] = [one for one, name in names.items() if name == self._symbol]
        return self._days[number]


def _within(records: NDArray[np.void], window: Window) -> NDArray[np.void]:
    return records[records["ts_recv"] >= window.start_ns]


def _nothing(file: DbnFile, job: Job) -> str:
    if job.vendor_symbol not in file.symbols:
        return f"the vendor's file has no {job.vendor_symbol}"
    return f"{file.dataset} has no {file.schema} records in the window"


def _doubts(window: Window, job: Job, last: int) -> str:
    """Return why the rows may not be all that a person expects; empty: no reason."""
    missing = (window.start_ns - job.window.start_ns) + (job.window.end_ns - window.end_ns)
    silent = (window.end_ns - last) // NANOSECONDS
    told = [f"the vendor's file lacks {missing / NANOSECONDS:g} s of the window"] if missing else []
    if silent >= _SILENT_SECONDS:
        told.append(f"no record in the last {silent} s: the book of before is repeated there")
    return "; ".join(told)
