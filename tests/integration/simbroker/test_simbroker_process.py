import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.simbroker.sim_kit import Process, Wire, wait_for


def test_the_socket_belongs_to_its_owner_alone(process):
    mode = process.socket.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE((process.state / "simbroker.sqlite").stat().st_mode) == 0o600


def test_a_killed_broker_goes_on_from_its_store(process):
    with Wire(process.socket) as wire:
        wire.bar(1, "100")
        wire.submit("held")
        wire.submit("stop", "SELL", 10, "STOP_MARKET", stop="99", time_in_force="GTC")
        before = wire.ask("hello")
    process.kill()
    process.start()
    with Wire(process.socket) as wire:
        after = wire.ask("hello")
        assert {key: after[key] for key in ("account", "store", "cash", "equity", "seq")} == {
            key: before[key] for key in ("account", "store", "cash", "equity", "seq")
        }
        wire.bar(2, "98")
        assert wire.ask("positions")["positions"] == []


def test_events_that_were_missed_can_be_asked_for_after_a_kill(process):
    with Wire(process.socket) as wire:
        wire.bar(1, "100")
        wire.ask("subscribe")
        wire.submit("a")
        wire.until_event(3)
        first = wire.events
    process.kill()
    process.start()
    with Wire(process.socket) as wire:
        wire.ask("subscribe", **{"from": 2})
        assert wire.events == first[1:]


def test_a_second_broker_of_a_state_folder_is_refused(process):
    other = process.command()
    other[other.index("--socket") + 1] += "2"
    ended = subprocess.run(other, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 3
    assert "another broker runs" in ended.stderr


def test_a_socket_that_another_broker_serves_is_refused(process):
    other = process.command()
    other[other.index("--state") + 1] += "2"
    ended = subprocess.run(other, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 4
    assert "serves" in ended.stderr
    with Wire(process.socket) as wire:
        assert wire.ask("ping")["ok"]


def test_a_socket_that_a_dead_broker_left_is_replaced(process):
    process.kill()
    assert process.socket.exists()
    process.start()
    assert process.answers()


def test_a_path_that_is_no_socket_is_left_alone(tmp_path):
    broker = Process(tmp_path)
    broker.socket.write_text("mine")
    ended = subprocess.run(broker.command(), capture_output=True, text=True, timeout=30)
    assert ended.returncode == 4
    assert broker.socket.read_text() == "mine"


def test_a_damaged_store_is_refused(tmp_path):
    broker = Process(tmp_path)
    broker.state.mkdir()
    (broker.state / "simbroker.sqlite").write_bytes(b"no database" * 500)
    ended = subprocess.run(broker.command(), capture_output=True, text=True, timeout=30)
    assert ended.returncode == 5
    assert "cannot be used" in ended.stderr


def test_a_store_of_another_layout_is_refused(tmp_path):
    broker = Process(tmp_path)
    broker.state.mkdir()
    with sqlite3.connect(broker.state / "simbroker.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    ended = subprocess.run(broker.command(), capture_output=True, text=True, timeout=30)
    assert ended.returncode == 5
    assert "layout 99" in ended.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--cash", "1e5"),
        ("--cash", "-1"),
        ("--half-spread-bps", "0.00001"),
        ("--participation", "200"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_refused(tmp_path, options):
    command = Process(tmp_path).command(*options)
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 2


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_broker_ends_cleanly_and_takes_its_socket_away(process, how):
    with Wire(process.socket) as wire:
        wire.ask("ping")
        assert process.kill(how) == 0
        assert wire.line() is None
    assert not process.socket.exists()


def test_a_broker_that_nobody_uses_ends_after_a_while(make_process):
    process = make_process("--idle-exit", "0.3")
    with Wire(process.socket) as wire:
        wire.ask("ping")
        time.sleep(0.5)
        assert process.child.poll() is None
    assert process.child.wait(5) == 0


def test_a_detached_broker_listens_when_its_starter_returns_and_outlives_it(tmp_path):
    broker = Process(tmp_path)
    ended = subprocess.run(broker.command("--detach"), capture_output=True, timeout=30)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    with Wire(broker.socket) as wire:
        pid = wire.ask("hello")["pid"]
        assert os.getsid(pid) != os.getsid(0)
        wire.ask("shutdown")
    wait_for(lambda: not broker.socket.exists())
    assert "serves account SIM-1" in (broker.state / "simbroker.log").read_text()


def test_a_detached_broker_that_cannot_start_says_so_by_its_exit_code(process):
    ended = subprocess.run(process.command("--detach"), capture_output=True, timeout=30)
    assert ended.returncode == 3


def test_it_imports_the_standard_library_alone():
    script = (
        "import sys; import tradingd.simbroker.__main__, tradingd.simbroker.process; "
        "roots = {name.partition('.')[0] for name in sys.modules}; "
        "ours = {n for n in sys.modules if n.startswith('tradingd') and 'simbroker' not in n}; "
        "foreign = roots - set(sys.stdlib_module_names) - {'tradingd', '__main__'}; "
        "print(sorted(foreign | ours - {'tradingd'}))"
    )
    ended = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True,
                           env={"PYTHONPATH": str(Path.cwd())}, timeout=20)  # fmt: skip
    assert ended.stdout.strip() == "[]", ended.stderr
