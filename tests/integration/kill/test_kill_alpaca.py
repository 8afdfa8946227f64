"""The kill switch at Alpaca's test server: found by references, without its trade updates."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.daemon.paper import ask_broker
from tradingd.domain import endpoint
from tradingd.domain.endpoint import BrokerEndpoint
from tradingd.kits import latch

KEY, SECRET = "PKKILLSWITCH0001", "never-to-be-seen-anywhere"
ACT = (
    "--settle", "0.2", "--answer", "2",
    "--confirm", "demo", "--reason", "orders nobody expects",
)  # fmt: skip


class Site:
    """A state folder, the test server beside it, and the command."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.state = base / "tradingd" / "demo"
        self.state.mkdir(parents=True)
        self.server = base / "server"
        self.process = subprocess.Popen(
            (sys.executable, "-m", "tradingd.simalpaca", "--state", str(self.server)),
            env={**os.environ, "SIMALPACA_KEY_ID": KEY, "SIMALPACA_SECRET_KEY": SECRET},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        told = self.server / "endpoint.json"
        end = time.monotonic() + 30
        while not told.exists():
            assert time.monotonic() < end, "the test server does not start"
            time.sleep(0.02)
        facts = json.loads(told.read_bytes())
        self.socket = Path(facts["socket"])
        endpoint.write(
            self.state,
            BrokerEndpoint(
                kind="alpaca",
                account=facts["account"],
                url=facts["url"],
                key_id="env:KILL_KEY",
                secret_key="env:KILL_SECRET",
                mode="paper",
            ),
        )

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        answer = ask_broker(self.socket, op, **fields)
        assert answer["ok"], answer
        return answer

    def trade(self) -> None:
        """Hold 100 SPY and short 50 QQQ, with a stop and a bid working."""
        bars = [(symbol, "100", "100", "100", "100", 1_000_000) for symbol in ("SPY", "QQQ")]
        self.ask("market", ts=1_779_982_000 * 10**9, bars=bars)
        orders = (
            ("SPY", "BUY", 100, "MARKET", None, None),
            ("QQQ", "SELL", 50, "MARKET", None, None),
            ("SPY", "SELL", 100, "STOP_MARKET", None, "90"),
            ("QQQ", "BUY", 10, "LIMIT", "80", None),
        )
        for number, (symbol, side, quantity, kind, limit, stop) in enumerate(orders):
            self.ask(
                "submit", client_order_id=f"c{number}", symbol=symbol, side=side,
                quantity=quantity, type=kind, limit=limit, stop=stop, time_in_force="GTC",
            )  # fmt: skip
        assert self.left() == (2, 2)

    def left(self) -> tuple[int, int]:
        orders, held = self.ask("open_orders")["orders"], self.ask("positions")["positions"]
        return len(orders), len(held)

    def kill(self, deadline: int = 30, **variables: str) -> subprocess.CompletedProcess[str]:
        logged_in = {"KILL_KEY": KEY, "KILL_SECRET": SECRET}
        return subprocess.run(
            (
                sys.executable,
                "-m",
                "tradingd",
                "kill",
                "--instance",
                "demo",
                *ACT,
                "--deadline",
                str(deadline),
            ),
            env={**os.environ, "XDG_STATE_HOME": str(self.base), **logged_in, **variables},
            cwd=self.base,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def test_an_account_at_alpaca_is_made_flat_while_its_trade_updates_are_refused(site: Site) -> None:
    site.trade()
    site.ask("misbehave", plan={"stream": {"refuse_seconds": 600, "close_now": True}})
    done = site.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.left() == (0, 0)
    assert "FLAT, proven" in done.stdout
    assert latch.read(site.state) is not None
    written = "".join(path.read_text() for path in site.state.iterdir() if path.is_file())
    assert SECRET not in done.stdout + done.stderr + written
    assert KEY not in done.stdout + done.stderr + written


def test_wrong_keys_are_66_and_nothing_is_touched(site: Site) -> None:
    site.trade()
    done = site.kill(deadline=3, KILL_SECRET="another-secret")
    assert done.returncode == 66, done.stdout + done.stderr
    assert site.left() == (2, 2)
    assert "another-secret" not in done.stdout + done.stderr
    assert latch.read(site.state) is not None


def test_a_reference_that_names_nothing_is_66_and_says_which(site: Site) -> None:
    done = site.kill(KILL_KEY="")
    assert done.returncode == 66
    assert "env:KILL_KEY" in done.stderr
    assert latch.read(site.state) is not None
