"""A class from outside the package runs like one of ours, and fails like one of ours."""

import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.integration.strategies.strategy_kit import CALENDAR, MemoryFeed, bars_table, run
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import CustomStrategy
from tradingd.domain.market import Resolution
from tradingd.kits.failure import ExitCode, Failure
from tradingd.strategies import template

STAMPS = [one.close_ns for one in CALENDAR.between(dt.date(2021, 1, 4), dt.date(2021, 12, 31))]
RAISING = """
from tradingd.engine.strategy import Strategy

class Raising(Strategy):
    def on_begin(self):
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 50:
            raise RuntimeError("the fiftieth bar")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory of a person's own; Python's path is put back after it."""
    known, path = set(sys.modules), list(sys.path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if name.endswith("_outside"):
            del sys.modules[name]


def feed() -> MemoryFeed:
    dice = np.random.default_rng(3)
    closes = 50 * np.exp(np.cumsum(dice.normal(0.001, 0.01, len(STAMPS))))
    return MemoryFeed([bars_table("AAA", STAMPS, closes)], Resolution.DAY)


def test_the_template_copied_elsewhere_trades_breakouts_behind_a_stop(folder: Path):
    shutil.copy(Path(template.__file__), folder / "mine_outside.py")
    config = CustomStrategy(path="mine_outside:Breakout", params={"days": 10})
    ran = run(config, feed(), risk=RiskConfig())
    entries = [one for one in ran.entries() if one.status == "FILLED"]
    assert entries
    assert all(one.reason.endswith("above the last 10 closes") for one in entries)
    assert {one.strategy for one in entries} == {"Breakout"}
    stops = [one for one in ran.tables.orders if one.purpose == "PROTECT"]
    assert any(one.status == "FILLED" for one in stops)


def test_an_exception_on_the_fiftieth_bar_fails_the_run_with_its_traceback(folder: Path):
    (folder / "raising_outside.py").write_text(RAISING)
    with pytest.raises(Failure, match="the fiftieth bar") as caught:
        run(CustomStrategy(path="raising_outside:Raising"), feed(), risk=RiskConfig())
    assert caught.value.code is ExitCode.STRATEGY_FAILED
    cause = caught.value.__cause__
    assert isinstance(cause, RuntimeError)
    assert cause.__traceback__ is not None
