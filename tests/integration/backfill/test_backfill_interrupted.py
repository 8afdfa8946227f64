"""Ctrl-C and SIGKILL during a backfill: what is whole stays, what is half goes."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.fakes.book_shelf import Shelf
from tradingd.backfill import crew
from tradingd.backfill.mapping import Mapping
from tradingd.backfill.planning import Setting
from tradingd.backfill.run import Options, Ran, run
from tradingd.backfill.tasks import Task
from tradingd.config.backfill import BackfillConfig
from tradingd.session.calendar import SessionCalendar

DAY = dt.date(2025, 4, 3)


def run_in(root: Path, shelf: Shelf, symbols: list[str], *, workers: int = 1) -> Ran:
    config = BackfillConfig(
        window_start=dt.time(9, 30), window_end=dt.time(9, 31), levels=1, workers=workers
    )
    setting = Setting(
        config=config,
        root=root,
        tag="shelf",
        origin={},
        mapping=Mapping(),
        calendar=SessionCalendar("XNYS"),
    )
    tasks = [Task(symbol=one, day=DAY) for one in symbols]
    return run(tasks, setting, shelf, Options())


def manifest(root: Path) -> list[tuple[str, str]]:
    lines = (root / "backfill_l2_manifest.jsonl").read_text().splitlines()
    return [(one["symbol"], one["status"]) for one in map(json.loads, lines)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_is_done_in_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    shelf = Shelf()

    def interrupt() -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.3)  # the main thread hears it now; later it is a run that ended before

    shelf.fails("BB", interrupt)
    before = signal.getsignal(number)
    ran = run_in(tmp_path, shelf, ["AA", "BB", "CC", "DD"])
    assert signal.getsignal(number) is before
    assert ran.interrupted
    done = manifest(tmp_path)
    assert done[0] == ("AA", "WRITE")
    assert [symbol for symbol, _ in done] == [one.symbol for one in ran.lines]
    assert ran.summary.not_started == 4 - len(done) > 0
    summary = json.loads((tmp_path / "backfill_l2_summary.json").read_text())
    assert (summary["total"], summary["counts"]["WRITE"]) == (4, len(done))
    assert not list((tmp_path / ".backfill").iterdir())
    again = run_in(tmp_path, Shelf(), ["AA", "BB", "CC", "DD"])
    assert [one.status for one in again.lines].count("SKIP") == len(done)
    assert all(one.status in ("WRITE", "SKIP") for one in again.lines)


def test_a_vendor_that_hangs_does_not_keep_an_interrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "GRACE", 0.1)
    shelf, free = Shelf(), threading.Event()

    def hang() -> None:
        while len(shelf.fetched) < 4:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)
        free.wait(30)

    shelf.fails("AA", hang)
    try:
        ran = run_in(tmp_path, shelf, ["AA", "BB", "CC", "DD"], workers=2)
    finally:
        free.set()
    assert ran.interrupted
    # The first task did not end, and the others keep their order behind it.
    symbols = [symbol for symbol, _ in manifest(tmp_path)]
    assert symbols in (["BB", "CC"], ["BB", "CC", "DD"])
    assert not [one for one in (tmp_path / ".backfill").iterdir() if one.is_dir()]
    for thread in threading.enumerate():
        if thread.name.startswith("backfill-"):
            thread.join(30)
    assert not (tmp_path / "AA").exists()


KILLED = """
import os, signal, sys, time
from pathlib import Path
from tests.fakes.book_shelf import Shelf
from tests.integration.backfill.test_backfill_interrupted import run_in
root, shelf = Path(sys.argv[1]), Shelf()
manifest = root / "backfill_l2_manifest.jsonl"
def die():
    while not manifest.exists() or not manifest.stat().st_size:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
shelf.fails("SD", die)
run_in(root, shelf, ["SA", "SB", "SC", "SD", "SE"])
"""


def test_a_kill_leaves_a_manifest_of_the_first_tasks_and_the_next_run_completes(
    tmp_path: Path,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=REPOSITORY, timeout=60, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    done = manifest(tmp_path)
    assert done == [("SA", "WRITE"), ("SB", "WRITE"), ("SC", "WRITE")][: len(done)]
    assert done
    ran = run_in(tmp_path, Shelf(), ["SA", "SB", "SC", "SD", "SE"])
    assert [str(one.status) for one in ran.lines] == ["SKIP"] * 3 + ["WRITE"] * 2
    assert len(manifest(tmp_path)) == len(done) + 5
    assert not list((tmp_path / ".backfill").iterdir())
