"""What a machine remembers over a reboot, and what a sandbox leaves on its host."""

from pathlib import Path

import pytest

from tests.systemd.machine import Machine
from tests.systemd.sandbox import Sandbox, why_not

pytestmark = pytest.mark.systemd


def test_an_enabled_instance_comes_back_with_its_state_after_a_reboot(rebootable: Machine) -> None:
    machine = rebootable
    machine.standin("stand-in")
    machine.write_config("demo", "")
    machine.link("demo", "stand-in")
    machine.systemctl("enable", "--now", "tradingd@demo.service")
    (machine.state("demo") / "latch.json").write_text("{}")
    machine.reboot()
    machine.wait_state("tradingd@demo.service", "active")
    assert (machine.state("demo") / "latch.json").read_text() == "{}"


def test_a_timer_that_was_missed_while_the_machine_was_off_runs_after_it(
    rebootable: Machine,
) -> None:
    machine = rebootable
    jobs = machine.path("/etc/tradingd/jobs")
    jobs.mkdir(exist_ok=True)
    (jobs / "report").write_text("#!/bin/sh\necho ran for $1\n")
    (jobs / "report").chmod(0o755)
    machine.standin("stand-in")
    machine.link("paper", "stand-in")
    machine.path("/etc/tradingd/calendar-answer").write_text("0")
    machine.systemctl("enable", "--now", "tradingd-report@paper.timer")
    assert machine.messages("tradingd-job@report-paper.service") == ""
    stamps = "/var/lib/systemd/timers/stamp-tradingd-report@paper.timer"
    machine.exec("touch", "-d", "8 days ago", stamps)
    machine.reboot()
    machine.wait_for(
        lambda: "ran for paper" in machine.messages("tradingd-job@report-paper.service"),
        "the missed job runs",
    )


def test_a_sandbox_leaves_its_host_as_it_was(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    (tmp_path / "tree").mkdir()
    before = traces()
    box = Sandbox("short", tree=tmp_path / "tree")
    box.start()
    groups = box.cgroups
    box.exec("touch", "/etc/from-the-sandbox", "/usr/from-the-sandbox")
    assert groups
    assert all(group.exists() for group in groups)
    box.stop()
    assert traces() == before
    assert not any(group.exists() for group in groups)


def traces() -> tuple[str, list[str], list[bool], str]:
    """Return what a sandbox might change: mounts, devices, files, a kernel knob."""
    mounts = Path("/proc/self/mounts").read_text()
    devices = sorted(path.name for path in Path("/dev").iterdir())
    files = [(Path(folder) / "from-the-sandbox").exists() for folder in ("/etc", "/usr")]
    return mounts, devices, files, Path("/proc/sys/kernel/hostname").read_text()
