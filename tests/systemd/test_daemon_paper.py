"""Instance paper as it is installed: nothing is written but its link to a release."""

import json
import os
import sys
import time

import pytest

from tests.systemd.machine import VERSION, Machine

pytestmark = pytest.mark.systemd

BROKER = "tradingd-simbroker@paper.service"
DAEMON = "tradingd@paper.service"


def test_the_installed_paper_instance_starts_with_its_broker_and_stops_in_order(
    machine: Machine,
) -> None:
    machine.link("paper", VERSION)
    begun = time.monotonic()
    machine.start("paper")
    seconds = time.monotonic() - begun
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    sys.stderr.write(f"paper: READY after {seconds:.1f} s, {crowd:.1f} programs a core\n")
    assert seconds < 10 * crowd
    said = machine.show(DAEMON, "StatusText")
    assert said.startswith("RUNNING, ")
    assert "replay of sample" in said
    assert machine.show(BROKER, "ActiveState") == "active"
    pid = machine.show(BROKER, "MainPID")
    words = machine.exec("cat", f"/proc/{pid}/cmdline").stdout.split("\0")
    assert words[words.index("--account") + 1] == "SIM-paper"
    assert words[words.index("--arrivals") + 1] == "next-bar", "it trades on daily bars"
    endpoint = json.loads((machine.state("paper") / "endpoint.json").read_bytes())
    assert endpoint["account"] == "SIM-paper"
    machine.stop("paper")
    assert machine.show(DAEMON, "Result") == "success"
    assert machine.show(BROKER, "ActiveState") == "active", "it survives the daemon"
    machine.forget("paper")
