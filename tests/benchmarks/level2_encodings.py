"""Bytes a row of book snapshots by Parquet encoding: why the writer writes as it does.

``python -m tests.benchmarks.level2_encodings [FILE]``, a DBN mbp-10 file, as it is: not repeated.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.level2_files import FROG, SECOND
from tests.conftest import REPOSITORY
from tradingd.level2.grid import GridSampler, Sampling
from tradingd.level2.writer import ROW_GROUP, SnapshotWriter
from tradingd.vendors.databento.dbn import DbnFile

ENCODINGS = ("PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "dictionary")


def rows_of(source: Path, sampling: Sampling) -> pa.Table:
    file = DbnFile(source).open()
    sampler = GridSampler(file.symbols[0], sampling, file.start_ns, 2**62)
    batches = [batch for records in file.chunks() for batch in sampler.sampled(records)]
    return pa.Table.from_batches(batches).combine_chunks()


def write_arrow(table: pa.Table, path: Path, encoding: str, level: int) -> None:
    numbers = [field.name for field in table.schema if pa.types.is_integer(field.type)]
    numbers += [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    chosen: dict[str, Any] = {"use_dictionary": True}
    if encoding != "dictionary":
        of_numbers = dict.fromkeys(numbers, encoding)
        chosen = {"use_dictionary": ["symbol"], "column_encoding": of_numbers}
    level_of: dict[str, Any] = {"compression": "zstd", "compression_level": level}
    pq.write_table(table, path, row_group_size=ROW_GROUP, **level_of, **chosen)


def write_ours(table: pa.Table, path: Path, on_change: bool) -> None:
    facts = {"on_change": "true" if on_change else "false"}
    with SnapshotWriter(path, table.schema, facts) as writer:
        for batch in table.to_batches():
            writer.write(batch)


def write_duckdb(table: pa.Table, path: Path) -> None:
    assert table.num_rows
    duckdb.sql("SET threads = 1")
    duckdb.sql(
        f"COPY (FROM snapshots) TO '{path}' (FORMAT parquet, COMPRESSION zstd, "
        f"PARQUET_VERSION v2, ROW_GROUP_SIZE {ROW_GROUP})"
    )


def main() -> None:
    data = os.environ.get("TRADINGD_REAL_DATA") or REPOSITORY.parent / "shared" / "data"
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(data) / FROG
    for name, interval in (("every change", 0), ("100 ms grid", SECOND // 10)):
        sampling = Sampling(levels=10, interval_ns=interval, on_change=not interval, stale_ns=0)
        table = rows_of(source, sampling)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            ways = [
                (f"{encoding} zstd {level}", write_arrow, (encoding, level))
                for level in (3, 6)
                for encoding in ENCODINGS
            ]
            duckdb.register("snapshots", table)
            ways.append(("DuckDB v2", write_duckdb, ()))
            ways.append(("ours", write_ours, (not interval,)))
            print(f"{name}: {table.num_rows:,} rows")
            for label, write, more in ways:
                began = time.process_time()
                write(table, path, *more)
                spent = time.process_time() - began
                size = path.stat().st_size
                rate = table.num_rows / spent / 1e6
                print(f"  {label:28}{size / 1e3:8.0f} KB{rate:8.2f} M rows per CPU s")


if __name__ == "__main__":
    main()
