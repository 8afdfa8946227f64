"""SIGTERM during long commands, as a person or systemd sends it: what is left, and what goes on."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.command import wait_for
from tradingd.kits.failure import ExitCode

TRIALS = "strategy.fast=5,6,7,8,9,10,11,12"


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for what is temporary; Ray's sockets need a short name."""
    with tempfile.TemporaryDirectory(prefix="i", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def start(tmp_path: Path, scratch: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start `tradingd` with a home of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "TMPDIR": str(scratch),
    }

    def started(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tradingd", *words],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


def assert_terminated(process: subprocess.Popen[str], command: str) -> None:
    process.terminate()
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (ExitCode.TERMINATED, "")
    assert errors.startswith(f"tradingd: interrupted by SIGTERM: {command} | next: run it again; ")
    assert errors.count("\n") == 1


def finished(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out


def test_sigterm_ends_an_import_in_one_line_and_the_next_one_completes_it(start, tmp_path, scratch):
    header = "symbol,ts_event,open,high,low,close,volume\n"
    days = [f"2013-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    source = tmp_path / "bars"
    source.mkdir()
    for number in range(120):
        rows = [f"S{number},{day},10,11,9,10.5,100\n" for day in days]
        (source / f"{number}.csv").write_text(header + "".join(rows))
    words = ("data", "import", "source=tabular", f"source.path={source}")
    process = start(*words)
    wait_for((tmp_path / "data" / "tradingd" / "history" / ".lock").exists, process)
    assert_terminated(process, "data import")
    assert list(scratch.iterdir()) == []
    counts = json.loads(finished(start(*words, "--json")))
    assert counts["rows_new"] + counts["rows_same"] == 120 * len(days)


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        pytest.param(
            ("hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=2"),
            marks=[pytest.mark.ray, pytest.mark.long],
        ),
    ],
    ids=["joblib", "ray"],
)
def test_sigterm_ends_a_sweep_with_its_workers_and_keeps_the_trials_that_ended(
    start, tmp_path, launcher
):
    finished(start("data", "import", "source=sample"))
    runs = tmp_path / "runs"
    process = start("backtest", "-m", *launcher, TRIALS, f"mode.results={runs}")
    wait_for(lambda: any(runs.glob("sweeps/*/trials/[0-9]*.json")), process)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    assert_terminated(process, "backtest")
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    (kept,) = runs.glob("sweeps/*/sweep.json")
    trials = json.loads(kept.read_text())["trials"]
    assert len(trials) == 8
    assert "done" in {one["status"] for one in trials}
    assert not (kept.parent / "trials").exists()


def test_the_exit_codes_of_signals_are_those_of_the_shell():
    assert ExitCode.INTERRUPTED == 128 + signal.SIGINT
    assert ExitCode.TERMINATED == 128 + signal.SIGTERM
