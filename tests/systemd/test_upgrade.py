"""Upgrades of a running daemon: checked first, watched afterwards, taken back when they are ill."""

import subprocess

import pytest

from tests.systemd.machine import Machine

pytestmark = pytest.mark.systemd

QUICK = ("--healthy", "0.3")


@pytest.fixture
def running(machine: Machine, instance: str) -> str:
    """An instance that runs release 1.0, with 1.1 installed."""
    for version in ("1.0", "1.1"):
        machine.standin(version)
    machine.write_config(instance, "")
    machine.link(instance, "1.0")
    machine.start(instance)
    return instance


def configure(machine: Machine, instance: str, text: str) -> None:
    machine.path(f"/etc/tradingd/{instance}.yaml").write_text(text)


def release(machine: Machine, *words: str) -> subprocess.CompletedProcess[str]:
    return machine.exec("tradingd-release", *words, check=False)


def status(machine: Machine, instance: str) -> str:
    return machine.show(f"tradingd@{instance}.service", "StatusText")


def test_an_upgrade_restarts_into_the_new_release(machine: Machine, running: str) -> None:
    done = release(machine, "upgrade", "1.1", running, *QUICK)
    assert done.returncode == 0, done.stderr
    assert status(machine, running) == "RUNNING, release 1.1"


def test_a_release_that_refuses_the_configuration_changes_nothing(
    machine: Machine, running: str
) -> None:
    configure(machine, running, "refuse: 1.1")
    pid = machine.main_pid(running)
    done = release(machine, "upgrade", "1.1", running, *QUICK)
    assert done.returncode == 70
    assert "nothing was changed" in done.stderr
    assert machine.main_pid(running) == pid


def test_a_release_that_is_ill_is_taken_back(machine: Machine, running: str) -> None:
    configure(machine, running, "ill: 1.1")
    done = release(machine, "upgrade", "1.1", running, *QUICK)
    assert done.returncode == 70
    assert "rolled back to 1.0" in done.stderr
    assert status(machine, running) == "RUNNING, release 1.0"


def test_a_release_that_never_gets_ready_is_taken_back(machine: Machine, running: str) -> None:
    broken = machine.path("/opt/tradingd/releases/1.2/bin")
    machine.standin("1.2")
    program = broken / "tradingd"
    program.write_text('#!/bin/sh\n[ "$1" = run ] && exit 78\nexit 0\n')
    done = release(machine, "upgrade", "1.2", running, *QUICK)
    assert done.returncode == 70
    assert "rolled back to 1.0" in done.stderr
    assert status(machine, running) == "RUNNING, release 1.0"


def test_nothing_is_restarted_in_an_open_market_unless_told_to(
    machine: Machine, running: str
) -> None:
    configure(machine, running, "open: yes")
    assert release(machine, "upgrade", "1.1", running, *QUICK).returncode == 51
    assert status(machine, running) == "RUNNING, release 1.0"
    assert release(machine, "upgrade", "1.1", running, "--now", *QUICK).returncode == 0
    assert status(machine, running) == "RUNNING, release 1.1"


def test_a_roll_back_returns_to_the_release_before(machine: Machine, running: str) -> None:
    release(machine, "upgrade", "1.1", running, *QUICK)
    done = release(machine, "rollback", running, *QUICK)
    assert done.returncode == 0, done.stderr
    assert status(machine, running) == "RUNNING, release 1.0"


def test_an_instance_that_is_down_is_switched_and_stays_down(
    machine: Machine, running: str
) -> None:
    machine.stop(running)
    assert release(machine, "upgrade", "1.1", running, *QUICK).returncode == 0
    assert machine.show(f"tradingd@{running}.service", "ActiveState") == "inactive"
    machine.start(running)
    assert status(machine, running) == "RUNNING, release 1.1"
