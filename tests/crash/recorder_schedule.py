"""SIGKILL a recorder at random moments, again and again; then read what is on the disk.

    python -m tests.crash.recorder_schedule --runs 50 --seed 1
    python -m tests.crash.recorder_schedule --runs 1 --seed SEED --keep   # replay one that failed

Each run has one to three lives in one folder that are killed - while they record, unite parts,
publish, or clean up after the life before - and a last one that only starts and stops. A life keeps
a diary of what it handed to its writer, and of what was on the disk when. After each kill every
part can be read; together they hold all that was told before the last hand-over that was done; and
no hand-over came later than a flush interval after the one before, or than that was done. What
the machine itself took (turns of the loop that came late) is measured, and is no fault. After the
last start every life is published once: no row twice, none missing in between, each as computed.
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
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow.parquet as pq

from tests.crash.recorder_life import (
    FLUSH,
    GAP,
    INTERVAL_MS,
    LENGTH,
    SYMBOLS,
    Job,
    begins,
    bid_of,
    jobs,
    live,
    marks,
    number_at,
    over,
    symbol_of,
)
from tradingd.recorder.jobs import MessagesJob, RowsJob
from tradingd.recorder.messages import whole_lines

STEP: Final = INTERVAL_MS * 1_000_000

TURN: Final = 0.010
"""Seconds between two marks that a turn of a life needs by itself."""

BLUR: Final = 0.050
"""Seconds by which a timer may be late on a loop that is not."""

SLOWNESS: Final = (0.0, 0.0, 0.0, 0.06)
"""Seconds by which a disk is slower, one of them a life: with the last, six writes a flush take
longer than its interval."""

_CENT: Final = 100
"""Stored price units."""


def killed(root: Path, life: int, dice: random.Random) -> tuple[Path, float]:
    """Begin a life and kill it; return its diary, and when it died by the monotonic clock."""
    diary = root.parent / f"diary-{life}"
    turns = dice.choice([LENGTH, dice.randrange(50, LENGTH)])
    words = [sys.executable, "-m", "tests.crash.recorder_life", str(root), str(life)]
    process = subprocess.Popen([*words, str(diary), str(turns), str(dice.choice(SLOWNESS))])
    deadline = time.monotonic() + 30
    # Two in three count from the first record, the others may die while they clean up.
    if dice.random() < 0.67:
        while not diary.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(dice.uniform(0.0, turns * 0.004 + 0.5))
    else:
        time.sleep(dice.uniform(0.4, 2.0))
    process.send_signal(signal.SIGKILL)
    died = time.monotonic()
    process.wait()
    return diary, died


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


def flushes(handed: list[Job]) -> list[tuple[float, float | None]]:
    """Return when each flush began and, where it did, ended: a flush has each kind of job once."""
    found: list[list[Job]] = []
    for one in handed:
        if found and (one.kind, one.symbol) not in {(it.kind, it.symbol) for it in found[-1]}:
            found[-1].append(one)
        else:
            found.append([one])
    return [(jobs[0].at, jobs[-1].done) for jobs in found]


def late(diary: Path, died: float) -> list[str]:
    """Return which flushes began later than they had to, or before they could be written."""
    turns = [one.at for one in marks(diary)]
    if not turns:
        return []
    begun = flushes(jobs(diary))
    recording = over(diary) or died
    turns.append(recording)
    faults = []
    waiting = [at for at, done in begun if done is None and at < recording]
    if len(waiting) > 1:
        faults.append(f"{len(waiting)} flushes wait behind each other")
    for (at, done), (then, _) in pairwise([*begun, (died, None)]):
        if then > recording:
            break
        stalled = sum(
            max(0.0, after - before - TURN)
            for before, after in pairwise(turns)
            if after > at and before < then
        )
        allowed = max(FLUSH, (done or then) - at) + stalled + BLUR
        if then - at > allowed:
            faults.append(f"no flush for {then - at:.2f} s, {allowed:.2f} s were due")
    return faults


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


def missing(root: Path, life: int, diary: Path) -> list[str]:
    """Return what was on the disk of a life by its diary, and is not."""
    found = Found(root)
    faults = []
    for symbol in SYMBOLS:
        done = [one for one in jobs(diary) if one.symbol == symbol and one.done is not None]
        rows = {ts for name, ts, _ in found.rows if name == symbol}
        wanted = set(expected_rows(life, symbol, written(done, RowsJob.__name__)))
        if lost := wanted - rows:
            faults.append(f"{symbol} misses {len(lost)} of {len(wanted)} rows")
        told = {
            (symbol, begins(life) + number * GAP)
            for number in range(number_at(life, written(done, MessagesJob.__name__)) + 1)
            if symbol_of(number) == symbol
        }
        if lost_messages := told - set(found.messages):
            faults.append(f"{symbol} misses {len(lost_messages)} of {len(told)} messages")
    return faults


def written(done: list[Job], kind: str) -> int:
    """Return the data time up to which all of a kind is on the disk; 0: nothing."""
    return max((one.told for one in done if one.kind == kind), default=0)


def expected_rows(life: int, symbol: str, upto: int) -> dict[int, int]:
    """Return the best bid of every grid time that a later record has closed."""
    first = SYMBOLS.index(symbol)
    begun = begins(life) + first * GAP
    rows = {}
    for ts in range(-(-begun // STEP) * STEP, upto - 3 * GAP, STEP):
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
                wanted = expected_rows(life, symbol, max(rows) + 10 * GAP)
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


class Outcome(NamedTuple):
    """What went wrong, and of the kill that lost most: seconds lost, and the slowest flush."""

    faults: list[str]
    lost: float
    slowest: float


def run(seed: int, *, keep: bool = False, seen: Counter[str] | None = None) -> Outcome:
    """Live and die by the dice of a seed."""
    dice = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="tradingd-recorder-"))
    root = folder / "level2"
    faults: list[str] = []
    worst = (0.0, 0.0)
    lives = dice.randrange(1, 4)
    for life in range(lives):
        diary, died = killed(root, life, dice)
        if seen is not None:
            seen.update(met(root))
        wrong = missing(root, life, diary) + late(diary, died)
        faults += [f"life {life}: {one}" for one in wrong]
        worst = max(worst, (lost_seconds(root, life, diary, died), slowest(diary, died)))
    asyncio.run(live(root, lives, folder / "last", 0))
    faults += published(root, lives)
    if keep or faults:
        sys.stdout.write(f"kept: {folder}\n")
    else:
        shutil.rmtree(folder)
    return Outcome(faults, *worst)


def slowest(diary: Path, died: float) -> float:
    """Return the seconds of the longest flush; one that was killed counts up to then."""
    return max(((done or died) - at for at, done in flushes(jobs(diary))), default=0.0)


def lost_seconds(root: Path, life: int, diary: Path, died: float) -> float:
    """Return how long before the kill the last record on the disk was told."""
    last = max((ts for _, ts in Found(root).messages if ts >= begins(life)), default=0)
    first_lost = min((one.at for one in marks(diary) if one.told > last), default=died)
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
        faults, lost, flush = run(seed, keep=given.keep, seen=seen)
        losses.append(lost)
        failed += bool(faults)
        sys.stdout.write(
            f"seed {seed}: {'; '.join(faults) or 'whole'}, lost {lost:.2f} s, "
            f"slowest flush {flush:.2f} s\n"
        )
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
