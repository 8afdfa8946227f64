"""One data file of the store: write it with its record, read it back checked."""

from pathlib import Path

import pyarrow as pa

from tradingd.config.store import StoreConfig
from tradingd.domain.market import DataKind
from tradingd.history import layout, parquet
from tradingd.history.digest import bars_digest
from tradingd.history.layout import Partition, times
from tradingd.history.manifest import FileRecord
from tradingd.history.recovery import file_name, located
from tradingd.kits.atomicfile import TEMPORARY_SUFFIX, fsync_file, fsync_folder
from tradingd.kits.hashing import file_hash


def write_rows(
    root: Path,
    partition: Partition,
    rows: pa.Table,
    settings: StoreConfig,
    source: str,
    adjusted: bool,
) -> FileRecord:
    """Write rows of one partition as a new file and return its record (not yet in the manifest)."""
    series = partition.series
    first, last = span(rows)
    path, sha256, size = _place(root, partition.folder, first, rows, settings)
    return FileRecord(
        path=path,
        table=series.kind,
        symbol=series.symbol,
        resolution=series.resolution,
        rows=rows.num_rows,
        bytes=size,
        first_ts=first,
        last_ts=last,
        sha256=sha256,
        digest=bars_digest(rows) if series.kind is DataKind.BARS else "",
        source=source,
        adjusted=adjusted,
    )


def write_reference(
    root: Path, table: str, rows: pa.Table, settings: StoreConfig, source: str
) -> FileRecord:
    """Write a whole reference table as a new file and return its record."""
    path, sha256, size = _place(root, layout.reference_folder(table), 0, rows, settings)
    return FileRecord(
        path=path, table=table, rows=rows.num_rows, bytes=size, sha256=sha256, source=source
    )


def _place(
    root: Path, folder: str, first_ts: int, rows: pa.Table, settings: StoreConfig
) -> tuple[str, str, int]:
    """Write under a temporary name, flush, hash, then rename to the name the hash gives."""
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    temporary = place / f".rows{TEMPORARY_SUFFIX}"
    try:
        parquet.write(rows, temporary, settings)
        fsync_file(temporary)
        sha256, size = file_hash(temporary), temporary.stat().st_size
        path = f"{folder}/{file_name(first_ts, sha256)}"
        temporary.replace(root / path)
        fsync_folder(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path, sha256, size


def read_rows(root: Path, record: FileRecord) -> pa.Table:
    """Read a file whole.

    Raises
    ------
    Failure
        DAMAGED_PARQUET when it is not the file that was written.
    """
    path = located(root, record.path)
    table = parquet.read(path)
    if table.num_rows != record.rows:
        raise parquet.damaged(path, f"{table.num_rows} rows, {record.rows} were written")
    return table


def span(rows: pa.Table) -> tuple[int, int]:
    """Return the first and last ts_event of a non-empty sorted table."""
    stamps = times(rows)
    return int(stamps[0]), int(stamps[-1])
