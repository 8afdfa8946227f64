"""Writes to a store in child processes that are killed, by moment or by point; run by a test.

Points are the operating system calls on the store's files, seen through Python's audit hook, so
nothing of the product is replaced. One process forks all children: start-up is paid once.
"""

import json
import os
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.integration.history.history_samples import MINUTE_BARS, minute_bars, ns, trades
from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.history import batch as batch_module
from tradingd.history.compact import compact
from tradingd.history.snapshot import restore
from tradingd.history.store import Store

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.utime", "os.truncate", "os.link"}


def prepare(root: Path) -> None:
    """A store that the import then appends to, revises and merges with."""
    store = Store(root)
    with store.batch("first") as batch:
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-12-30T15:00:00", 300))
        batch.trades("SPY", trades([ns("2013-12-30T15:00:00")] * 3, ["1", "2", "3"]))


def import_all(root: Path) -> None:
    """New rows, revised rows, a year's border, repeated instants, corporate actions."""
    batch_module.GATHER_ROWS = 400  # commit often, so that kills fall between commits
    store = Store(root)
    with store.batch("second") as batch:
        for symbol in ("AAPL", "BRK.B", "SPY"):
            with batch.unit():
                batch.bars(MINUTE_BARS, symbol, minute_bars("2013-12-30T17:00:00", 250, 200))
                batch.bars(MINUTE_BARS, symbol, minute_bars("2013-12-31T23:00:00", 250, 200))
            with batch.unit():
                batch.trades(symbol, trades([ns("2013-12-30T15:00:00")] * 2, ["4", "5"]))
        batch.actions(
            [
                CorporateAction(
                    symbol="AAPL",
                    ex_date=date(2014, 6, 9),
                    kind=ActionKind.SPLIT,
                    numerator=7,
                )
            ]
        )


def prepare_compact(root: Path) -> None:
    """Many small files."""
    for day in range(1, 7):
        with Store(root).batch("small") as batch:
            for symbol in ("AAPL", "SPY"):
                batch.bars(MINUTE_BARS, symbol, minute_bars(f"2013-10-0{day}T15:00:00", 60))


def compact_all(root: Path) -> None:
    compact(Store(root))


def prepare_restore(root: Path) -> None:
    """A snapshot, then other content."""
    from tradingd.history.snapshot import snapshot

    prepare(root)
    snapshot(Store(root), "before")
    import_all(root)


def restore_all(root: Path) -> None:
    restore(Store(root), "before")


JOBS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "import": (prepare, import_all),
    "compact": (prepare_compact, compact_all),
    "restore": (prepare_restore, restore_all),
}


def killed_at_point(job: Callable[[Path], None], root: Path, point: int) -> bool:
    """Run the job in a child that dies before its n-th file operation; False when it finished."""
    child = os.fork()
    if not child:
        seen = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            if event in EVENTS and str(root) in str(arguments[0]):
                seen += 1
                if seen == point:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        run_and_exit(job, root)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def killed_after(job: Callable[[Path], None], root: Path, seconds: float) -> bool:
    """Run the job in a child and kill it after some time."""
    child = os.fork()
    if not child:
        run_and_exit(job, root)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def run_and_exit(job: Callable[[Path], None], root: Path) -> None:
    code = 1
    try:
        job(root)
        code = 0
    finally:
        os._exit(code)


def main(name: str, base: Path, moments: int, stride: int) -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside Arrow's idle threads
    prepare_job, job = JOBS[name]
    undisturbed = base / "undisturbed"
    prepare_job(undisturbed)
    began = time.perf_counter()
    job(undisturbed)
    duration = time.perf_counter() - began
    roots, point = [], 1 - stride
    alive = True
    while alive:
        point += stride
        root = base / f"point-{point:03d}"
        prepare_job(root)
        alive = killed_at_point(job, root, point)
        roots.append(root.name)
    chance = random.Random(7)
    for number in range(moments):
        root = base / f"moment-{number:03d}"
        prepare_job(root)
        killed_after(job, root, chance.uniform(0, duration * 1.2))
        roots.append(root.name)
    sys.stdout.write(json.dumps({"roots": roots, "points": point - stride}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
