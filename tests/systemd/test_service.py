"""What the units do with a daemon that ends, hangs, crashes and reloads; a stand-in plays it."""

from collections.abc import Iterator

import pytest

from tests.systemd.machine import Machine

pytestmark = pytest.mark.systemd


@pytest.fixture
def standin(machine: Machine, instance: str) -> Iterator[str]:
    """An instance whose release is the stand-in."""
    machine.standin("stand-in")
    machine.write_config(instance, "")
    machine.link(instance, "stand-in")
    return instance


def configure(machine: Machine, instance: str, text: str) -> None:
    machine.path(f"/etc/tradingd/{instance}.yaml").write_text(text)


def test_a_start_returns_when_the_daemon_is_ready_and_says_so(
    machine: Machine, standin: str
) -> None:
    machine.start(standin)
    assert machine.show(f"tradingd@{standin}.service", "StatusText") == "RUNNING, release stand-in"
    socket = machine.exec("stat", "-c", "%a %U %G", f"/run/tradingd/{standin}.sock").stdout
    assert socket == "660 root tradingd-op\n"
    state = machine.exec("stat", "-c", "%a %U", f"/var/lib/tradingd/{standin}").stdout
    assert state == "750 tradingd\n"
    machine.stop(standin)
    assert machine.show(f"tradingd@{standin}.service", "Result") == "success"
    assert not machine.path(f"/run/tradingd/{standin}.sock").exists()


def test_a_name_nobody_configured_is_refused(machine: Machine) -> None:
    said = machine.exec("systemctl", "start", "tradingd@papre.service", check=False)
    assert said.returncode != 0
    assert "Assertion failed" in said.stderr


def test_an_instance_without_a_release_is_not_tried_again(machine: Machine, standin: str) -> None:
    machine.path(f"/opt/tradingd/instances/{standin}").unlink()
    machine.systemctl("start", f"tradingd@{standin}.service", check=False)
    machine.wait_state(f"tradingd@{standin}.service", "failed")
    assert machine.show(f"tradingd@{standin}.service", "NRestarts") == "0"
    assert "tradingd-release switch" in machine.messages(f"tradingd@{standin}.service")


@pytest.mark.parametrize("code", [2, 60, 65, 70, 78])
def test_an_exit_that_a_restart_cannot_mend_is_final_and_alerts(
    machine: Machine, standin: str, code: int
) -> None:
    configure(machine, standin, f"exit: {code}")
    unit = f"tradingd@{standin}.service"
    machine.systemctl("start", unit, check=False)
    machine.wait_state(unit, "failed")
    assert machine.show(unit, "NRestarts") == "0"
    assert machine.show(unit, "ExecMainStatus") == str(code)
    alert = f"tradingd-alert@{unit}.service"
    machine.wait_for(lambda: machine.messages(alert), "the alert unit runs")
    machine.wait_for(
        lambda: not machine.path(f"/run/tradingd/{standin}.sock").exists(),
        "nobody listens, so that a question does not start it again",
    )


def test_a_killed_daemon_comes_back_and_its_socket_with_it(machine: Machine, standin: str) -> None:
    machine.drop_in(f"tradingd@{standin}.service", "RestartSec=100ms")
    machine.start(standin)
    before = machine.main_pid(standin)
    machine.kill_main(standin, "SIGKILL")
    machine.wait_for(
        lambda: machine.main_pid(standin) not in (0, before), "the daemon is back", timeout=20
    )
    machine.wait_state(f"tradingd@{standin}.service", "active")
    assert machine.show(f"tradingd@{standin}.service", "NRestarts") == "1"
    machine.systemctl("reload", f"tradingd@{standin}.service")


def test_a_question_after_a_stop_does_not_start_the_daemon(machine: Machine, standin: str) -> None:
    machine.start(standin)
    machine.stop(standin)
    machine.exec(
        "/usr/lib/tradingd/launch", standin, "tradingctl", "-i", standin, "reload", check=False
    )
    assert machine.show(f"tradingd@{standin}.service", "ActiveState") == "inactive"


def test_a_reload_that_is_refused_fails_and_the_daemon_goes_on(
    machine: Machine, standin: str
) -> None:
    machine.start(standin)
    pid = machine.main_pid(standin)
    unit = f"tradingd@{standin}.service"
    configure(machine, standin, "bad: yes")
    assert machine.exec("systemctl", "reload", unit, check=False).returncode != 0
    configure(machine, standin, "")
    machine.systemctl("reload", unit)
    assert machine.main_pid(standin) == pid


def test_a_daemon_without_a_heartbeat_is_killed_by_the_watchdog_and_restarted(
    machine: Machine, standin: str
) -> None:
    unit = f"tradingd@{standin}.service"
    machine.drop_in(unit, "WatchdogSec=1s\nRestartSec=100ms")
    configure(machine, standin, "mute: yes")
    machine.start(standin)
    machine.wait_for(lambda: machine.show(unit, "NRestarts") != "0", "a restart by the watchdog")
    assert "Watchdog timeout" in machine.messages(unit)
    assert "signal SIGQUIT" in machine.messages(unit)


def test_a_crash_loop_ends_after_five_starts_and_can_be_recovered(
    machine: Machine, standin: str
) -> None:
    unit = f"tradingd@{standin}.service"
    machine.drop_in(unit, "RestartSec=10ms\nExecStopPost=")
    configure(machine, standin, "crash: yes")
    machine.systemctl("start", unit, check=False)
    machine.wait_state(unit, "failed")
    assert machine.show(unit, "NRestarts") == "5"
    alert = f"tradingd-alert@{unit}.service"
    machine.wait_for(lambda: machine.messages(alert), "the alert unit runs")
    configure(machine, standin, "")
    machine.systemctl("reset-failed", unit, f"tradingd@{standin}.socket")
    machine.start(standin)


def test_credentials_are_optional_and_each_instance_gets_its_own(
    machine: Machine, standin: str
) -> None:
    store = f"/etc/credstore.encrypted/broker-{standin}"
    seal = (
        f"echo -n s3cret | systemd-creds encrypt --with-key=host --name=broker-{standin} - {store}"
    )
    machine.exec("sh", "-c", seal)
    machine.start(standin)
    inside = f"/run/credentials/tradingd@{standin}.service"
    assert machine.exec("ls", inside).stdout.split() == [f"broker-{standin}"]
    machine.exec("rm", store)


def test_a_credential_under_another_name_is_refused(machine: Machine, standin: str) -> None:
    store = f"/etc/credstore.encrypted/broker-{standin}"
    seal = f"echo -n s3cret | systemd-creds encrypt --with-key=host --name=broker-live - {store}"
    machine.exec("sh", "-c", seal)
    said = machine.exec("systemctl", "start", f"tradingd@{standin}.service", check=False)
    machine.exec("rm", store)
    assert said.returncode != 0
    assert machine.show(f"tradingd@{standin}.service", "ExecMainStatus") == "243"


@pytest.mark.parametrize(
    ("answer", "runs", "state"),
    [("0", True, "inactive"), ("54", False, "inactive"), ("255", False, "failed")],
    ids=["session", "holiday", "no answer"],
)
def test_a_job_runs_on_sessions_only_and_a_broken_calendar_is_no_holiday(
    machine: Machine, standin: str, answer: str, runs: bool, state: str
) -> None:
    machine.path("/etc/tradingd/calendar-answer").write_text(answer)
    jobs = machine.path("/etc/tradingd/jobs")
    jobs.mkdir(exist_ok=True)
    (jobs / "probe").write_text("#!/bin/sh\necho ran for $1\n")
    (jobs / "probe").chmod(0o755)
    unit = f"tradingd-job@probe-{standin}.service"
    machine.systemctl("start", unit, check=False)
    assert machine.show(unit, "ActiveState") == state
    assert (f"ran for {standin}" in machine.messages(unit)) is runs
