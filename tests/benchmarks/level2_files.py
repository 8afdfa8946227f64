"""DBN to Parquet: rows/s, size and memory against the vendor's own ways, in one run.

``python -m tests.benchmarks.level2_files [FILE] [--copies 40]`` repeats the records of a DBN mbp-10
file (later each time) to a file of its own, then converts it in a process each, in turns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.conftest import REPOSITORY

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"
SECOND = 1_000_000_000
UNDEF = 2**63 - 1
ROUNDS = 2


def to_parquet(source: Path, target: Path) -> None:
    import databento

    databento.DBNStore.from_file(source).to_parquet(target)


def to_df(source: Path, target: Path) -> None:
    import databento

    databento.DBNStore.from_file(source).to_df().to_parquet(target)


def every_change(source: Path, target: Path) -> None:
    ours(source, target, interval_ms=0)


def grid(source: Path, target: Path) -> None:
    ours(source, target, interval_ms=100)


def ours(source: Path, target: Path, *, interval_ms: int) -> None:
    import datetime as dt

    from tradingd.level2.columns import snapshot_schema
    from tradingd.level2.facts import snapshot_facts
    from tradingd.level2.grid import GridSampler, Sampling
    from tradingd.level2.writer import SnapshotWriter
    from tradingd.vendors.databento.dbn import DbnFile

    file = DbnFile(source).open()
    symbol, changes = file.symbols[0], not interval_ms
    sampling = Sampling(
        levels=10, interval_ns=interval_ms * 1_000_000, on_change=changes, stale_ns=60 * SECOND
    )
    sampler = GridSampler(symbol, sampling, file.start_ns, 2**62)
    facts = snapshot_facts(
        symbol=symbol,
        day=dt.date(2025, 4, 3),
        levels=10,
        interval_ms=interval_ms,
        on_change=changes,
        source="databento",
    )
    with SnapshotWriter(target, snapshot_schema(10), facts) as writer:
        for records in file.chunks():
            for batch in sampler.sampled(records):
                writer.write(batch)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "databento to_parquet": to_parquet,
    "databento to_df + pandas": to_df,
    "ours, every change": every_change,
    "ours, 100 ms grid": grid,
}


def repeat(source: Path, target: Path, copies: int) -> int:
    """Write the records again and again, each time later and a cent dearer; return how many.

    Exact copies would flatter whoever compresses over long distances.
    """
    import databento

    store = databento.DBNStore.from_bytes(source.read_bytes())
    records = store.to_ndarray().copy()
    prices = [name for name in records.dtype.names or () if "_px_" in name]
    span = -(-int(records["ts_recv"][-1] - records["ts_recv"][0]) // SECOND) * SECOND
    with target.open("wb") as out:
        out.write(bytes(store.metadata))
        for _ in range(copies):
            out.write(records.tobytes())
            for name in ("ts_recv", "ts_event"):
                records[name] += span
            for name in prices:
                records[name] += 10_000_000 * (records[name] != UNDEF)
    return copies * len(records)


def measure(way: str, source: Path, target: Path) -> dict[str, float]:
    """Convert in a process of its own; return wall and CPU seconds, bytes, and peak memory."""
    command = [sys.executable, "-m", "tests.benchmarks.level2_files", "--one", way]
    done = subprocess.run(
        [*command, str(source), str(target)], check=True, capture_output=True, cwd=REPOSITORY
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def one(way: str, source: Path, target: Path) -> None:
    warnings.simplefilter("ignore")
    wall, cpu = time.perf_counter(), time.process_time()
    WAYS[way](source, target)
    told = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "bytes": target.stat().st_size,
        "rss": peak_memory(),
    }
    print(json.dumps(told))


def peak_memory() -> int:
    """Return this process's peak resident bytes; getrusage's would include the parent's."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) * 1024


def compare(source: Path, copies: int) -> None:
    import pyarrow as pa

    with tempfile.TemporaryDirectory() as folder:
        big, target = Path(folder) / "repeated.dbn", Path(folder) / "out.parquet"
        rows = repeat(source, big, copies)
        packed = len(pa.compress(big.read_bytes(), codec="zstd", asbytes=True))
        print(f"{source.name} x {copies}: {rows:,} records, DBN.zst {packed / 1e6:.1f} MB")
        found = {way: [measure(way, big, target) for _ in range(ROUNDS)] for way in WAYS}
    best = {
        way: {key: min(told[key] for told in runs) for key in runs[0]}
        for way, runs in found.items()
    }
    base = best["databento to_parquet"]
    print(f"{'':24}{'M rec/s':>9}{'per CPU s':>10}{'MB':>8}{'RSS MB':>8}", end="")
    print("   against to_parquet: speed, CPU, size, memory; size to DBN.zst")
    for way, told in best.items():
        speed, effort = rows / told["wall"] / 1e6, rows / told["cpu"] / 1e6
        size, memory = told["bytes"] / 1e6, told["rss"] / 1e6
        print(f"{way:24}{speed:9.2f}{effort:10.2f}{size:8.2f}{memory:8.0f}", end="   ")
        against = (base["wall"] / told["wall"], base["cpu"] / told["cpu"])
        less = (told["bytes"] / base["bytes"], told["rss"] / base["rss"])
        print(f"{against[0]:.1f}x, {against[1]:.1f}x, {less[0]:.2f}, {less[1]:.2f}", end="; ")
        print(f"{told['bytes'] / packed:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", help="(inner) convert once and print figures")
    parser.add_argument("--copies", type=int, default=60)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    if given.one:
        one(given.one, *given.files)
        return
    data = os.environ.get("TRADINGD_REAL_DATA") or REPOSITORY.parent / "shared" / "data"
    compare(given.files[0] if given.files else Path(data) / FROG, given.copies)


if __name__ == "__main__":
    main()
