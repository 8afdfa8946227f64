"""Resident memory of the real daemon at the end of each day of a fast session that trades a lot.

python -m tests.benchmarks.daemon.memory [--days 5] [--symbols 20]
"""

import argparse
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.benchmarks.daemon.running import OPEN, custom, daemon
from tradingd.session.calendar import local_date


def measure(days: int, symbols: int) -> dict[str, Any]:
    """Let the days pass as fast as they can; sample from outside."""
    ends: dict[str, float] = {}
    words = (*OPEN, f"feed.symbols={symbols}", f"feed.days={days}", "feed.speed=0")
    with daemon(*words, "feed.at_end=stay", *custom("Churn")) as one:
        one.ready()
        before = one.rss()
        bars = days * 390
        began, last, fills = time.perf_counter(), 0, 0
        while True:
            status = one.status()
            ends[str(local_date(status.data_time))] = one.rss()
            fills = status.fills
            if status.data_time == last and not status.session_open:
                break
            last = status.data_time
            time.sleep(0.2)
        seconds = time.perf_counter() - began
        cpu = one.cpu()
        orders = _orders(one.state / "journal.sqlite")
    samples = list(ends.values())
    return {
        "ready_mb": before,
        "days": ends,
        "growth_percent": 100 * (samples[-1] / samples[0] - 1),
        "orders": orders,
        "fills": fills,
        "batches_per_s": bars / seconds,
        "cpu_s": cpu,
    }


def _orders(journal: Path) -> int:
    """Return how many orders were placed: the journal keeps what the process forgets."""
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT COUNT(*) FROM orders").fetchone()[0])


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--symbols", type=int, default=20)
    options = parser.parse_args()
    print(json.dumps(measure(options.days, options.symbols)))


if __name__ == "__main__":
    main()
