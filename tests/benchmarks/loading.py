"""Rows per CPU second from stored Parquet to engine objects; prints one JSON object."""

import argparse
import json
import sys
import time
from pathlib import Path

from tests.benchmarks import dataset
from tradingd.domain.market import Resolution
from tradingd.engine.loader import BarLoader
from tradingd.engine.venue import bar_type
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar


def main() -> None:
    """Stream the store once as Arrow and once as engine bars."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--chunk-rows", type=int, default=100_000)
    options = parser.parse_args()
    calendar = SessionCalendar("XNYS")
    _ = calendar.sessions
    store = Store(options.root / "store")

    def feed():
        return store.feed(
            dataset.symbols(options.symbols),
            Resolution.MINUTE,
            None,
            None,
            chunk_rows=options.chunk_rows,
            sessions=calendar,
        )

    began = time.process_time()
    rows = sum(chunk.table.num_rows for chunk in feed().chunks())
    arrow_cpu = time.process_time() - began
    loader = BarLoader({name: bar_type(name, Resolution.MINUTE) for name in feed().symbols()})
    began = time.process_time()
    bars = sum(len(batch) for chunk in feed().chunks() for batch in loader.bars(chunk.table))
    objects_cpu = time.process_time() - began
    json.dump(
        {"rows": rows, "bars": bars, "arrow_cpu_s": arrow_cpu, "objects_cpu_s": objects_cpu},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
