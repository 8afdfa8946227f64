"""Our measures against polars on the same file: wall, CPU, memory; prints, never asserts.

``.venv/bin/python -m tests.benchmarks.microstructure [--rows N] [--rounds N]``
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

CASES = ("ours", "polars", "polars-streaming", "read", "report")


def measured(case: str, path: Path) -> dict[str, Any]:
    """Run one case in this process."""
    began = time.perf_counter()
    if case.startswith("polars"):
        from tests.benchmarks.microstructure import with_polars

        found = with_polars.measures(path, "streaming" if "-" in case else "in-memory")
    else:
        from tests.benchmarks.microstructure import ours

        found = getattr(ours, "measures" if case == "ours" else case)(path)
    wall = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "mb": used.ru_maxrss / 1024,
        "found": found,
    }


def apart(case: str, path: Path) -> dict[str, Any]:
    """Run one case in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.microstructure", case, str(path)]
    return dict(json.loads(subprocess.check_output(command)))


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether all numbers agree to 9 digits."""
    for key, value in one.items():
        for left, right in zip(_list(value), _list(other[key]), strict=True):
            if not math.isclose(left, right, rel_tol=1e-9):
                return False
    return True


def main() -> None:
    """Write a day, run the cases in turns, print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case", nargs="?")
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measured(asked.case, asked.path)))
        return
    with tempfile.TemporaryDirectory() as folder:
        from tests.benchmarks.microstructure.books import write_day

        path = Path(folder, "SYN_snapshots_000000.parquet")
        write_day(path, asked.rows)
        print(f"{asked.rows:,} snapshots x 10 levels, {path.stat().st_size / 1e6:.0f} MB on disk")
        runs: dict[str, list[dict[str, Any]]] = {case: [] for case in CASES}
        for _ in range(asked.rounds):
            for case in CASES:
                runs[case].append(apart(case, path))
    middle = {
        case: {key: median(run[key] for run in done) for key in ("wall", "cpu", "mb")}
        for case, done in runs.items()
    }
    for case, row in middle.items():
        rate = asked.rows / row["wall"] / 1e6
        print(
            f"{case:18} wall {row['wall']:6.2f} s  cpu {row['cpu']:6.2f} s  "
            f"peak {row['mb']:6.0f} MB  {rate:5.1f} M snapshots/s"
        )
    for case in ("polars", "polars-streaming"):
        agree = same(runs["ours"][0]["found"], runs[case][0]["found"])
        ratios = [f"{key} {middle['ours'][key] / middle[case][key]:.2f}" for key in middle[case]]
        print(f"ours / {case}: {', '.join(ratios)}; same numbers: {agree}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    main()
