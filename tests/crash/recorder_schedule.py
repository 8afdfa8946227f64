"""SIGKILL a recorder at random moments, again and again; then read what is on the disk.

    python -m tests.crash.recorder_schedule --runs 50 --seed 1
    python -m tests.crash.recorder_schedule --runs 1 --seed SEED --keep   # replay one that failed

Each run has one to three lives in one folder that are killed - while they record, unite parts,
publish, or clean up after the life before - and a last one that only starts and stops. After each
kill every part can be read; together they hold all that was reported as written or told a flush
interval before. After the last
start every life is published once: no row twice, none missing in between, each as computed.
"""

import argparse
import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from tests.crash.recorder_life import (
    FLUSH,
    INTERVAL_MS,
    LENGTH,
    SYMBOLS,
    begins,
    bid_of,
    live,
    marks,
    number_at,
    symbol_of,
)
from tradingd.recorder.messages import whole_lines

STEP: Final = INTERVAL_MS * 1_000_000

SLACK: Final = 3.0
"""Seconds that writing may take on a machine that others use too; what was reported as written has
none."""

_CENT: Final = 100
"""Stored price units."""


def killed(root: Path, life: int, dice: random.Random) -> tuple[Path, float]:
    """Begin a life and kill it; return its marks, and when it died by the monotonic clock."""
    marks_to = root.parent / f"marks-{life}"
    turns = dice.choice([LENGTH, dice.randrange(50, LENGTH)])
    words = [sys.executable, "-m", "tests.crash.recorder_life", str(root), str(life)]
    process = subprocess.Popen([*words, str(marks_to), str(turns)])
    deadline = time.monotonic() + 30
    # Two in three count from the first record, the others may die while they clean up.
    if dice.random() < 0.67:
        while not marks_to.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(dice.uniform(0.0, turns * 0.004 + 0.5))
    else:
        time.sleep(dice.uniform(0.4, 2.0))
    process.send_signal(signal.SIGKILL)
    died = time.monotonic()
    process.wait()
    return marks_to, died


def met(root: Path) -> set[str]:
    """Return what the kill met, by what lay there: to see that the schedule reaches everything."""
    folders = [one for one in root.glob("*/.recording/*") if one.is_dir()]
    names = [one.name for one in root.rglob("*") if one.is_file()]
    seen = {"a folder that is done" for one in folders if one.suffix == ".done"}
    seen |= {"a folder without a name" for one in folders if one.name.startswith(".making")}
    seen |= {"half a file" for name in names if name.endswith(".partial")}
    parts = [name for name in names if name.startswith("rows-")]
    seen |= {"parts" for _ in parts}
    seen |= {"united parts" for name in parts if name[5:11] != name[12:18]}
    seen |= {"published files" for name in names if "_snapshots_" in name}
    if "parts" in seen and "published files" in seen:
        seen.add("some published, some not")
    return seen or {"nothing yet"}


def due(marks_to: Path, died: float) -> int | None:
    """Return the data time up to which all must be on the disk; None: nothing.

    Whatever the recorder had seen written, and what was told a flush interval before.
    """
    all_marks = list(marks(marks_to))
    told = [one.told for one in all_marks if one.at <= died - FLUSH - SLACK]
    written = [one.written for one in all_marks if one.written]
    return max(told + written, default=None)


class Found:
    """Rows and messages of every symbol and life, wherever they are on the disk."""

    def __init__(self, root: Path) -> None:
        self.rows: Counter[tuple[str, int, int]] = Counter()
        self.messages: Counter[tuple[str, int]] = Counter()
        for path in root.rglob("*.parquet"):
            if path.suffix == ".parquet" and not path.name.startswith("."):
                table = pq.read_table(path, columns=["symbol", "ts", "bid_px_00"])
                times = table["ts"].cast("int64").to_pylist()
                columns = (table["symbol"].to_pylist(), times, table["bid_px_00"].to_pylist())
                self.rows.update(zip(*columns, strict=True))
        for path in root.rglob("*_messages_*.json"):
            for one in json.loads(path.read_bytes())["messages"]:
                self.messages[(path.parent.name, one[0])] += 1
        for path in root.rglob("messages.jsonl"):
            for line in whole_lines(path):
                self.messages[(path.parents[2].name, json.loads(line)[0])] += 1


def missing(root: Path, life: int, upto: int | None) -> list[str]:
    """Return what should be on the disk of a life and is not."""
    if upto is None:
        return []
    found = Found(root)
    faults = []
    for symbol in SYMBOLS:
        rows = {ts for name, ts, _ in found.rows if name == symbol}
        wanted = set(expected_rows(life, symbol, upto))
        if lost := wanted - rows:
            faults.append(f"{symbol} misses {len(lost)} of {len(wanted)} rows")
    told = {(symbol_of(n), begins(life) + n * 3_000_000) for n in range(number_at(life, upto) + 1)}
    if lost_messages := told - set(found.messages):
        faults.append(f"{len(lost_messages)} messages missing")
    return faults


def expected_rows(life: int, symbol: str, upto: int) -> dict[int, int]:
    """Return the best bid of every grid time that a later record has closed."""
    first = SYMBOLS.index(symbol)
    begun = begins(life) + first * 3_000_000
    rows = {}
    for ts in range(-(-begun // STEP) * STEP, upto - 3 * 3_000_000, STEP):
        number = number_at(life, ts)
        rows[ts] = bid_of(number - (number - first) % len(SYMBOLS)) * _CENT
    return rows


def published(root: Path, lives: int) -> list[str]:
    """Return what is wrong with the published files of all lives."""
    faults = []
    if left := [str(one) for one in root.rglob(".recording/*")]:
        faults.append(f"left behind: {left}")
    found = Found(root)
    if twice := [key for key, count in found.rows.items() if count > 1]:
        faults.append(f"rows twice: {twice[:3]}")
    if twice_told := [key for key, count in found.messages.items() if count > 1]:
        faults.append(f"messages twice: {twice_told[:3]}")
    for life in range(lives):
        for symbol in SYMBOLS:
            span = (begins(life), begins(life + 1))
            rows = {
                ts: bid
                for name, ts, bid in found.rows
                if name == symbol and span[0] <= ts < span[1]
            }
            if rows:
                wanted = expected_rows(life, symbol, max(rows) + 10 * 3_000_000)
                wanted = {ts: bid for ts, bid in wanted.items() if ts <= max(rows)}
                if rows != wanted:
                    faults.append(f"life {life} of {symbol}: {len(rows)} rows are not as computed")
            numbers = sorted(
                number_at(life, ts)
                for name, ts in found.messages
                if name == symbol and span[0] <= ts < span[1]
            )
            first = SYMBOLS.index(symbol)
            if numbers != list(range(first, first + 3 * len(numbers), 3)):
                faults.append(f"life {life} of {symbol}: messages are not contiguous")
    return faults


def run(
    seed: int, *, keep: bool = False, seen: Counter[str] | None = None
) -> tuple[list[str], float]:
    """Return what went wrong, and the longest stretch before a kill that was lost, in seconds."""
    dice = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="tradingd-recorder-"))
    root = folder / "level2"
    faults: list[str] = []
    worst = 0.0
    lives = dice.randrange(1, 4)
    for life in range(lives):
        marks_to, died = killed(root, life, dice)
        if seen is not None:
            seen.update(met(root))
        upto = due(marks_to, died)
        faults += [f"life {life}: {one}" for one in missing(root, life, upto)]
        worst = max(worst, lost_seconds(root, life, marks_to, died))
    asyncio.run(live(root, lives, folder / "last", 0))
    faults += published(root, lives)
    if keep or faults:
        sys.stdout.write(f"kept: {folder}\n")
    else:
        shutil.rmtree(folder)
    return faults, worst


def lost_seconds(root: Path, life: int, marks_to: Path, died: float) -> float:
    """Return how long before the kill the last record on the disk was told."""
    last = max((ts for _, ts in Found(root).messages if ts >= begins(life)), default=0)
    first_lost = min((one.at for one in marks(marks_to) if one.told > last), default=died)
    return max(0.0, died - first_lost)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    failed = 0
    losses = []
    seen: Counter[str] = Counter()
    for seed in range(given.seed, given.seed + given.runs):
        faults, worst = run(seed, keep=given.keep, seen=seen)
        losses.append(worst)
        failed += bool(faults)
        sys.stdout.write(f"seed {seed}: {'; '.join(faults) or 'whole'}, lost {worst:.2f} s\n")
        sys.stdout.flush()
    losses.sort()
    sys.stdout.write(f"met: {', '.join(f'{name} {n}' for name, n in seen.most_common())}\n")
    sys.stdout.write(
        f"{given.runs} runs, {failed} with faults; lost before a kill: median "
        f"{losses[len(losses) // 2]:.2f} s, at most {losses[-1]:.2f} s (flush {FLUSH} s)\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
