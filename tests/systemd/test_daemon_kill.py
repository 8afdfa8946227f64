"""The kill switch against the real daemon, and the operator's way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine
from tests.systemd.trading import Trading
from tradingd.kits import latch

pytestmark = pytest.mark.systemd


@pytest.fixture(scope="module")
def desk(machine: Machine) -> Iterator[Trading]:
    """An instance in session; the tests of this file follow one another."""
    desk = Trading(machine, "kill")
    desk.install()
    machine.drop_in(desk.unit, "RestartSec=100ms\nWatchdogSec=120s")
    desk.start()
    yield desk
    machine.forget("kill")


def act(desk: Trading, verb: str, *words: str, check: bool = True) -> int:
    """Carry out a verb of `tradingctl`; return its exit code."""
    return int(
        desk.ctl(
            verb, *words, "--reason", "exercise", "--confirm", desk.name, check=check
        ).returncode
    )


def test_the_kill_unit_flattens_while_the_daemon_is_stopped_and_it_wakes_up_halted(
    desk: Trading,
) -> None:
    machine = desk.machine
    desk.open("SYN1")
    desk.rest("SYN1")
    desk.tell("buy-SYN2")
    machine.kill_main(desk.name, "SIGSTOP")
    machine.systemctl("start", f"tradingd-kill@{desk.name}.service")
    assert (desk.working, desk.held) == ([], [])
    sent = desk.sent()
    machine.kill_main(desk.name, "SIGCONT")
    machine.wait_for(lambda: desk.status().state == "HALTED", "the daemon is HALTED")
    before = desk.status().data_time
    desk.tell("buy-SYN3")
    machine.wait_for(
        lambda: desk.status().data_time > before + 5 * 60 * 10**9, "five bars more", timeout=60
    )
    assert desk.sent() == sent, "nothing is sent after the kill switch"
    assert (desk.working, desk.held) == ([], [])


def test_a_latched_instance_starts_halted_and_cannot_be_resumed(desk: Trading) -> None:
    pid = desk.pid
    desk.machine.kill_main(desk.name, "SIGKILL")
    desk.restarted(pid)
    status = desk.status()
    assert status.state == "HALTED"
    assert "tradingd-kill@kill was started" in " ".join(one.reason for one in status.states)
    assert act(desk, "resume", check=False) == 51
    assert desk.status().state == "HALTED"


def test_a_person_leads_it_back_reset_adopt_resume_and_it_trades(
    desk: Trading, tmp_path: Path
) -> None:
    machine = desk.machine
    reset = ("tradingd", "kill", "--instance", desk.name, "--reset", "--reason", "found the cause")
    machine.exec("/usr/lib/tradingd/launch", desk.name, *reset, "--confirm", desk.name)
    assert latch.read(machine.state(desk.name)) is None
    act(desk, "adopt")
    act(desk, "resume")
    status = desk.status()
    assert (status.state, status.positions, status.open_orders) == ("RUNNING", 0, 0)
    desk.open("SYN2")
    desk.close("SYN2")
    desk.open("SYN3")
    assert [(one["symbol"], one["quantity"]) for one in desk.held] == [("SYN3", 10)]
    desk.books_agree(tmp_path, allow_foreign=True)
    machine.stop(desk.name)
    assert machine.show(desk.unit, "Result") == "success"
    owners = machine.exec("find", f"/var/lib/tradingd/{desk.name}", "!", "-user", "tradingd").stdout
    assert owners == "", "root left nothing that the daemon cannot write"
