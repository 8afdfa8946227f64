"""The real daemon in session under its units: start, looks, operators, reload, stop.

One instance serves the whole file and goes on trading between the tests; what ends a session is
in files of its own.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import Machine
from tests.systemd.trading import Trading
from tradingd.kits.failure import ExitCode

pytestmark = pytest.mark.systemd

METRICS_PORT = 9101
PEOPLE = {"olga": "tradingd-op", "victor": "tradingd-view", "mallory": ""}


@pytest.fixture(scope="module")
def desk(machine: Machine) -> Iterator[Trading]:
    """An instance with a position, its stop and a resting bid; people of every group."""
    desk = Trading(machine, "desk", port=METRICS_PORT)
    desk.install()
    for person, group in PEOPLE.items():
        machine.exec("useradd", *(("-G", group) if group else ()), person)
    desk.ready_after = desk.start()
    desk.open("SYN1")
    desk.rest("SYN1")
    yield desk
    machine.forget("desk")


def test_it_is_ready_within_ten_seconds(desk: Trading) -> None:
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    sys.stderr.write(f"READY after {desk.ready_after:.1f} s, {crowd:.1f} programs a core\n")
    assert desk.ready_after < 10 * crowd
    status = desk.status()
    assert (status.phase, status.ready, status.state) == ("TRADING", True, "RUNNING")


def test_systemctl_status_shows_state_positions_money_and_feed(desk: Trading) -> None:
    def line() -> str:
        show = ("systemctl", "status", "--no-pager", desk.unit)
        said = desk.machine.exec(*show, check=False).stdout
        return next(text.strip() for text in said.splitlines() if "Status:" in text)

    pattern = (
        r'Status: "RUNNING, 1 position, 2 orders, P&L today [+-]\d+\.\d\d, '
        r'feed lag \d+\.\d s, SYNTHETIC"'
    )
    desk.machine.wait_for(lambda: re.fullmatch(pattern, line()), "a STATUS line that says it all")


def test_the_journal_finds_a_fill_by_its_fields(desk: Trading) -> None:
    (entry,) = desk.machine.journal(
        TRADING_EVENT="fill", TRADING_INSTANCE="desk", TRADING_SYMBOL="SYN1"
    )
    (order,) = [one for one in desk.orders() if one.symbol == "SYN1" and one.filled]
    assert entry["TRADING_ORDER_ID"] == order.order_id
    assert entry["TRADING_STRATEGY"] == "Trader"
    assert entry["TRADING_RUN_ID"] == desk.status().run_id
    assert entry["_SYSTEMD_UNIT"] == desk.unit
    assert entry["MESSAGE"].startswith("fill BUY 10 SYN1 @ ")


def test_metrics_are_served_on_the_loopback_of_the_machine(desk: Trading) -> None:
    said = desk.machine.exec("curl", "-sf", f"http://127.0.0.1:{METRICS_PORT}/metrics").stdout
    assert re.search(r"^tradingd_positions 1\.0$", said, re.MULTILINE)
    desk.machine.exec("curl", "-sf", f"http://127.0.0.1:{METRICS_PORT}/ready")
    listening = desk.machine.exec("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
    assert f"0100007F:{METRICS_PORT:X}" in listening
    assert f"00000000:{METRICS_PORT:X}" not in listening


def test_operators_act_viewers_look_and_others_do_neither(desk: Trading) -> None:
    pause = ("pause", "--scope", "symbol:SYN3", "--reason", "news")
    allowed = {
        person: tuple(
            desk.ctl(*words, user=person, check=False).returncode for words in (("status",), pause)
        )
        for person in ("victor", "mallory", "olga")
    }
    no = ExitCode.FORBIDDEN
    assert allowed == {"victor": (0, no), "mallory": (no, no), "olga": (0, 0)}
    python = "import socket; socket.socket(socket.AF_UNIX).connect('/run/tradingd/desk.sock')"
    stranger = ("runuser", "-u", "mallory", "--", "/usr/bin/python3", "-c", python)
    assert "PermissionError" in desk.machine.exec(*stranger, check=False).stderr


def test_the_audit_knows_who_acted_by_the_kernels_word(desk: Trading) -> None:
    desk.ctl("pause", "--scope", "symbol:SYN2", "--reason", "earnings", user="olga")
    desk.ctl("resume", "--scope", "symbol:SYN2", "--reason", "over", user="olga")
    desk.ctl("pause", "--scope", "symbol:SYN2", "--reason", "let me", user="victor", check=False)
    olga, victor = (
        int(desk.machine.exec("id", "-u", person).stdout) for person in ("olga", "victor")
    )
    row = desk.audit("pause done")[-1]
    assert (row["actor"], row["uid"], row["subject"]) == ("olga", olga, "symbol:SYN2")
    assert [(one["actor"], one["uid"]) for one in desk.audit("resume done")] == [("olga", olga)]
    assert ("victor", victor) in {
        (one["actor"], one["uid"]) for one in desk.audit("pause forbidden")
    }
    desk.ctl("audit", "verify")


def test_a_reload_changes_limits_and_the_audit_has_old_and_new(desk: Trading) -> None:
    pid = desk.pid
    desk.configure(gross=80)
    desk.machine.systemctl("reload", desk.unit)
    assert desk.limit("gross_percent") == "80"
    changed = json.loads(desk.audit("reload done")[-1]["detail"])["changes"]
    assert ["risk.gross_percent", "100000", "80"] in [
        [key, old.removesuffix(".0"), new.removesuffix(".0")] for key, old, new in changed
    ]
    assert desk.pid == pid


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"more": "risk_: {}"}, "risk_"),
        ({"gross": -1}, "gross_percent"),
        ({"gross": 80, "more": "session: {calendar: XLON}"}, "session.calendar"),
    ],
    ids=["unknown key", "bad value", "structural"],
)
def test_a_reload_that_is_refused_fails_and_the_old_configuration_runs_on(
    desk: Trading, change: dict[str, object], names: str
) -> None:
    pid, before = desk.pid, desk.limit("gross_percent")
    desk.configure(**change)  # type: ignore[arg-type]  # rows of a table
    said = desk.machine.exec("systemctl", "reload", desk.unit, check=False)
    assert said.returncode != 0
    assert names in desk.said()
    assert (desk.pid, desk.limit("gross_percent")) == (pid, before)
    assert desk.status().ready
    desk.configure(gross=float(before))
    desk.machine.systemctl("reload", desk.unit)


def test_a_second_instance_on_the_same_account_ends_with_60_and_is_not_tried_again(
    desk: Trading, machine: Machine
) -> None:
    other = Trading(machine, "other")
    socket = "/var/lib/tradingd/desk/simbroker.sock"
    machine.write_config("other", f"mode: paper\nfeed: sample\nbroker: {{endpoint: {socket}}}\n")
    said = machine.exec("systemctl", "start", other.unit, check=False)
    assert said.returncode != 0
    machine.wait_state(other.unit, "failed")
    assert machine.show(other.unit, "ExecMainStatus") == "60"
    assert machine.show(other.unit, "NRestarts") == "0"
    assert "desk" in other.said()
    assert desk.status().ready
    machine.forget("other")


def test_a_bad_configuration_ends_with_78_and_is_not_tried_again(
    machine: Machine, instance: str
) -> None:
    machine.write_config(instance, "mode: paper\nrisk: {drawdown_pct: 1}\n")
    unit = f"tradingd@{instance}.service"
    machine.systemctl("start", unit, check=False)
    machine.wait_state(unit, "failed")
    assert machine.show(unit, "ExecMainStatus") == "78"
    assert machine.show(unit, "NRestarts") == "0"
    said = machine.messages(unit)
    assert f"/etc/tradingd/{instance}.yaml:2: risk.drawdown_pct" in said
    assert "drawdown_percent" in said


def test_a_stop_cancels_entries_keeps_stops_and_sums_up(desk: Trading, tmp_path: Path) -> None:
    assert sorted(one["type"] for one in desk.working) == ["LIMIT", "STOP_MARKET"]
    desk.machine.stop("desk")
    assert [one["type"] for one in desk.working] == ["STOP_MARKET"]
    assert desk.machine.show(desk.unit, "Result") == "success"
    assert desk.machine.show(desk.unit, "ExecMainStatus") == "0"
    summary = next(text for text in desk.said().splitlines() if text.startswith("SUMMARY instance"))
    assert 'why="SIGTERM" exit=0 (OK)' in summary
    assert "positions=1 (SYN1 +10)" in summary
    assert "troubles=none" in summary
    assert desk.machine.show(f"tradingd-simbroker@{desk.name}.service", "ActiveState") == "active"
    desk.books_agree(tmp_path)
