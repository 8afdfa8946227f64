"""A trader's home with a bit of everything: bars, a run, books, a trade log, models."""

import datetime as dt
import shutil
import subprocess
import textwrap
from pathlib import Path

from tests.acceptance.command import tradingd_in
from tests.benchmarks.microstructure.books import write_day
from tests.integration.registry.models_made import folder_with, manifest_for, model_text
from tradingd.app.model_registry import configured, model_import, model_promote
from tradingd.registry.promotion import Decision

SHORT = ("mode.start=2013-01-02",)
"""Two months of daily bars."""

LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)

WEEK = ("--start", "2013-02-04", "--end", "2013-02-08")

QUICK = (
    "training.name=desk",
    "training.start=2012-03-01",
    "training.tuning.trials=1",
    "training.learner.trees=5",
    "training.learner.min_rows=20",
    "training.label.bars=1",
    "training.walk_forward={train: 60, validation: 20, test: 40}",
    "training.workers=1",
)
"""A model of five symbols and a year of daily bars: nothing to trade on, all there to look at."""

SLOW_STRATEGY = textwrap.dedent(
    """
    import time

    from tradingd.config.strategy import StrategyBase
    from tradingd.engine.strategy import Strategy


    class Settings(StrategyBase, frozen=True, kw_only=True):
        seconds: float = 0.05


    class Slow(Strategy):
        Settings = Settings

        def on_bar(self, bar):
            time.sleep(self.settings.seconds)
    """
)
SLOW = ("strategy=custom", "strategy.path=slow:Slow")


def with_bars(home: Path, sample_home: Path) -> Path:
    """Fill an empty home: the embedded bars, a slow strategy."""
    shutil.copytree(sample_home / "data" / "tradingd" / "history", home / "data/tradingd/history")
    (home / "slow.py").write_text(SLOW_STRATEGY)
    return home


def with_everything(home: Path) -> Path:
    """Add a finished run, universe tiers, books, a trade log and models."""
    write_day(home / "SYN_snapshots.parquet", 2_000)
    (home / "trades.csv").write_text("Trade Date;Ticker\n2024-10-21;AAPL\n2024-10-26;AAPL\n")
    for words in (("backtest", *SHORT), ("universe", "refresh", *WEEK)):
        ended = tradingd_in(home)(*words)
        assert ended.returncode == 0, ended.stderr
    _register_models(home)
    return home


def _register_models(home: Path) -> None:
    """Take in a stranger's model four times, better each time; two were promoted."""
    config = configured((f"registry.root={home / 'data' / 'tradingd' / 'registry'}",), None)
    content = model_text()
    for number in range(4):
        better = {"deflated_sharpe": 0.96 + number / 100, "net_return_percent": 6.0 + number}
        stated = manifest_for(content, metrics=better, expires=LATER)
        model_import(config, folder_with(home / "theirs", stated, content))
    for version in (1, 2):
        decision = Decision(by="desk", at=dt.datetime.now(dt.UTC))
        assert model_promote(config, f"gap_fade@{version}", decision).promoted


def assert_one_line(ended: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    for word in words:
        assert word in line


def files_of(folder: Path) -> dict[str, int]:
    """Every file below a folder with its size; locks and their holders apart."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".holder")
    }
