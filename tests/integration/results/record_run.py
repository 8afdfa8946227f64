"""Record a small run into the folder named on the command line; run in processes of their own."""

import sys
from pathlib import Path

from tests.unit.results.result_rows import (
    bars,
    cash,
    denial,
    equity,
    fill,
    manifest,
    order,
    position,
    record,
)
from tradingd.results.finish import finish


def record_run(root: Path, *, seconds: float = 1.0) -> Path:
    """Make a run with rows in every table; return its folder."""
    rows = [order(), fill(), position(), denial(), cash("dividend", "5")]
    days = [equity(f"2014-03-{day:02d}", f"{100_000 + day % 7 * 40}") for day in range(1, 29)]
    folder = record(root, *rows, *days)
    finish(folder, manifest=manifest(), timing={"engine_cpu_s": seconds}, prices=bars)
    return folder.path


if __name__ == "__main__":
    record_run(Path(sys.argv[1]), seconds=float(sys.argv[2]))
