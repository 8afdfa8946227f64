"""One measured `tradingd backtest`, in a process of its own; prints one JSON object.

Gate, results on disk, purging and streaming are all on: this is the path a user runs.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from tradingd.app.backtest import backtest
from tradingd.config.load import load


def peak_mb() -> float:
    """Return this process's peak resident memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run the configuration given as overrides and print the measurements."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path, help="folder with a store/ made by dataset.py")
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args()
    loaded = load(
        [
            "mode=backtest",
            "risk=open",
            "mode.cash=100000000",
            f"store.root={options.root / 'store'}",
            f"mode.results={options.root / 'runs'}",
            *options.overrides,
        ]
    )
    began = time.process_time()
    result = backtest(loaded)
    json.dump(
        {
            "rows": result.outcome.rows,
            "orders": result.outcome.orders,
            "engine_cpu_s": result.outcome.engine_seconds,
            "load_cpu_s": result.outcome.load_seconds,
            "cpu_s": time.process_time() - began,
            "peak_mb": peak_mb(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
