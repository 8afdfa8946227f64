"""Second instances, bad configuration, reloads, stop files, broken strategies, a full disk."""

import resource
import signal
import subprocess
import time
from collections.abc import Callable

import msgspec
import pytest

from tests.acceptance.daemon.notified import eventually
from tests.acceptance.daemon.paper import Broker, Paper, desk_strategy
from tradingd.control.answers import Limits, Status

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

SLOW = ("feed.speed=240", "feed.days=2", "feed.symbols=1", "risk=open", *desk_strategy("Desk"))


def test_a_second_daemon_of_the_same_name_ends_at_once(paper: Make) -> None:
    first = paper(*SLOW).start().ready()
    second = paper(*SLOW, instance=first.instance + "b")
    command = [word if word != second.instance else first.instance for word in second.command()]
    environment = second.environment
    ended = subprocess.run(
        command, env=environment, cwd=first.home, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 60
    assert f"process {first.process.pid if first.process else 0}" in ended.stderr
    assert first.status().ready
    assert first.stop() == 0


def test_another_name_on_the_same_account_ends_at_once(paper: Make, broker: Broker) -> None:
    first = paper(*SLOW, *broker.overrides).start().ready()
    second = paper(*SLOW, *broker.overrides).start()
    assert second.wait() == 60
    assert f"instance {first.instance}" in second.errors()
    assert not second.notified.is_ready
    assert not second.control_socket.exists()
    assert first.status().ready


@pytest.mark.parametrize(
    "bad", ["risk.no_such_key=1", "feed.speed=-1", "mode=backtest", "strategy.path=absent:Desk"]
)
def test_a_bad_configuration_makes_nothing_but_a_refusal(paper: Make, bad: str) -> None:
    daemon = paper(*SLOW).start(bad)
    assert daemon.wait() == 78
    assert not daemon.notified.is_ready
    assert not daemon.control_socket.exists()
    assert not daemon.broker_socket.exists()
    if not bad.startswith("strategy"):
        assert not daemon.state.exists()


def test_a_reload_changes_the_safe_subset_and_says_what_changed(paper: Make) -> None:
    daemon = paper(*SLOW)
    file = daemon.overlay / f"{daemon.instance}.yaml"
    file.write_text("risk: {max_positions: 11}\n")
    daemon.start().ready()
    file.write_text("risk: {max_positions: 7}\n")
    done = daemon.ctl("reload", "--json")
    assert done.returncode == 0, done.stderr
    assert "max_positions" in done.stdout
    limits = {one.key: one.value for one in daemon.control.get("limits", Limits).limits}
    assert limits["max_positions"] == "7"
    assert daemon.notified.values("RELOADING") == ["1"]
    audit = daemon.rows("SELECT action, detail FROM audit WHERE action LIKE '%reload%'")
    assert any("11" in row["detail"] and "7" in row["detail"] for row in audit), audit

    before = daemon.status().config_hash
    file.write_text("risk: {max_positions: seven}\n")
    done = daemon.ctl("reload")
    assert done.returncode == 78, done.stdout + done.stderr
    assert str(file) in done.stderr
    assert daemon.status().config_hash == before
    file.write_text("risk: {max_positions: 7}\nmode: {cash: 5}\n")
    done = daemon.ctl("reload")
    assert done.returncode != 0
    assert "mode.cash" in done.stderr
    assert daemon.status().config_hash == before
    readies = daemon.notified.values("READY")
    assert len(readies) == 1 + len(daemon.notified.values("RELOADING")), "every reload is ended"
    assert daemon.stop() == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HALT", "fire drill"),
        ("latch.json", '{"reason": "fire drill", "author": "somebody", "since": 1}'),
    ],
    ids=["flag", "latch"],
)
def test_a_stop_file_starts_halted_and_nobody_resumes_while_it_stands(
    paper: Make, name: str, text: str
) -> None:
    daemon = paper(*SLOW)
    daemon.state.mkdir(parents=True)
    (daemon.state / name).write_text(text)
    daemon.start().ready()
    assert daemon.status().state == "HALTED"
    assert "fire drill" in daemon.status().states[0].reason
    confirm = ("--reason", "let me", "--confirm", daemon.instance)
    assert daemon.ctl("resume", *confirm).returncode == 51
    assert daemon.status().state == "HALTED"
    (daemon.state / name).unlink()
    assert daemon.ctl("resume", "--reason", "let me").returncode != 0, "without a confirmation"
    assert daemon.ctl("resume", *confirm).returncode == 0
    assert daemon.status().state == "RUNNING"
    assert daemon.stop() == 0


def test_a_strategy_that_raises_is_halted_and_the_daemon_goes_on(paper: Make) -> None:
    daemon = paper(*SLOW).start().ready()
    eventually(lambda: daemon.status().session_open, "an open session")
    (daemon.home / "raise-in-bar").touch()
    eventually(lambda: daemon.status().states, "a state")
    state = daemon.status().states[0]
    assert (state.scope, state.state, state.author) == ("strategy:Desk", "HALTED", "strategy fault")
    assert "told to raise" in state.reason
    before = daemon.status().data_time
    eventually(lambda: daemon.status().data_time > before, "the session goes on")
    assert daemon.status().ready
    kept = daemon.rows("SELECT state, reason FROM states")
    assert kept == [{"state": "HALTED", "reason": "RuntimeError: told to raise"}]
    assert "PAGE: strategy Desk: RUNNING -> HALTED" in daemon.errors()
    assert 'raise RuntimeError(\\"told to raise\\")' in daemon.errors(), "the stack is in the log"
    assert daemon.stop() == 0


def test_a_journal_that_cannot_be_written_sends_nothing_any_more(
    paper: Make, broker: Broker
) -> None:
    limits = ("supervision.journal_stall_seconds=1",)
    daemon = paper(*SLOW, *broker.overrides, *limits).start().ready()
    eventually(lambda: daemon.status().session_open, "an open session")
    assert daemon.process is not None
    # As on a full disk: no file of the process may grow any more.
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    (daemon.home / "enter-SYN1").touch()
    eventually(lambda: daemon.check("journal").grade == "FAILED", "the journal fails")
    eventually(lambda: not (daemon.home / "enter-SYN1").exists(), "the strategy asks")
    (daemon.home / "enter-SYN1").touch()
    eventually(lambda: not (daemon.home / "enter-SYN1").exists(), "the strategy asks again")
    assert broker.ask("orders")["orders"] == []
    assert not daemon.status().ready
    stopped = time.monotonic()
    daemon.send(signal.SIGTERM)
    assert daemon.wait() == 67
    assert daemon.notified.beats_since(stopped) == 0
    assert broker.ask("orders")["orders"] == []


def test_what_is_said_is_a_contract(paper: Make) -> None:
    daemon = paper(*SLOW).start().ready()
    status = msgspec.json.decode(daemon.ctl("status", "--json").stdout, type=Status)
    assert status.instance == daemon.instance
    assert daemon.ctl("health").returncode == 0
    assert daemon.ctl("jobs", "list").returncode == 0
    assert daemon.ctl("top", "--once").returncode == 0
    assert daemon.ctl("audit", "verify").returncode == 0
    assert daemon.ctl("drill", "feed", "1", "--reason", "x").returncode != 0, "unconfirmed"
