"""What an instance remembers over a reboot of its machine."""

import pytest

from tests.systemd.machine import Machine
from tests.systemd.trading import Trading
from tradingd.kits import latch

pytestmark = pytest.mark.systemd

TIMERS = ("premarket", "endofday", "report", "nightly")


@pytest.mark.slow
def test_states_positions_and_timers_survive_a_reboot_and_the_flag_file_halts(
    rebootable: Machine,
) -> None:
    desk = Trading(rebootable, "boot")
    desk.install()
    timers = [f"tradingd-{name}@boot.timer" for name in TIMERS]
    units = (f"tradingd-simbroker@{desk.name}.service", f"tradingd@{desk.name}.service")
    rebootable.systemctl("enable", "--now", *units, *timers)
    desk.open("SYN1")
    desk.ctl("pause", "--scope", "symbol:SYN2", "--reason", "earnings")
    before = desk.status()
    (rebootable.state(desk.name) / latch.FLAG).write_text("wait for me\n")
    rebootable.reboot()
    rebootable.wait_state(desk.unit, "active", timeout=60)
    after = desk.status()
    assert after.state == "HALTED"
    assert "wait for me" in " ".join(one.reason for one in after.states)
    assert {("symbol:SYN2", "PAUSED"), ("account", "HALTED")} <= {
        (one.scope, one.state) for one in after.states
    }
    assert (after.positions, after.account) == (1, before.account)
    assert [one["type"] for one in desk.working] == ["STOP_MARKET"]
    listed = rebootable.systemctl("list-timers", "--all", "--plain", "--no-legend")
    assert [timer for timer in timers if timer not in listed] == []
    desk.ctl("resume", "--reason", "here", "--confirm", desk.name, check=False)
    assert desk.status().state == "HALTED", "not while the flag file is there"
    (rebootable.state(desk.name) / latch.FLAG).unlink()
    desk.ctl("resume", "--reason", "here", "--confirm", desk.name)
    assert desk.status().state == "RUNNING"
