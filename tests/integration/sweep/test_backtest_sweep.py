"""`tradingd backtest -m` from the installed console script, on real daily bars."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tradingd.kits.failure import ExitCode

TRADINGD = str(Path(sys.executable).with_name("tradingd"))
EMA = ("strategy=ema_cross", "strategy.bars=1d", "risk=open", "mode.start=2012-06-01")

BREAKS = """
from tradingd.config.strategy import StrategyBase
from tradingd.engine.strategy import Strategy


class Settings(StrategyBase, frozen=True, kw_only=True):
    bar: int = 0


class Breaks(Strategy):
    Settings = Settings

    def on_begin(self):
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == self.settings.bar:
            raise RuntimeError("enough bars")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    assert run(folder, "data", "import", "source=sample").returncode == ExitCode.OK
    return folder


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
    }
    return subprocess.run(
        [TRADINGD, *words], cwd=home, env=environment, capture_output=True, text=True, timeout=120
    )


def test_a_sweep_of_backtests_ends_in_one_table_and_a_summary(home: Path) -> None:
    ended = run(home, "backtest", "-m", *EMA, "strategy.fast=5,10,30", "strategy.slow=20")
    assert ended.returncode == ExitCode.OK, ended.stderr
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert lines[-1].startswith("SUMMARY trials=3 done=2 refused=1 failed=0 best=")
    assert sum("fast (30) must be shorter than slow (20)" in line for line in lines) == 1
    assert any("without any skill" in line for line in lines)
    assert sorted(path.name for path in home.iterdir()) == ["data"]


def test_every_launcher_gives_the_same_rows_and_the_same_run_folders(home: Path) -> None:
    grid = ("backtest", "-m", *EMA, "strategy.fast=5,10", "strategy.slow=20")
    reports = [
        json.loads(run(home, *grid, *launcher, "--json").stdout)["sweep"]
        for launcher in ((), ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"))
    ]
    basic, joblib = ({trial["number"]: trial for trial in one["trials"]} for one in reports)
    for number in basic:
        assert basic[number]["metrics"] == joblib[number]["metrics"]
        assert basic[number]["run_id"] == joblib[number]["run_id"]
        folders = [Path(one["folder"]) / "runs" / basic[number]["run_id"] for one in reports]
        one, other = ({path.name: path.read_bytes() for path in each.iterdir()} for each in folders)
        del one["timing.json"], other["timing.json"]
        assert one == other


def test_a_strategy_that_raises_is_a_row_and_the_sweep_says_so_at_the_end(home: Path) -> None:
    (home / "breaking.py").write_text(BREAKS)
    try:
        ended = run(
            home,
            *("backtest", "-m", "strategy=custom", "strategy.path=breaking:Breaks"),
            *("mode.start=2012-06-01", "strategy.params.bar=0,50", "--json"),
        )
    finally:
        (home / "breaking.py").unlink()
    assert ended.returncode == ExitCode.TRIALS_FAILED, ended.stderr
    report = json.loads(ended.stdout)["sweep"]
    assert (report["done"], report["failed"]) == (1, 1)
    failed = next(trial for trial in report["trials"] if trial["status"] == "failed")
    assert failed["exit_code"] == ExitCode.STRATEGY_FAILED
    assert "enough bars" in failed["error"]
    said = (Path(report["folder"]) / "errors" / "00001.txt").read_text()
    assert "breaking.py" in said
