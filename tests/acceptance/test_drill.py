"""`tradingd sim drill`, whole and with a journal that forgets."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import environment_in, tradingd_in
from tests.acceptance.compare_books import compare, read
from tests.acceptance.daemon.notified import eventually
from tradingd.app.sim.stages import STAGES
from tradingd.kits.failure import ExitCode

pytestmark = pytest.mark.slow

FORGETFUL = "CREATE TRIGGER forgetful BEFORE INSERT ON fills BEGIN SELECT RAISE(IGNORE); END"
"""Nobody is told of an error: the row is not there afterwards. (Rows cannot be taken away.)"""


def journal_in(folder: Path) -> Path | None:
    """Return the journal of the drill's daemon, once there is one with orders."""
    found = list(folder.glob("state/tradingd/drill-*/journal.sqlite"))
    if not found:
        return None
    with contextlib.closing(sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'fills'").fetchall()
    return found[0] if tables else None


def differences(folder: Path) -> list[str]:
    """Return what the third party finds."""
    journal = journal_in(folder)
    assert journal is not None
    return [one.check for one in compare(read(folder / "server" / "simbroker.sqlite", journal))]


def test_a_drill_ends_with_zero_and_equal_books(home: Path) -> None:
    folder = home / "drill"
    words = ("sim", "drill", "--days", "1", "--symbols", "4", "--folder", str(folder))
    done = tradingd_in(home)(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The broker's book and the journal agree." in done.stdout
    for stage in STAGES:
        assert stage.what in done.stderr
    assert done.stdout.splitlines()[-1].startswith("SUMMARY stages=9 kills=1 orders=")
    assert differences(folder) == []


def test_a_drill_over_a_journal_that_forgets_fills_ends_with_62(home: Path) -> None:
    folder = home / "drill"
    words = ("--json", "--days", "1", "--symbols", "4", "--speed", "2400", "--folder", str(folder))
    drill = subprocess.Popen(
        (sys.executable, "-m", "tradingd", "sim", "drill", *words),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment_in(home),
    )  # fmt: skip
    try:
        journal = eventually(lambda: journal_in(folder), "the drill's journal")
        with contextlib.closing(sqlite3.connect(journal, timeout=10)) as database:
            database.execute(FORGETFUL)
        said, errors = drill.communicate(timeout=180)
    finally:
        drill.kill()
    assert drill.returncode == ExitCode.RECONCILE == 62, errors
    report: dict[str, Any] = json.loads(said)
    assert any("is not in the journal" in one for one in report["findings"])
    assert "fill_not_in_journal" in differences(folder)
