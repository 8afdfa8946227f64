"""Every command as a hurried person uses it: rightly."""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.acceptance.command import Run, environment_in, tradingd_in
from tests.acceptance.desk import QUICK, SHORT, WEEK, assert_one_line
from tradingd.cli.command import Command
from tradingd.cli.table import TRADINGCTL, TRADINGD
from tradingd.kits.failure import ExitCode


@pytest.fixture(scope="module")
def trained(at_desk: Run) -> subprocess.CompletedProcess[str]:
    """A model of the desk's own bars, for whom needs one; all it printed."""
    return at_desk("model", "train", *FEW_FEATURES, *QUICK, "training.end=2012-12-31")


def control(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the other program, by its installed name."""
    return subprocess.run(
        [Path(sys.executable).with_name("tradingctl"), *words],
        capture_output=True,
        text=True,
        env={**environment_in(home), "XDG_RUNTIME_DIR": str(home)},
        timeout=60,
    )


MODEL = str(Path(__file__).parents[2] / "contracts/fixtures/model-manifest/good/promoted.json")

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
