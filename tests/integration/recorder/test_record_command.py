"""`tradingd record depth` as a person runs it."""

import json
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from tests.acceptance.command import environment_in, started_in
from tests.fakes.recording import snapshots, statistics, unfinished
from tradingd.app.record import Recorded
from tradingd.app.record_list import Listing
from tradingd.kits.failure import ExitCode

pytestmark = pytest.mark.real_data

FROG = "dbn/xnas-itch-20250403.FROG.am.mbp-10.dbn.zst"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tradingd" / "level2"


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    process = started_in(home, *words)
    out, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, errors)


def replay(real_data: Path, *words: str) -> tuple[str, ...]:
    return ("record", "depth", "depth=replay", f"depth.path={real_data / FROG}", *words)


def test_a_replay_is_recorded_and_listed(tmp_path, real_data, root):
    words = replay(real_data, "depth.speed=0", "record.interval_ms=1000")
    ended = run(tmp_path, *words, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    result = msgspec.json.decode(ended.stdout, type=Recorded)
    assert (result.events, result.ended_by, result.dropped) == (17_451, "feed_ended", 0)
    assert len(snapshots(root, "FROG")) == result.rows
    listed = run(tmp_path, "record", "list", "--json")
    (held,) = msgspec.json.decode(listed.stdout, type=Listing).files
    assert (held.symbol, held.rows, held.interval_ms) == ("FROG", result.rows, 1_000)
    assert run(tmp_path, "record", "list").stdout.splitlines()[-1].startswith("SUMMARY files=1 ")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stops_in_order_with_one_summary_line(tmp_path, real_data, root, by):
    words = replay(real_data, "depth.speed=50", "record.flush_seconds=0.2")
    process = started_in(tmp_path, *words)
    deadline = time.monotonic() + 30
    while not list(root.rglob("rows-*.parquet")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(by)
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    last = out.splitlines()[-1]
    assert last.startswith("SUMMARY captures=1 ")
    assert "ended_by=stopped" in last.split()
    assert unfinished(root) == []
    assert len(snapshots(root, "FROG")) > 0
    assert statistics(root)[0]["ended_by"] == "stopped"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), ExitCode.CONFIG, "depth=replay"),
        (("depth=databento", "--symbols", "A"), ExitCode.CONFIG, "DATABENTO_API_KEY"),
        (("depth=ibkr",), ExitCode.CONFIG, "--symbols"),
        (("depth=replay", "depth.path=nowhere"), ExitCode.UNREADABLE_INPUT, "nowhere"),
        (("--symbols", "A", "depth=ibkr"), ExitCode.USAGE, "before --symbols"),
        (("--minutes", "-1"), ExitCode.USAGE, "--minutes"),
    ],
    ids=["no source", "no key", "no symbols", "no file", "order", "no time"],
)
def test_what_cannot_be_recorded_is_said_in_one_line(tmp_path, words, code, said):
    ended = run(tmp_path, "record", "depth", *words)
    assert (ended.returncode, ended.stdout) == (code, "")
    (line,) = ended.stderr.splitlines()
    assert said in line


def test_a_symbol_that_is_not_there_is_named_and_the_others_are_recorded(tmp_path, real_data):
    words = replay(real_data, "depth.speed=0", "record.interval_ms=60000", "--minutes", "5")
    ended = run(tmp_path, *words, "--symbols", "FROGG", "FROG", "--json")
    assert ended.returncode == ExitCode.UNKNOWN_SYMBOL
    result = json.loads(ended.stdout)
    assert list(result["refused"]) == ["FROGG"]
    assert [one["symbol"] for one in result["captures"]] == ["FROG"]
    nothing = run(tmp_path, *words, "--symbols", "FROGG")
    assert nothing.returncode == ExitCode.UNKNOWN_SYMBOL
    assert "did you mean FROG?" in nothing.stderr.splitlines()[-1]


def test_the_environment_of_the_tests_has_no_key():
    assert "DATABENTO_API_KEY" not in environment_in(Path("/nowhere"))
