"""`python -m tests.benchmarks.scan`: seconds that a scan of a large store takes.

The store is synthetic: minute bars from 08:00 to 16:00 New York of many symbols, one of them new
on the day that is scanned. Wall and CPU seconds of the headless scan as of the open.
"""

import argparse
import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from tradingd.cli.scan import ScanParams
from tradingd.cli.scan_run import run
from tradingd.domain.market import Resolution
from tradingd.history.schema import BARS
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar, local_midnight_ns

MINUTE = 60_000_000_000
DAY = dt.date(2024, 3, 20)
HOURS = range(8 * 60 + 1, 16 * 60 + 1)


def fill(root: Path, symbols: int, sessions: int) -> int:
    """Write the store; return its rows."""
    days = SessionCalendar().between(dt.date(2023, 1, 1), DAY)[-(sessions + 1) :]
    minutes = np.arange(HOURS.start, HOURS.stop, dtype=np.int64) * MINUTE
    stamps = np.concatenate([local_midnight_ns(one.day) + minutes for one in days])
    dice = np.random.default_rng(1)
    rows = 0
    with Store(root).batch("benchmark") as batch:
        for number in range(symbols):
            mine = stamps if number else stamps[-len(minutes) :]
            walk = np.exp(np.cumsum(dice.normal(0, 0.001, len(mine))))
            price = pa.array(np.round(dice.uniform(2, 28) * walk, 2)).cast(pa.decimal128(18, 9))
            columns = {
                "ts_event": mine,
                "ts_init": mine,
                "volume": dice.integers(1, 5_000, len(mine)),
            }
            columns |= dict.fromkeys(("open", "high", "low", "close"), price)
            table = pa.table({name: columns[name] for name in BARS.names}).cast(BARS)
            batch.bars(Resolution.MINUTE, f"S{number:03d}", table)
            rows += len(mine)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = fill(Path(folder), given.symbols, given.sessions)
        wall, cpu = time.perf_counter(), time.process_time()
        scan = run(ScanParams(overrides=(f"store.root={folder}", "scan.min_gap_percent=-50")))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sys.stdout.write(
        f"SUMMARY symbols={scan.seen} rows={rows} wall_seconds={wall:.1f} cpu_seconds={cpu:.1f}\n"
    )


if __name__ == "__main__":
    main()
