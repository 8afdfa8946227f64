"""Every command as a hurried person uses it: wrongly."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.command import Run
from tests.acceptance.desk import QUICK, SHORT, assert_one_line, files_of
from tradingd.kits.failure import ExitCode

USAGE, CONFIG = ExitCode.USAGE, ExitCode.CONFIG
REFUSED: dict[str, tuple[tuple[str, ...], int, tuple[str, ...]]] = {
    "words in the wrong order": (("import", "data"), USAGE, ("import", "data")),
    "a misspelt group": (("dtaa", "import"), USAGE, ("did you mean data?",)),
    "a misspelt verb": (("data", "improt"), USAGE, ("did you mean import?",)),
    "a group without a verb": (("data",), USAGE, ("tradingd data --help",)),
    "one quoted word": (("backtest strategy=ema_cross",), USAGE, ("backtest",)),
    "a setting written as a flag": (
        ("backtest", "--strategy=ema_cross"), USAGE, ("did you mean strategy=ema_cross?",),
    ),
    "an unknown flag": (("backtest", "--fast", "5"), USAGE, ("--fast",)),
    "spaces around the equals sign": (("backtest", "strategy", "=", "x"), CONFIG, ("key=value",)),
    "an override without a value": (("backtest", "strategy.fast"), CONFIG, ("strategy.fast",)),
    "an option that is not there": (
        ("backtest", "strategy=ema_crosss"), CONFIG, ("did you mean strategy=ema_cross?",),
    ),
    "two values without a sweep": (
        ("backtest", "strategy.fast=5,10"), CONFIG, ("tradingd backtest -m",),
    ),
    "a number in quotes": (("backtest", "strategy.fast='5'"), CONFIG, ("a whole number",)),
    "an American date": (("backtest", "mode.start=01/02/2013"), CONFIG, ("YYYY-MM-DD",)),
    "a day that is not there": (("backtest", "mode.start=2013-02-30"), CONFIG, ("mode.start",)),
    "a range that runs backwards": (
        ("backtest", "mode.start=2013-02-01", "mode.end=2013-01-01"), CONFIG, ("2013-02-01",),
    ),
    "no money": (("backtest", "mode.cash=-5"), CONFIG, ("mode.cash",)),
    "a symbol in small letters": (
        ("backtest", "universe=symbols", "universe.symbols=[aapl]"), CONFIG, ("universe.symbols",),
    ),
    "a weekend": (
        ("backtest", "mode.start=2013-02-23", "mode.end=2013-02-24"),
        ExitCode.EMPTY_RANGE,
        ("2013-02-23",),
    ),
    "an empty overlay": (("config", "check", "--overlay", ""), USAGE, ("--overlay",)),
    "an overlay that is not there": (
        ("config", "check", "--overlay", "nowhere"), CONFIG, ("nowhere",),
    ),
    "a key that is not there": (
        ("config", "explain", "risk.gros_percent"), CONFIG, ("did you mean risk.gross_percent?",),
    ),
    "a sweep over a key that is not there": (
        ("backtest", "-m", "strategy.fasst=5,10"), CONFIG, ("did you mean strategy.fast?",),
    ),
    "a file that is not there": (
        ("data", "import", "source=tabular", "source.path=nowhere.csv"),
        ExitCode.UNREADABLE_INPUT,
        ("nowhere.csv",),
    ),
    "a store inside a file": (
        ("data", "import", "store.root=slow.py/store"), ExitCode.STORE_WRITE, ("slow.py",),
    ),
    "results inside a file": (
        ("backtest", *SHORT, "mode.results=slow.py/runs"), ExitCode.STORE_WRITE, ("slow.py",),
    ),
    "sql that is none": (("data", "query", "selct 1"), USAGE, ("syntax error",)),
    "sql that writes": (("data", "query", "delete from bars"), USAGE, ("SELECT",)),
    "sql that reads elsewhere": (
        ("data", "query", "select * from read_csv('slow.py')"), USAGE, ("Permission",),
    ),
    "a limit of nothing": (
        ("data", "query", "select 1", "--limit", "0"), USAGE, ("--limit", ">= 1"),
    ),
    "an unknown symbol": (
        ("data", "actions", "AAPK"), ExitCode.UNKNOWN_SYMBOL, ("AAPK", "AAPL"),
    ),
    "a snapshot that leads elsewhere": (
        ("data", "snapshot", "../out"), ExitCode.SNAPSHOT, ("../out",),
    ),
    "a snapshot that is not there": (
        ("data", "restore", "nothing"), ExitCode.SNAPSHOT, ("nothing",),
    ),
    "a run that is not there": (("runs", "show", "nothing"), ExitCode.RUN_NOT_FOUND, ("nothing",)),
    "one run compared": (("runs", "compare", "latest"), USAGE, ("two runs",)),
    "a bar size that is none": (
        ("analyze", "signals", "--symbols", "AAPL", "--bar-size", "1 days"), USAGE, ("1 day",),
    ),
    "a duration that is none": (
        ("analyze", "signals", "--symbols", "AAPL", "--duration", "5 days"), USAGE, ("5 D",),
    ),
    "no cuts": (("validate", "--cuts", "0"), USAGE, ("--cuts", ">= 1")),
    "a backfill that is off": (
        ("backfill", "l2", "--log", "trades.csv"), CONFIG, ("backfill.enabled=true",),
    ),
    "a trade log without its columns": (
        ("backfill", "l2", "--log", "slow.py", "--dry-run"),
        ExitCode.UNREADABLE_INPUT,
        ("slow.py", ".csv"),
    ),
    "a kind of feature that is not there": (
        ("features", "show", "features.declared.x={kind: rsii}"), CONFIG, ("did you mean rsi?",),
    ),
    "a parameter that a feature does not have": (
        ("features", "show", "features.declared.x={kind: rsi, length: 3}"),
        CONFIG,
        ("features.declared.x.length", "bars"),
    ),
    "a feature that is not declared": (
        ("features", "check", "--only", "rsi_15"), USAGE, ("did you mean rsi_14?",),
    ),
    "features of a symbol without bars": (
        ("features", "check", "--symbols", "AAPK"), ExitCode.UNKNOWN_SYMBOL, ("AAPL",),
    ),
    "a benchmark that is not there": (
        ("features", "report", "features.benchmark=SPY", "features.declared.b={kind: beta}"),
        ExitCode.UNKNOWN_SYMBOL,
        ("SPY",),
    ),
    "more features than bars": (
        ("features", "report", "--start", "2013-02-01"), ExitCode.EMPTY_RANGE, ("bars",),
    ),
    "a day that is none": (("features", "drift", "yesterday"), USAGE, ("yesterday",)),
    "a model that is not there": (("model", "show", "gap_fad"), ExitCode.REGISTRY, ("gap_fade",)),
    "a version that is not there": (
        ("model", "explain", "gap_fade@99"),
        ExitCode.REGISTRY,
        ("a version up to gap_fade@4", "model list"),
    ),
    "a model's name that leads elsewhere": (("model", "evaluate", "../x"), USAGE, ("../x",)),
    "a manifest that is none": (
        ("model", "import", "slow.py"), ExitCode.UNREADABLE_INPUT, ("slow.py",),
    ),
    "an alias that is a number": (
        ("model", "promote", "gap_fade@3", "--alias", "3"), USAGE, ("--alias",),
    ),
    "a day without a symbol": (
        ("model", "explain", "gap_fade", "--day", "2013-02-01"), USAGE, ("--symbol",),
    ),
    "a day that is not there, to explain": (
        ("model", "explain", "gap_fade", "--symbol", "AAPL", "--day", "2013-02-30"),
        USAGE,
        ("2013-02-30",),
    ),
    "a judge that does not ask": (
        ("model", "train", "strategy=buy_and_hold"), CONFIG, ("strategy=model_signal",),
    ),
    "a rule that is not there": (
        ("model", "train", "training.gates.rules=[promotio]"), ExitCode.CONTRACT, ("promotion",),
    ),
    "a label with another kind's keys": (
        ("model", "train", "training.label.kind=meta"), CONFIG, ("~training.label.relative",),
    ),
    "one symbol that shall beat the others": (
        ("model", "train", *QUICK, "universe=symbols", "universe.symbols=[AAPL]"),
        CONFIG,
        ("training.label.relative",),
    ),
    "features of nothing stored": (
        ("model", "train", *QUICK, "features=own", "features.declared={s: {kind: spread_bps}}"),
        ExitCode.NO_DATA,
        ("features.declared.s",),
    ),
    "a tier of a day without a session": (
        ("universe", "refresh", "--start", "2013-02-09", "--end", "2013-02-10"),
        ExitCode.EMPTY_RANGE,
        ("2013-02-09",),
    ),
    "an unknown shell": (("completion", "fish"), USAGE, ("bash",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(at_desk: Run, desk: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """What every mistake is answered with; together they must leave everything as it was."""
    before = files_of(desk)
    with ThreadPoolExecutor(2) as pool:
        given = pool.map(lambda case: at_desk(*case[0]), REFUSED.values())
        ended = dict(zip(REFUSED, given, strict=True))
    assert files_of(desk) == before
    return ended


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_answered_in_one_line_and_changes_nothing(answers, mistake):
    _, code, said = REFUSED[mistake]
    assert_one_line(answers[mistake], code, *said)


def test_paths_may_be_relative_and_hold_spaces(at_desk, desk):
    ended = at_desk("data", "import", "source=sample", "store.root=my data/bars")
    assert ended.returncode == 0, ended.stderr
    assert (desk / "my data" / "bars" / "manifest.jsonl").is_file()


def test_an_invisible_tab_after_a_value_does_no_harm(at_desk):
    ended = at_desk("config", "explain", "strategy.fast", "strategy.fast=7\t", "--json")
    assert json.loads(ended.stdout)["value"] == 7
