"""The kill unit against the real simulated broker, while the daemon cannot help."""

import json
from collections.abc import Iterator

import pytest

from tests.systemd.machine import Machine
from tradingd.kits import latch

pytestmark = pytest.mark.systemd

TRADE = """
import asyncio, sys
from pathlib import Path
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.orders import OrderType, Side

async def main():
    broker = SimulatedBroker(Path(sys.argv[1]), timeout=5.0)
    await broker.connect()
    if sys.argv[2] == "trade":
        price = 100 * 10**9
        await broker.market(Batch(1_700_000_000 * 10**9, (MarketBar("SPY", *[price] * 4, 10**6),)))
        for number, limit in enumerate((None, 90 * 10**9, 80 * 10**9)):
            await broker.submit(OrderRequest(
                client_order_id=f"c{number}", symbol="SPY", side=Side.BUY, quantity=100,
                type=OrderType.LIMIT if limit else OrderType.MARKET, limit=limit))
    print(len(await broker.open_orders()), len(await broker.positions()))
    await broker.close()

asyncio.run(main())
"""


@pytest.fixture
def frozen(machine: Machine, instance: str) -> Iterator[str]:
    """An instance that holds a position and working orders, its daemon SIGSTOPped."""
    machine.standin("stand-in")
    machine.write_config(instance, "broker: {arrivals: touch}\n")
    machine.systemctl("start", f"tradingd-simbroker@{instance}.service")
    machine.wait_for(
        lambda: (machine.state(instance) / "simbroker.sock").exists(), "the broker listens"
    )
    machine.link(instance, "stand-in")
    machine.start(instance)
    assert at_broker(machine, instance, "trade") == "2 1"
    machine.kill_main(instance, "SIGSTOP")
    machine.link(instance, "under-test")
    yield instance
    kill = ("kill", "-s", "SIGCONT", "--kill-who=main", f"tradingd@{instance}.service")
    machine.systemctl(*kill, check=False)


def at_broker(machine: Machine, instance: str, verb: str) -> str:
    python = "/opt/tradingd/releases/under-test/bin/python"
    socket = f"/var/lib/tradingd/{instance}/simbroker.sock"
    return machine.exec(python, "-P", "-", socket, verb, text=TRADE).stdout.strip()


def report(machine: Machine, instance: str) -> dict[str, object]:
    return json.loads((machine.state(instance) / "kill.json").read_bytes())


def test_the_kill_unit_flattens_while_the_daemon_is_stopped(machine: Machine, frozen: str) -> None:
    machine.systemctl("start", f"tradingd-kill@{frozen}.service")
    assert at_broker(machine, frozen, "look") == "0 0"
    there = latch.read(machine.state(frozen))
    assert there is not None
    assert there.reason == f"tradingd-kill@{frozen} was started"
    assert report(machine, frozen)["flat"] is True
    assert machine.exec("stat", "-c", "%U", f"/var/lib/tradingd/{frozen}/latch.json").stdout == (
        "tradingd\n"
    )
    assert machine.main_pid(frozen) != 0


def test_the_flag_file_flattens_while_the_daemon_is_stopped(machine: Machine, frozen: str) -> None:
    flag = machine.state(frozen) / latch.KILL_FLAG
    flag.write_text("smoke in the server room\n")
    machine.wait_for(lambda: not flag.exists(), "the kill switch takes the flag away")
    machine.wait_for(lambda: at_broker(machine, frozen, "look") == "0 0", "the account is flat")
    there = latch.read(machine.state(frozen))
    assert there is not None
    assert there.reason == "flag file: smoke in the server room "


def test_the_kill_unit_works_when_the_daemon_is_gone(machine: Machine, frozen: str) -> None:
    machine.systemctl("mask", "--runtime", f"tradingd@{frozen}.service")
    machine.kill_main(frozen, "SIGKILL")
    machine.wait_for(lambda: machine.main_pid(frozen) == 0, "the daemon is gone")
    machine.systemctl("start", f"tradingd-kill@{frozen}.service")
    machine.systemctl("unmask", "--runtime", f"tradingd@{frozen}.service")
    assert at_broker(machine, frozen, "look") == "0 0"


def test_root_leaves_no_file_that_the_daemon_cannot_write(machine: Machine, frozen: str) -> None:
    words = ["tradingd", "kill", "--instance", frozen, "--confirm", frozen, "--reason", "by hand"]
    machine.exec("/usr/lib/tradingd/launch", frozen, *words)
    owners = machine.exec("find", f"/var/lib/tradingd/{frozen}", "!", "-user", "tradingd").stdout
    assert owners == ""
    there = latch.read(machine.state(frozen))
    assert there is not None
    assert there.author == "uid 0 (root)"


def test_a_stranger_may_not_kill_and_is_told_how(machine: Machine, frozen: str) -> None:
    words = ["tradingd", "kill", "--instance", frozen, "--confirm", frozen, "--reason", "by hand"]
    launch = ["/usr/lib/tradingd/launch", frozen, *words]
    said = machine.exec("runuser", "-u", "daemon", "--", *launch, check=False)
    assert said.returncode != 0
    assert said.stderr.count("\n") == 1
    assert at_broker(machine, frozen, "look") == "2 1"


def test_the_halt_flag_closes_nothing(machine: Machine, frozen: str) -> None:
    (machine.state(frozen) / latch.FLAG).write_text("wait\n")
    machine.systemctl("is-active", f"tradingd-flag@{frozen}.path")
    assert at_broker(machine, frozen, "look") == "2 1"
    assert machine.show(f"tradingd-kill@{frozen}.service", "ExecMainStartTimestamp") == ""
