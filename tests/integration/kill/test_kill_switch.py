"""The command as an operator runs it, against a broker process that keeps its own book."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain import endpoint
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.orders import OrderType, Side
from tradingd.kits import latch
from tradingd.kits.failure import ExitCode

SCALE = 1_000_000_000


class Site:
    """A state folder, a broker process beside it, and the command."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.state = base / "tradingd" / "demo"
        self.state.mkdir(parents=True)
        self.socket = base / "b.sock"
        self._broker: subprocess.Popen[bytes] | None = None

    def start_broker(self) -> None:
        self._broker = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tradingd.simbroker",
                "--state",
                str(self.base / "broker"),
                "--socket",
                str(self.socket),
            ],
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < end, "the broker does not start"
            time.sleep(0.01)
        endpoint.write(
            self.state,
            BrokerEndpoint(kind="simulated", account="SIM-1", socket=str(self.socket)),
        )

    def stop_broker(self) -> None:
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()
            self._broker = None
            self.socket.unlink(missing_ok=True)

    def at_broker[T](self, work: Callable[[SimulatedBroker], Coroutine[Any, Any, T]]) -> T:
        async def run() -> T:
            broker = SimulatedBroker(self.socket, timeout=5.0)
            await broker.connect()
            try:
                return await work(broker)
            finally:
                await broker.close()

        return asyncio.run(run())

    def trade(self) -> None:
        """Hold 100 SPY and short 50 QQQ, with three orders working."""

        async def work(broker: SimulatedBroker) -> None:
            await broker.market(batch())
            for number, (symbol, side, quantity, limit) in enumerate(
                [
                    ("SPY", Side.BUY, 100, None),
                    ("QQQ", Side.SELL, 50, None),
                    ("SPY", Side.BUY, 10, 90),
                    ("SPY", Side.SELL, 10, 200),
                    ("IWM", Side.BUY, 10, 90),
                ]
            ):
                await broker.submit(
                    OrderRequest(
                        client_order_id=f"c{number}",
                        symbol=symbol,
                        side=side,
                        quantity=quantity,
                        type=OrderType.LIMIT if limit else OrderType.MARKET,
                        limit=limit * SCALE if limit else None,
                    )
                )
            assert len(await broker.open_orders()) == 3
            assert len(await broker.positions()) == 2

        self.at_broker(work)

    def left(self) -> tuple[int, int]:
        async def work(broker: SimulatedBroker) -> tuple[int, int]:
            return len(await broker.open_orders()), len(await broker.positions())

        return self.at_broker(work)

    def kill(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tradingd", "kill", "--instance", "demo", *words],
            env={**os.environ, "XDG_STATE_HOME": str(self.base)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def batch() -> Batch:
    price = 100 * SCALE
    bars = tuple(
        MarketBar(symbol=symbol, open=price, high=price, low=price, close=price, volume=1_000_000)
        for symbol in ("SPY", "QQQ", "IWM")
    )
    return Batch(ts=1_700_000_000 * SCALE, bars=bars)


QUICK = ("--settle", "0.1", "--answer", "0.4")
ACT = (*QUICK, "--confirm", "demo", "--reason", "orders nobody expects")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.stop_broker()


def test_everything_is_cancelled_and_closed_and_the_instance_is_latched(site: Site) -> None:
    site.start_broker()
    site.trade()
    done = site.kill(*ACT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.left() == (0, 0)
    there = latch.read(site.state)
    assert there is not None
    assert there.reason == "orders nobody expects"
    assert there.author.startswith("uid ")
    assert "FLAT, proven" in done.stdout


def test_killing_twice_changes_nothing_and_keeps_the_first_reason(site: Site) -> None:
    site.start_broker()
    site.trade()
    assert site.kill(*ACT).returncode == 0
    again = site.kill(*QUICK, "--confirm", "demo", "--reason", "once more", "--json")
    report = json.loads(again.stdout)
    assert report["flat"] is True
    assert report["closed"] == []
    assert report["reason"] == "orders nobody expects"


def test_two_attempts_at_once_close_everything_once(site: Site) -> None:
    site.start_broker()
    site.trade()
    command = [sys.executable, "-m", "tradingd", "kill", "--instance", "demo", *ACT, "--json"]
    both = [
        subprocess.Popen(
            command,
            env={**os.environ, "XDG_STATE_HOME": str(site.base)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    reports = [json.loads(one.communicate(timeout=60)[0]) for one in both]
    assert [report["exit_code"] for report in reports] == [0, 0]
    assert sorted(len(report["closed"]) for report in reports) == [0, 2]
    assert site.left() == (0, 0)


def test_a_broker_that_drops_delays_and_fills_in_parts_ends_flat_all_the_same(site: Site) -> None:
    site.start_broker()
    site.trade()
    plan = {
        "seed": 7,
        "ops": ["submit", "cancel"],
        "probabilities": {"drop_response": 0.3, "delay": 0.5, "partial": 0.5},
    }
    site.at_broker(lambda broker: broker.misbehave(plan))
    done = site.kill(*ACT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.left() == (0, 0)


def test_without_a_broker_the_instance_is_latched_and_the_exit_says_not_flat(site: Site) -> None:
    site.start_broker()
    site.stop_broker()
    done = site.kill(*ACT, "--deadline", "0.5")
    assert done.returncode == ExitCode.NOT_FLAT
    assert "NOT PROVEN FLAT" in done.stdout
    assert latch.read(site.state) is not None


def test_a_broker_that_comes_back_in_time_is_flattened(site: Site) -> None:
    site.start_broker()
    site.trade()
    site.stop_broker()
    killing = subprocess.Popen(
        [sys.executable, "-m", "tradingd", "kill", "--instance", "demo", *ACT],
        env={**os.environ, "XDG_STATE_HOME": str(site.base)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 10
    while latch.read(site.state) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    site.start_broker()
    assert killing.wait(30) == 0
    assert site.left() == (0, 0)


def test_an_attempt_that_is_killed_leaves_the_latch_and_the_next_one_finishes(site: Site) -> None:
    site.start_broker()
    site.trade()
    site.at_broker(lambda broker: broker.misbehave({"script": {"cancel": ["drop_request"] * 3}}))
    first = subprocess.Popen(
        [sys.executable, "-m", "tradingd", "kill", "--instance", "demo", *ACT],
        env={**os.environ, "XDG_STATE_HOME": str(site.base)},
        stdin=subprocess.DEVNULL,
    )
    end = time.monotonic() + 10
    while latch.read(site.state) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert latch.read(site.state) is not None
    assert site.kill(*ACT).returncode == 0
    assert site.left() == (0, 0)


def test_without_an_endpoint_the_broker_can_be_named(site: Site) -> None:
    site.start_broker()
    site.trade()
    (site.state / endpoint.ENDPOINT).unlink()
    blind = site.kill(*ACT)
    assert blind.returncode == ExitCode.NOT_FLAT
    assert "--socket" in blind.stderr
    assert latch.read(site.state) is not None
    assert site.kill(*ACT, "--socket", str(site.socket)).returncode == 0
    assert site.left() == (0, 0)


def test_the_flag_file_is_taken_away_once_the_latch_is_there(site: Site) -> None:
    site.start_broker()
    (site.state / latch.KILL_FLAG).touch()
    assert site.kill(*ACT).returncode == 0
    assert not (site.state / latch.KILL_FLAG).exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--reason", "because"), ExitCode.REFUSED),
        (("--reason", "because", "--confirm", "live"), ExitCode.REFUSED),
        (("--confirm", "demo"), ExitCode.USAGE),
        (("--confirm", "demo", "--reason", "  "), ExitCode.USAGE),
        (("--confirm", "demo", "--reason", "because", "--deadline", "0"), ExitCode.USAGE),
        (("--reset", "--confirm", "demo", "--reason", "because"), ExitCode.REFUSED),
    ],
    ids=["unconfirmed", "wrong name", "no reason", "blank reason", "no time", "nothing to reset"],
)
def test_what_is_not_meant_does_nothing(site: Site, words: tuple[str, ...], code: ExitCode) -> None:
    done = site.kill(*words)
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1
    assert list(site.state.iterdir()) == []


def test_an_unknown_instance_is_refused(site: Site) -> None:
    done = site.kill("--instance", "dmeo", "--confirm", "dmeo", "--reason", "because")
    assert done.returncode == ExitCode.USAGE
    assert "no instance dmeo" in done.stderr


def test_a_reset_needs_a_person_and_a_reason_and_is_remembered(site: Site) -> None:
    site.start_broker()
    site.kill(*ACT)
    assert "latched: orders nobody expects" in site.kill("--status").stdout
    done = site.kill("--reset", "--confirm", "demo", "--reason", "cause found")
    assert done.returncode == 0, done.stderr
    assert latch.read(site.state) is None
    assert [event.action for event in latch.history(site.state)] == ["trip", "reset"]
    status = site.kill("--status")
    assert status.returncode == 0
    assert "not latched" in status.stdout
    assert "last attempt: FLAT" in status.stdout


def test_the_kill_switch_is_light(site: Site) -> None:
    script = (
        "import sys; from tradingd.cli import kill_run; import tradingd.brokers.simulated.broker;"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    heavy = {"hydra", "omegaconf", "aiohttp", "uvloop", "pandas", "numpy", "pyarrow", "duckdb"}
    heavy |= {"nautilus_trader", "yaml", "rich", "psutil"}
    assert heavy.isdisjoint(said.stdout.split())
