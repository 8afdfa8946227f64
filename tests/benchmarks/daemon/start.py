"""How long the daemon takes to READY, by step, and to stop; what it costs while nothing happens.

python -m tests.benchmarks.daemon.start [--symbols 20] [--idle 15]
"""

import argparse
import json
import time
from itertools import pairwise
from typing import Any

from tests.benchmarks.daemon.running import OPEN, custom, daemon


def measure(symbols: int, idle: float) -> dict[str, Any]:
    """Start, wait, stop."""
    # At speed 1 a minute passes between two batches: between them there is nothing to do.
    words = (*OPEN, f"feed.symbols={symbols}", "feed.days=1", "feed.speed=1", "feed.longest_wait=0")
    with daemon(*words, *custom("Churn")) as one:
        one.ready()
        one.rest(2)
        used, at = one.cpu(), time.perf_counter()
        one.rest(idle)
        percent = 100 * (one.cpu() - used) / (time.perf_counter() - at)
        rss = one.rss()
        stopped = one.stop()
        code = one.process.wait(5)
    marks = [("interpreter, imports, configuration", 0.0), *one.told, ("", one.ready_after)]
    took = {name: after - at for (name, at), (_, after) in pairwise(marks)}
    return {
        "ready_s": one.ready_after,
        "steps": took,
        "stop_s": stopped,
        "exit": code,
        "idle_cpu_percent": percent,
        "rss_mb": rss,
    }


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--idle", type=float, default=15.0)
    options = parser.parse_args()
    print(json.dumps(measure(options.symbols, options.idle)))


if __name__ == "__main__":
    main()
