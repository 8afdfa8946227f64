"""Unite the small files of each partition; every partition changes in one commit."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import pyarrow as pa

from tradingd.domain.market import DataKind
from tradingd.history import files, manifest, recovery
from tradingd.history.layout import Partition, Series
from tradingd.history.lock import refusing_writes, writer_lock
from tradingd.history.manifest import Commit, FileRecord, united_sources
from tradingd.history.store import Store

TARGET_ROWS: Final = 1_000_000


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What a compaction did."""

    partitions: int
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def compact(store: Store, progress: Callable[[int, int], None] = lambda _d, _a: None) -> Compacted:
    """Unite runs of small files up to about a million rows; the rows stay the same.

    A kill leaves each partition in its old or its new form.

    Raises
    ------
    Failure
        STORE_LOCKED, STORE_WRITE or DAMAGED_PARQUET.
    """
    with writer_lock(store.root):
        contents = store.contents()
        with refusing_writes(store.root):
            recovery.tidy(store.root, contents)
        before = _size(contents.files())
        runs = list(_runs(contents.files()))
        for done, run in enumerate(runs, start=1):
            entry = _unite(store, run)
            with refusing_writes(store.root):
                manifest.append(store.root, [entry])
                contents.apply(entry)
                recovery.retire(store.root, entry.remove)
            progress(done, len(runs))
    after = _size(contents.files())
    return Compacted(
        partitions=len({run[0].folder for run in runs}),
        files_before=before[0],
        files_after=after[0],
        bytes_before=before[1],
        bytes_after=after[1],
    )


def _size(records: Sequence[FileRecord]) -> tuple[int, int]:
    return len(records), sum(one.bytes for one in records)


def _runs(records: Sequence[FileRecord]) -> Iterator[list[FileRecord]]:
    """Neighbouring files of one partition that together stay near the target."""
    data = [one for one in records if one.table in list(DataKind)]
    run: list[FileRecord] = []
    for one in sorted(data, key=lambda record: (record.folder, record.first_ts)):
        full = sum(member.rows for member in run) + one.rows > TARGET_ROWS
        if run and (one.folder != run[0].folder or full):
            if len(run) > 1:
                yield run
            run = []
        run.append(one)
    if len(run) > 1:
        yield run


def _unite(store: Store, run: Sequence[FileRecord]) -> Commit:
    rows = pa.concat_tables([files.read_rows(store.root, one) for one in run]).combine_chunks()
    first = run[0]
    series = Series(DataKind(first.table), first.symbol, first.resolution)
    partition = Partition.at(series, first.folder)
    sources = united_sources(run)
    with refusing_writes(store.root):
        record = files.write_rows(
            store.root, partition, rows, store.settings, sources, first.adjusted
        )
    return Commit(
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        source="compact",
        add=(record,),
        remove=tuple(one.path for one in run),
    )
