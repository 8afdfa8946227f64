"""`tradingd run` and `tradingctl` for a person: refusals, interruptions, how it ends."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command import environment_in
from tradingd.kits.failure import ExitCode

type Say = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("feed=synthetic", "strategy=intraday_mean_reversion", "telemetry.metrics_port=0")
ENTRY = "import sys, tradingd.cli.main as main; sys.exit(main.{program}())"


def own_environment(home: Path) -> dict[str, str]:
    run = home / "run"
    run.mkdir(exist_ok=True, mode=0o700)
    places = {"XDG_STATE_HOME": str(home / "state"), "XDG_RUNTIME_DIR": str(run)}
    return {**environment_in(home), **places}


@pytest.fixture
def say(home: Path) -> Say:
    def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", ENTRY.format(program=program), *words],
            capture_output=True,
            text=True,
            env=own_environment(home),
            cwd=home,
            timeout=120,
        )

    return run


def last_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("overrides", "code", "said"),
    [
        (("feed=synthetic", "strategy.bars=1d"), ExitCode.CONFIG, "found: 1m bars"),
        (
            ("feed=sample", "universe=symbols", "universe.symbols=[NOPE]"),
            ExitCode.UNKNOWN_SYMBOL,
            "the embedded sample does not have these symbols | at: universe.symbols",
        ),
        (
            ("feed=sample", "feed.start=2012-01-01", "feed.end=2011-01-01"),
            ExitCode.EMPTY_RANGE,
            "expected: 2012-01-01 or later | found: 2011-01-01",
        ),
        (("feed=replay",), ExitCode.NO_DATA, "next: tradingd data import source=sample"),
    ],
)
def test_a_session_without_its_bars_is_refused_by_what_is_missing(
    say: Say, overrides: tuple[str, ...], code: ExitCode, said: str
) -> None:
    ended = say("tradingd", "run", "-i", "t1", *overrides, "telemetry.metrics_port=0")
    assert ended.returncode == code, ended.stderr
    assert said in last_line(ended)
    assert "could not be taken back" not in ended.stderr


def test_a_state_folder_that_cannot_be_made_is_refused_by_its_path(home: Path, say: Say) -> None:
    (home / "state").write_text("a file where a folder is wanted")
    ended = say("tradingd", "run", "-i", "t1", *QUICK)
    assert ended.returncode == ExitCode.STORE_WRITE
    assert str(home / "state") in last_line(ended)
    assert "bug" not in ended.stderr


def test_a_start_that_is_called_off_ends_in_words_and_without_an_error(home: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", ENTRY.format(program="tradingd"), "run", "-i", "t1", *QUICK,
         "telemetry.log_level=INFO"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Under a manager it logs each step, so that the signal comes in the middle of the start.
        env={**own_environment(home), "INVOCATION_ID": "1", "NOTIFY_SOCKET": str(home / "nobody")},
        cwd=home,
    )  # fmt: skip
    assert started.stderr is not None
    for line in started.stderr:
        if "open the feed" in line:
            os.kill(started.pid, signal.SIGINT)
            break
    out, errors = started.communicate(timeout=60)
    assert started.returncode == ExitCode.OK, errors
    assert out.startswith("Session of t1 called off: SIGINT during the start; nothing was traded\n")
    assert '"ERROR"' not in errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-i", "paper"), "a command is missing after tradingctl"),
        (("-i", "paper", "limits"), "a command is missing after tradingctl limits"),
        (
            ("resume", "--reason", "x"),
            "at: --reason | expected: at least 3 characters | found: 'x'",
        ),
        (("pause", "--reason", ""), "at: --reason | expected: at least 1 character | found: ''"),
        (("-i", "PAPER", "status"), "expected: a name such as paper"),
        (("pause", "--scope", "SPY"), "expected: account, strategy:NAME or symbol:TICKER"),
    ],
)
def test_an_operator_is_told_what_a_line_lacks_before_any_daemon_is_asked(
    say: Say, words: tuple[str, ...], said: str
) -> None:
    ended = say("tradingctl", *words)
    assert ended.returncode == ExitCode.USAGE
    assert said in last_line(ended)
    assert len(ended.stderr.splitlines()) == 1


def test_no_daemon_is_told_by_its_exit_code(say: Say) -> None:
    ended = say("tradingctl", "-i", "t" + secrets.token_hex(4), "status")
    assert ended.returncode == ExitCode.NO_DAEMON
    assert "tradingd run" in last_line(ended)
