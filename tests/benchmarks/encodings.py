"""Size and speed of Parquet encodings on synthetic minute bars; prints one line per choice."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.history.schema import BARS, PRICE

ROWS = 98_280  # a year of regular-session minutes
DELTA = "DELTA_BINARY_PACKED"


def minute_bars() -> pa.Table:
    """A random walk in cents with lognormal volumes in round lots."""
    chance = np.random.default_rng(1)
    close = 15_000 + np.cumsum(chance.integers(-3, 4, ROWS))
    opening = np.concatenate([[15_000], close[:-1]])
    high = np.maximum(opening, close) + chance.integers(0, 4, ROWS)
    low = np.minimum(opening, close) - chance.integers(0, 4, ROWS)
    volume = (chance.lognormal(9, 1, ROWS) // 100 * 100).astype(np.int64)
    minutes = np.arange(ROWS)
    stamps = 1_577_975_400_000_000_000 + (minutes // 390 * 1440 + minutes % 390 + 1) * 60 * 10**9
    prices = [pa.array(one).cast(pa.decimal128(38, 0)) for one in (opening, high, low, close)]
    cents = [_scaled(one) for one in prices]
    return pa.table([stamps, stamps, *cents, volume], names=BARS.names).cast(BARS)


def _scaled(cents: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    hundredth = pa.scalar("0.01").cast(pa.decimal128(3, 2))
    return pc.multiply(cents.cast(pa.decimal128(20, 0)), hundredth).cast(PRICE)


def measure(table: pa.Table, path: Path, name: str, rows: int, **options: Any) -> None:
    """Write once, read five times, print bytes a row and million rows a second."""
    began = time.perf_counter()
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=3,
        row_group_size=rows,
        store_decimal_as_integer=True,
        **options,
    )
    wrote = time.perf_counter() - began
    best = min(_read_seconds(path) for _ in range(5))
    size = path.stat().st_size / ROWS
    sys.stdout.write(
        f"{name:28} groups {rows:6}: {size:6.2f} B/row, "
        f"write {ROWS / wrote / 1e6:5.1f} M/s, read {ROWS / best / 1e6:5.1f} M/s\n"
    )


def _read_seconds(path: Path) -> float:
    began = time.perf_counter()
    pq.ParquetFile(path).read(use_threads=False)
    return time.perf_counter() - began


def main() -> None:
    """Compare the encodings that a writer could choose."""
    table = minute_bars()
    prices = ["open", "high", "low", "close"]
    times = {"ts_event": DELTA, "ts_init": DELTA}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bars.parquet")
        measure(table, path, "default (dictionaries)", 16_384)
        measure(table, path, "plain", 16_384, use_dictionary=False)
        measure(
            table,
            path,
            "times delta, rest dictionary",
            16_384,
            use_dictionary=[*prices, "volume"],
            column_encoding=times,
        )
        for rows in (4_096, 16_384, 65_536):
            every = dict.fromkeys(table.column_names, DELTA)
            measure(table, path, "delta", rows, use_dictionary=False, column_encoding=every)


if __name__ == "__main__":
    main()
