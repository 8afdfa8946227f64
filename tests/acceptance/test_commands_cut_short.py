"""Every command as a hurried person uses it: interrupted, into a closed pipe, on a full disk."""

import functools
import json
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.command import started_in, wait_for
from tests.acceptance.desk import SHORT, SLOW, files_of, with_bars
from tradingd.kits.failure import ExitCode


@pytest.fixture(scope="module")
def desk(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of this module with bars and a slow strategy."""
    return with_bars(tmp_path_factory.mktemp("desk"), sample_home)


def assert_interrupted(process: subprocess.Popen[str], command: str) -> None:
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert errors.startswith(f"tradingd: interrupted: {command} | next: run it again; ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "sweep",
    [(), ("-m", "strategy.params.seconds=0.04,0.05")],
    ids=["backtest", "sweep"],
)
def test_ctrl_c_ends_a_backtest_in_one_line_and_leaves_no_half_run(at_desk, desk, tmp_path, sweep):
    store = files_of(desk / "data" / "tradingd" / "history")
    runs = tmp_path / "runs"
    process = started_in(desk, "backtest", *SLOW, *sweep, f"mode.results={runs}")
    wait_for(lambda: runs.exists() and any(runs.iterdir()), process)
    # Into the bars: the engine that is being built takes no interrupt.
    time.sleep(2.0)
    assert_interrupted(process, "backtest")
    assert files_of(desk / "data" / "tradingd" / "history") == store
    listed = json.loads(at_desk("runs", "list", "--root", str(runs), "--json").stdout)["runs"]
    assert {one["status"] for one in listed} <= {"failed"}
    assert not list(runs.glob(".*"))


def test_ctrl_c_ends_an_import_in_one_line_and_the_next_one_completes_it(home, tradingd):
    source = home / "bars"
    source.mkdir()
    header = "symbol,ts_event,open,high,low,close,volume\n"
    days = [f"2013-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    for number in range(250):
        rows = [f"S{number},{day},10,11,9,10.5,100\n" for day in days]
        (source / f"{number}.csv").write_text(header + "".join(rows))
    words = ("data", "import", "source=tabular", f"source.path={source}")
    store = home / "data" / "tradingd" / "history"
    process = started_in(home, *words)
    wait_for((store / ".lock").exists, process)
    time.sleep(0.2)
    assert_interrupted(process, "data import")
    again = tradingd(*words, "--json")
    counts = json.loads(again.stdout)
    assert counts["rows_new"] + counts["rows_same"] == 250 * len(days)
    assert tradingd("data", "scan", "--verify", "--json").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("data", "scan"),
        ("data", "query", "select * from bars", "--limit", "1000"),
        ("config", "schema"),
        ("runs", "list"),
        ("backtest", *SHORT),
        ("--help",),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_reader_that_goes_away_gets_no_traceback(desk, words):
    process = started_in(desk, *words)
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)
    # argparse itself ignores that nobody reads its help
    assert process.returncode == (0 if words == ("--help",) else 128 + signal.SIGPIPE)
    assert errors == ""


def test_a_disk_that_is_full_during_a_backtest_is_one_line_and_a_failed_run(
    at_desk, desk, tmp_path
):
    runs = tmp_path / "runs"
    small = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    process = started_in(desk, "backtest", f"mode.results={runs}", preexec_fn=small)
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, out) == (ExitCode.STORE_WRITE, "")
    assert len(errors.splitlines()) == 1
    listed = json.loads(at_desk("runs", "list", "--root", str(runs), "--json").stdout)["runs"]
    assert [one["status"] for one in listed] == ["failed"]


def test_a_disk_that_is_full_during_an_import_is_one_line_and_the_next_one_completes_it(
    home, tradingd
):
    small = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    process = started_in(home, "data", "import", "source=sample", preexec_fn=small)
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, out) == (ExitCode.STORE_WRITE, "")
    assert len(errors.splitlines()) == 1
    assert tradingd("data", "import", "source=sample").returncode == 0
    assert tradingd("data", "scan", "--verify").returncode == 0


def test_a_run_folder_that_is_deleted_meanwhile_is_one_line(desk, tmp_path):
    runs = tmp_path / "runs"
    process = started_in(
        desk, "backtest", *SLOW, "strategy.params.seconds=0.001", *SHORT, f"mode.results={runs}"
    )
    wait_for(lambda: runs.exists() and any(runs.iterdir()), process)
    shutil.rmtree(runs)
    out, errors = process.communicate(timeout=120)
    assert (process.returncode, out) == (ExitCode.STORE_WRITE, "")
    assert len(errors.splitlines()) == 1
