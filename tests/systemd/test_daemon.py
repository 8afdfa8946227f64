"""The real daemon under its units, from a release, on an otherwise empty machine."""

import re
import time

import pytest

from tests.systemd.machine import Machine
from tradingd.kits import latch

pytestmark = pytest.mark.systemd

CONFIG = "mode: paper\nbroker: simulated\nfeed: sample\n"


@pytest.fixture
def paper(machine: Machine, instance: str) -> str:
    """A configured instance with its simulated broker, not started."""
    machine.write_config(instance, CONFIG)
    machine.systemctl("start", f"tradingd-simbroker@{instance}.service")
    return instance


BROKER = """
import asyncio, sys
from pathlib import Path
from tradingd.brokers.simulated.broker import SimulatedBroker

async def main():
    broker = SimulatedBroker(Path(sys.argv[1]), timeout=5.0)
    await broker.connect()
    while sys.argv[2] == "wait" and not (await broker.positions() and await broker.open_orders()):
        await asyncio.sleep(0.002)
    print(len(await broker.open_orders()), len(await broker.positions()))
    await broker.close()

asyncio.run(main())
"""


def at_broker(machine: Machine, instance: str, verb: str) -> str:
    """Ask the broker for (working orders, positions); ``wait`` until there are some of both."""
    python = "/opt/tradingd/releases/under-test/bin/python"
    socket = f"/var/lib/tradingd/{instance}/simbroker.sock"
    return machine.exec(python, "-P", "-", socket, verb, text=BROKER, timeout=60).stdout.strip()


def control(machine: Machine, instance: str, *words: str) -> str:
    launch = ("/usr/lib/tradingd/launch", instance, "tradingctl", "-i", instance)
    return machine.exec(*launch, *words).stdout


def test_it_is_ready_within_ten_seconds_and_says_what_it_does(machine: Machine, paper: str) -> None:
    begun = time.monotonic()
    machine.start(paper)
    assert time.monotonic() - begun < 10
    said = machine.show(f"tradingd@{paper}.service", "StatusText")
    assert re.search(r"RUNNING.*P&L.*replay of sample", said), said


def test_a_stop_is_orderly_and_ends_with_a_summary(machine: Machine, paper: str) -> None:
    machine.start(paper)
    machine.stop(paper)
    unit = f"tradingd@{paper}.service"
    assert machine.show(unit, "Result") == "success"
    assert machine.show(unit, "ExecMainStatus") == "0"
    assert "SUMMARY" in machine.messages(unit)


def test_a_bad_configuration_ends_with_78_and_is_not_tried_again(
    machine: Machine, paper: str
) -> None:
    machine.write_config(paper, "mode: paper\nrisk: {drawdown_pct: 1}\n")
    unit = f"tradingd@{paper}.service"
    machine.systemctl("start", unit, check=False)
    machine.wait_state(unit, "failed")
    assert machine.show(unit, "ExecMainStatus") == "78"
    assert machine.show(unit, "NRestarts") == "0"
    assert "drawdown_pct" in machine.messages(unit)


def test_a_frozen_daemon_wakes_up_halted_after_the_kill_switch(
    machine: Machine, paper: str
) -> None:
    machine.start(paper)
    machine.kill_main(paper, "SIGSTOP")
    machine.systemctl("start", f"tradingd-kill@{paper}.service")
    machine.kill_main(paper, "SIGCONT")
    machine.wait_for(
        lambda: machine.show(f"tradingd@{paper}.service", "StatusText").startswith("HALTED"),
        "the daemon is HALTED",
    )
    assert latch.read(machine.state(paper)) is not None


def test_a_daemon_that_wakes_up_after_the_kill_switch_sends_nothing(
    machine: Machine, paper: str
) -> None:
    machine.start(paper)
    at_broker(machine, paper, "wait")
    machine.kill_main(paper, "SIGSTOP")
    machine.systemctl("start", f"tradingd-kill@{paper}.service")
    assert at_broker(machine, paper, "look") == "0 0"
    machine.kill_main(paper, "SIGCONT")
    machine.wait_for(
        lambda: machine.show(f"tradingd@{paper}.service", "StatusText").startswith("HALTED"),
        "the daemon is HALTED",
    )
    machine.stop(paper)
    assert at_broker(machine, paper, "look") == "0 0"


def test_a_latched_instance_starts_halted(machine: Machine, paper: str) -> None:
    machine.exec("install", "-d", "-o", "tradingd", "-g", "tradingd", f"/var/lib/tradingd/{paper}")
    latch.trip(machine.state(paper), reason="yesterday", author="test", now_ns=1)
    machine.exec("chown", "-R", "tradingd:tradingd", f"/var/lib/tradingd/{paper}")
    machine.start(paper)
    machine.wait_for(
        lambda: machine.show(f"tradingd@{paper}.service", "StatusText").startswith("HALTED"),
        "the daemon is HALTED",
    )
    assert "yesterday" in control(machine, paper, "status")
