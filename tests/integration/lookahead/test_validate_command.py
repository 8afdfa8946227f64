"""`tradingd validate` on real daily bars, with honest strategies and with cheats."""

import json
from pathlib import Path

import pytest

from tradingd.cli.main import tradingd
from tradingd.kits.failure import ExitCode

CHEATS = '''
import csv
import sys

from tradingd.config.strategy import StrategyBase
from tradingd.domain.orders import Side
from tradingd.engine.strategy import Strategy


class Settings(StrategyBase, frozen=True, kw_only=True):
    pass


class KnowsTheEnd(Strategy):
    """Buys on the first bar if the last bar of the feed is higher."""

    Settings = Settings

    def on_begin(self):
        frame = sys._getframe()
        while "feed" not in frame.f_locals or not hasattr(frame.f_locals["feed"], "chunks"):
            frame = frame.f_back
        chunks = list(frame.f_locals["feed"].chunks())
        self.last = float(chunks[-1].table.column("close")[-1].as_py())
        self.done = False

    def on_bar(self, bar):
        if not self.done:
            self.done = True
            quantity = int(self.last)
            self.enter(self.symbol_of(bar), Side.BUY, quantity, reason="the end is known")


class ReadsTheFuture(Strategy):
    """Buys on days a file of tomorrow's closes says so."""

    Settings = Settings

    def on_begin(self):
        with open("tomorrow.csv") as stream:
            self.better = {row[0] for row in csv.reader(stream)}

    def on_bar(self, bar):
        symbol = self.symbol_of(bar)
        if self.position(symbol) == 0 and not self.pending(symbol) and str(self.now) in self.better:
            self.enter(symbol, Side.BUY, 1, reason="the file says so")
'''

ONE = ["risk=open", "universe=symbols", "universe.symbols=[IBM]", "mode.end=2001-12-31"]


@pytest.fixture(scope="module")
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    assert (
        tradingd(["data", "import", "source=sample", f"store.root={home}/history"]) == ExitCode.OK
    )
    return home


@pytest.fixture
def validate(
    data_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "cheats.py").write_text(CHEATS)
    (tmp_path / "tomorrow.csv").write_text("951944400000000000\n")
    capsys.readouterr()

    def run(*overrides: str) -> tuple[int, dict]:
        code = tradingd(["validate", f"store.root={data_home}/history", *overrides, "--json"])
        said = capsys.readouterr()
        assert not list(data_home.glob("runs*")), "a validation leaves no run folder"
        return code, json.loads(said.out) if said.out else {"error": said.err}

    return run


def test_an_honest_strategy_is_clean(validate) -> None:
    code, found = validate("strategy=ema_cross", "strategy.bars=1d", *ONE)
    assert code == ExitCode.OK
    assert found["orders"] > 5
    assert [cut["with_future"] for cut in found["cuts"]] == [None, None, None]
    assert found["cuts"][-1]["compared"] > 0
    assert found["files"] == []


def test_a_strategy_that_knows_how_the_range_ends_is_caught(validate) -> None:
    code, found = validate("strategy=custom", "strategy.path=cheats:KnowsTheEnd", *ONE)
    assert code == ExitCode.LOOK_AHEAD
    first = found["cuts"][0]
    # IBM closed 2001 at 120.96: with the future 120 shares; the cut knows another last close.
    assert "BUY 120 IBM MARKET (ENTRY: the end is known)" in first["with_future"]
    assert first["compared"] == 0
    assert "BUY 120 " not in first["without_future"]


def test_a_strategy_that_reads_a_file_of_its_own_is_reported(validate, tmp_path: Path) -> None:
    code, found = validate("strategy=custom", "strategy.path=cheats:ReadsTheFuture", *ONE)
    assert code == ExitCode.LOOK_AHEAD
    assert found["files"] == [str(tmp_path / "tomorrow.csv")]


def test_an_equal_split_over_symbols_that_list_later_is_knowledge_of_the_future(validate) -> None:
    # GOOG listed in 2004: a cut in 2003 divides the equity by fewer symbols than the full run.
    code, found = validate("strategy=buy_and_hold", "risk=open", "mode.end=2006-12-29")
    assert code == ExitCode.LOOK_AHEAD
    assert "1/4" in found["cuts"][0]["with_future"]
    assert "1/3" in found["cuts"][0]["without_future"]


def test_a_backtest_that_is_refused_is_refused_here_too(validate) -> None:
    code, found = validate("universe=symbols", "universe.symbols=[NOPE]")
    assert code == ExitCode.UNKNOWN_SYMBOL
    assert "NOPE" in found["error"]
