"""What the units promise, measured by systemd itself."""

import pytest

from tests.systemd.machine import REPOSITORY, Machine

pytestmark = pytest.mark.systemd

FILES = sorted(
    path.name for path in (REPOSITORY / "systemd").iterdir() if path.suffix in (
        ".service", ".socket", ".path", ".timer", ".slice"
    )
)  # fmt: skip

MOST_EXPOSED = {
    "tradingd@paper.service": 1.5,
    "tradingd-simbroker@paper.service": 1.5,
    "tradingd-kill@paper.service": 1.5,
    "tradingd-alert@x.service": 1.9,
    "tradingd-job@report-paper.service": 1.9,
    "tradingd-backfill@paper.service": 1.5,
}


@pytest.mark.parametrize("file", FILES)
def test_systemd_finds_nothing_wrong_with_a_unit(machine: Machine, file: str) -> None:
    unit = file.replace("@.", "@report-paper." if "job" in file else "@paper.")
    said = machine.exec("systemd-analyze", "verify", "--man=no", unit)
    assert said.stdout + said.stderr == ""


@pytest.mark.parametrize(("unit", "limit"), MOST_EXPOSED.items(), ids=MOST_EXPOSED)
def test_a_service_exposes_little(machine: Machine, unit: str, limit: float) -> None:
    said = machine.exec("systemd-analyze", "security", "--no-pager", unit).stdout
    exposure = float(said.rpartition("service:")[2].split()[0])
    assert exposure <= limit, said


@pytest.mark.parametrize(
    ("timer", "after", "expected"),
    [
        ("premarket", "2026-03-06 20:00 UTC", "2026-03-09 12:30:00 UTC"),
        ("premarket", "2026-03-05 20:00 UTC", "2026-03-06 13:30:00 UTC"),
        ("endofday", "2026-10-30 12:00 UTC", "2026-10-30 20:30:00 UTC"),
        ("endofday", "2026-11-01 12:00 UTC", "2026-11-02 21:30:00 UTC"),
        ("report", "2026-07-01 12:00 UTC", "2026-07-01 21:00:00 UTC"),
        ("nightly", "2026-03-07 12:00 UTC", "2026-03-10 06:00:00 UTC"),
        ("nightly", "2026-11-01 12:00 UTC", "2026-11-03 07:00:00 UTC"),
        ("backfill", "2026-03-07 12:00 UTC", "2026-03-10 07:30:00 UTC"),
        ("backfill", "2026-11-01 12:00 UTC", "2026-11-03 08:30:00 UTC"),
    ],
)
def test_a_timer_follows_new_york_over_a_change_of_clocks(
    machine: Machine, timer: str, after: str, expected: str
) -> None:
    file = REPOSITORY / "systemd" / f"tradingd-{timer}@.timer"
    (when,) = (
        line.partition("=")[2]
        for line in file.read_text().splitlines()
        if line.startswith("OnCalendar=")
    )
    calendar = ("systemd-analyze", "calendar", f"--base-time={after}", when)
    said = machine.exec("env", "TZ=UTC", *calendar).stdout
    assert expected in said


def test_nobody_but_the_groups_reaches_state_and_credentials(machine: Machine) -> None:
    machine.exec("getent", "passwd", "tradingd")
    for group in ("tradingd-op", "tradingd-view"):
        machine.exec("getent", "group", group)
    assert machine.exec("stat", "-c", "%a %U", "/etc/credstore.encrypted").stdout == "700 root\n"


def test_the_host_is_not_changed_by_a_machine(machine: Machine) -> None:
    assert machine.exec("hostname").stdout.strip() == "tradingd-test"
    written = machine.exec("sh", "-c", "echo 1 > /proc/sys/vm/swappiness", check=False)
    assert written.returncode != 0
    assert machine.exec("ls", "/sys/class/net").stdout.split() == ["lo"]
