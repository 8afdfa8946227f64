"""Every command as a hurried person uses it: rightly, wrongly, interrupted, into a closed pipe."""

import datetime as dt
import functools
import json
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.acceptance.command import Run, environment_in, started_in, tradingd_in
from tests.benchmarks.microstructure.books import write_day
from tests.integration.registry.models_made import folder_with, manifest_for, model_text
from tradingd.app.model_registry import configured, model_import, model_promote
from tradingd.cli.command import Command
from tradingd.cli.table import TRADINGCTL, TRADINGD
from tradingd.kits.failure import ExitCode
from tradingd.registry.promotion import Decision

SHORT = ("mode.start=2013-01-02",)
"""Two months of daily bars."""

LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)

WEEK = ("--start", "2013-02-04", "--end", "2013-02-08")

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


@pytest.fixture(scope="module")
def desk(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of this module: the embedded bars, one finished run, a slow strategy."""
    home = tmp_path_factory.mktemp("desk")
    shutil.copytree(sample_home / "data" / "tradingd" / "history", home / "data/tradingd/history")
    (home / "slow.py").write_text(SLOW_STRATEGY)
    write_day(home / "SYN_snapshots.parquet", 2_000)
    (home / "trades.csv").write_text("Trade Date;Ticker\n2024-10-21;AAPL\n2024-10-26;AAPL\n")
    for words in (("backtest", *SHORT), ("universe", "refresh", *WEEK)):
        ended = tradingd_in(home)(*words)
        assert ended.returncode == 0, ended.stderr
    register_models(home)
    return home


def register_models(home: Path) -> None:
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


@pytest.fixture(scope="module")
def trained(at_desk: Run) -> subprocess.CompletedProcess[str]:
    """A model of the desk's own bars, for whom needs one; all it printed."""
    return at_desk("model", "train", *FEW_FEATURES, *QUICK, "training.end=2012-12-31")


@pytest.fixture(scope="module")
def at_desk(desk: Path) -> Run:
    return tradingd_in(desk)


def control(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the other program, by its installed name."""
    return subprocess.run(
        [Path(sys.executable).with_name("tradingctl"), *words],
        capture_output=True,
        text=True,
        env={**environment_in(home), "XDG_RUNTIME_DIR": str(home)},
        timeout=60,
    )


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


# -- what works -----------------------------------------------------------------------------------

MODEL = str(Path(__file__).parents[2] / "contracts/fixtures/model-manifest/good/promoted.json")

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

FEW_FEATURES = (
    "features=own",
    "features.declared={step: {kind: return}, rank: {kind: rank, of: step}}",
)

JSON = {
    "config check": (),
    "config show": (),
    "config diff": ("risk=open",),
    "config explain": ("risk.gross_percent",),
    "config schema": (),
    "contracts list": (),
    "contracts validate": (MODEL,),
    "data import": ("source=sample",),
    "data query": ("select symbol, close from bars limit 3",),
    "data check": (),
    "data compact": (),
    "data scan": ("--symbols", "AAPL"),
    "data actions": ("AAPL",),
    "data provenance": ("AAPL",),
    "data sync": ("--dry-run", "--symbols", "AAPL"),
    "features list": ("volatility",),
    "features show": (),
    "features check": ("--only", "rsi_14", "rank_return_5", "--symbols", "AAPL", "MSFT"),
    "features materialise": FEW_FEATURES,
    "features report": FEW_FEATURES,
    "features drift": ("2013-02-01", *FEW_FEATURES),
    "backfill l2": ("--dry-run", "--log", "trades.csv"),
    "backtest": SHORT,
    "runs list": (),
    "runs show": (),
    "runs compare": ("latest", "latest"),
    "analyze signals": (
        "--symbols", "AAPL", "--bar-size", "1 day", "--duration", "60 D", "--no-save",
    ),
    "analyze depth": ("SYN_snapshots.parquet", "--horizons", "10", "60"),
    "validate": ("--cuts", "1", *SHORT),
    "scan": ("feed=synthetic", "--at", "10:00"),
    "record list": (),
    "model train": (*FEW_FEATURES, *QUICK, "training.placebo=true"),
    "model retrain": (),
    "model evaluate": ("desk", *FEW_FEATURES, "training.label.bars=1"),
    "model explain": ("desk", *FEW_FEATURES, "--symbol", "AAPL"),
    "model list": (),
    "model show": ("gap_fade@1",),
    "model promote": ("gap_fade@3", "--dry-run"),
    "model challenge": ("gap_fade@3",),
    "model rollback": ("gap_fade",),
    "model expire": ("gap_fade@4",),
    "model diff": ("gap_fade@1", "desk"),
    "model import": ("theirs",),
    "doctor": ("mode=backtest",),
    "completion": ("bash",),
    "universe refresh": WEEK,
    "universe show": (),
    "universe explain": ("AAPL",),
    "universe history": (),
}  # fmt: skip
APART = {"data snapshot", "data restore", "record depth"}
"""One needs the other; they have a test of their own."""

AT_A_BROKER = {"sim alpaca", "sim drill", "verify", "repair"}
"""What needs a broker: tests of the drill, of the test server and of verify try it."""

SEALING = {"contracts seal"}
"""Writes among the contracts themselves: tests of contracts try it on a copy."""

TRADING = {
    "run", "kill", "model compare", "model parity",
    *(" ".join(one.path) for one in TRADINGD if one.path[0] == "journal"),
}  # fmt: skip
"""What needs an instance: tests of the daemon, the journal, the kill switch and `run` try it."""

REGISTERED = {
    f"model {verb}"
    for verb in ("show", "promote", "challenge", "rollback", "expire", "diff", "import", "parity")
}
"""What needs a model in the registry: tests of the registry try it."""

AT_A_TERMINAL = {"screen"}
"""What needs a terminal: tests of the screen drive it."""

COMMANDS = {" ".join(one.path): one for one in TRADINGD}


def test_every_command_of_the_program_is_tried_here():
    assert set(JSON) | APART | AT_A_TERMINAL | AT_A_BROKER | SEALING | TRADING == set(COMMANDS)


@pytest.mark.parametrize("name", JSON)
def test_json_is_the_result_that_describe_promises(at_desk, name, request):
    if "desk" in JSON[name]:
        request.getfixturevalue("trained")
    ended = at_desk(*name.split(), *JSON[name], "--json")
    # Of a container the doctor may well complain; that is its result, not a fault of the command.
    assert ended.returncode in ((0, ExitCode.DOCTOR) if name == "doctor" else (0,)), ended.stderr
    assert ended.stderr == ""
    msgspec.json.decode(ended.stdout, type=COMMANDS[name].load_result())


BATCHES: dict[str, tuple[str, ...]] = {
    "data import": ("source=sample",),
    "data query": ("select symbol, close from bars limit 3",),
    "data check": (),
    "data compact": (),
    "data scan": (),
    "contracts list": (),
    "contracts validate": (MODEL,),
    "scan": ("feed=synthetic", "--at", "10:00"),
    **{name: JSON[name] for name in JSON if name.startswith("features ")},
    "backfill l2": JSON["backfill l2"],
    "backtest": SHORT,
    "runs list": (),
    "analyze signals": JSON["analyze signals"],
    "analyze depth": JSON["analyze depth"],
    "validate": ("--cuts", "1", *SHORT),
    "record list": (),
    "doctor": ("mode=backtest",),
    "universe refresh": WEEK,
    "universe show": (),
    "universe explain": ("AAPL",),
    "universe history": (),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_ends_with_one_summary_line_of_keys_and_values(at_desk, name):
    ended = at_desk(*name.split(), *BATCHES[name])
    assert ended.returncode in ((0, ExitCode.DOCTOR) if name == "doctor" else (0,)), ended.stderr
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.startswith("SUMMARY")] == [lines[-1]]
    words = lines[-1].split()[1:]
    assert words
    assert all("=" in word for word in words), lines[-1]


def test_a_training_shows_what_the_gates_refused_and_ends_with_one_summary_line(trained):
    assert (trained.returncode, trained.stderr) == (0, "")
    *shown, last = trained.stdout.splitlines()
    assert any("REFUSE" in line for line in shown)
    words = dict(word.split("=", 1) for word in last.removeprefix("SUMMARY ").split())
    assert (words["model"], words["gates"], words["promoted"]) == ("desk@1", "refused", "false")
    assert int(words["trials"]) >= 1


def test_a_sweep_with_a_combination_that_cannot_be_lists_it_and_keeps_the_rest(at_desk):
    ended = at_desk("backtest", "-m", "strategy.fast=5,60", "strategy.slow=50", *SHORT)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    # 60 is no faster than 50
    (refused,) = [line for line in lines if f"refused ({ExitCode.CONFIG})" in line]
    assert "fast (60) must be shorter than slow (50)" in refused
    assert lines[-1].startswith("SUMMARY trials=2 done=1 refused=1 failed=0 ")


def test_a_snapshot_brings_back_what_was_there(at_desk, desk):
    store = desk / "data" / "tradingd" / "history"
    kept = at_desk("data", "snapshot", "before", "--json")
    assert kept.returncode == 0, kept.stderr
    rows = json.loads(kept.stdout)["rows"]
    assert_one_line(at_desk("data", "snapshot", "before"), ExitCode.SNAPSHOT, "before", "exists")
    shutil.rmtree(store / "bars")
    assert at_desk("data", "scan", "--verify").returncode == ExitCode.DAMAGED_PARQUET
    back = at_desk("data", "restore", "before")
    assert back.returncode == 0, back.stderr
    assert f"rows={rows}" in back.stdout.splitlines()[-1].split()
    assert at_desk("data", "scan", "--verify").returncode == 0


@pytest.mark.parametrize("one", [*TRADINGD, *TRADINGCTL], ids=lambda one: " ".join(one.path))
def test_help_shows_every_example_of_the_command(home, one: Command[Any, Any]):
    run = functools.partial(control, home) if one in TRADINGCTL else tradingd_in(home)
    shown = run(*one.path, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert one.examples
    for example in one.examples:
        assert example in shown.stdout


def test_the_overview_describes_every_command(tradingd):
    described = json.loads(tradingd("--describe").stdout)["commands"]
    assert [one["command"] for one in described] == list(COMMANDS)
    for one in described:
        assert one["description"].endswith(".")
        assert {"input_schema", "output_schema", "environment"} <= set(one)


def test_control_says_in_one_line_that_no_daemon_listens(home):
    assert_one_line(control(home, "status"), ExitCode.NO_DAEMON, "paper", "no daemon")
    assert_one_line(control(home, "stats"), ExitCode.USAGE, "did you mean status?")
    assert_one_line(control(home, "status", "--instance", "../x"), ExitCode.USAGE, "--instance")


# -- what is refused ------------------------------------------------------------------------------

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
        ("model", "explain", "gap_fade@99"), ExitCode.REGISTRY, ("version=99", "model list"),
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


# -- what goes wrong meanwhile --------------------------------------------------------------------


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


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
