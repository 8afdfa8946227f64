"""What the store covers: per series its span, rows, files and the sessions it has or lacks."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import DataKind, Resolution
from tradingd.history.layout import Series
from tradingd.history.manifest import FileRecord, united_sources
from tradingd.history.rowgroups import RowGroups
from tradingd.history.store import Store
from tradingd.history.windows import DAY_NS
from tradingd.kits.failure import Failure
from tradingd.session.calendar import SessionCalendar


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """One series; times are UTC, sessions count between its first and last row."""

    symbol: str
    table: str
    resolution: Resolution | None
    first: str
    last: str
    rows: int
    sessions: int
    sessions_missing: int
    files: int
    bytes: int
    adjusted: bool
    source: str


def scan(
    store: Store,
    calendar: SessionCalendar,
    symbols: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    damaged: Collection[str] = (),
) -> list[Coverage]:
    """Return the coverage of every series, or of some symbols' (reads only times).

    A series that cannot be read is left out when one of its files is known to be `damaged`.

    Raises
    ------
    Failure
        DAMAGED_PARQUET for any other file that cannot be read.
    """
    contents = store.contents()
    series = [
        one
        for kind in DataKind
        for one in contents.series(kind)
        if not symbols or one.symbol in symbols
    ]
    days = np.array([one.day for one in calendar.sessions], dtype="datetime64[D]")
    found = []
    for done, one in enumerate(series, start=1):
        records = contents.of_series(one)
        try:
            found.append(_coverage(store.root, one, records, days.view(np.int64)))
        except Failure:
            if not any(record.path in damaged for record in records):
                raise
        progress(done, len(series))
    return found


def _coverage(
    root: Path, series: Series, records: Sequence[FileRecord], sessions: NDArray[np.int64]
) -> Coverage:
    present = np.unique(np.concatenate([_days(root, one) for one in records]))
    expected = sessions[(sessions >= present[0]) & (sessions <= present[-1])]
    found = int(np.isin(expected, present).sum())
    return Coverage(
        symbol=series.symbol,
        table=str(series.kind),
        resolution=series.resolution,
        first=_moment(records[0].first_ts),
        last=_moment(max(one.last_ts for one in records)),
        rows=sum(one.rows for one in records),
        sessions=found,
        sessions_missing=len(expected) - found,
        files=len(records),
        bytes=sum(one.bytes for one in records),
        adjusted=records[0].adjusted,
        source=united_sources(records),
    )


def _days(root: Path, record: FileRecord) -> NDArray[np.int64]:
    """UTC days with rows; a New York session lies within one."""
    batches = [np.unique((stamps - 1) // DAY_NS) for stamps in RowGroups(root, [record]).stamps()]
    return np.concatenate(batches)


def _moment(ts: int) -> str:
    return f"{np.datetime64(ts, 'ns').astype('datetime64[s]')}Z"
