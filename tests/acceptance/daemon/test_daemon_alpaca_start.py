"""Starts at Alpaca that are refused, shadow mode, and a session on wall time at whatever hour."""

import json
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.acceptance.daemon.alpaca_server import (
    KEYS,
    SECRET,
    Alpaca,
    Trader,
    acted_twice,
    invented,
)
from tests.acceptance.daemon.notified import eventually
from tradingd.kits.failure import ExitCode
from tradingd.session.calendar import SessionCalendar

pytestmark = pytest.mark.slow

type Make = Callable[..., Trader]
type Serve = Callable[..., Alpaca]

ALWAYS_OPEN = "FAKEPACA"
"""Alpaca's symbol of the test stream, which never sleeps."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def offset_ms(daemon: Trader) -> int:
    """Return how far the broker's clock is from ours, as the health check shows it."""
    value: str = daemon.check("broker_clock").value
    return int(value.partition(" ms")[0])


@pytest.fixture(scope="module", autouse=True)
def eager() -> Iterator[tuple[Alpaca, Trader]]:
    """A daemon on wall time that wants to buy at every bar; its server's clock is wrong at first.

    It is there from the file's first test on, for a bar and a second look at the clock take a
    minute each.
    """
    home = Path(tempfile.mkdtemp(prefix="td-"))
    server = Alpaca(home, None, "--hours", "any").start()
    server.ask("asset", symbol=ALWAYS_OPEN, known=True)
    server.misbehave(clock_skew_seconds=2.0)
    url = server.endpoint.url
    daemon = Trader(
        home, "mode=paper", "mode.warm_up_bars=0", "broker=alpaca", f"broker.endpoint={url}",
        "feed=alpaca", f"feed.endpoint={url}", "feed.data=test", "feed.clock=wall",
        "universe=symbols", f"universe.symbols=[{ALWAYS_OPEN}]",
        "strategy=custom", "strategy.path=wall_strategies:Eager", "strategy.bars=1m",
    )  # fmt: skip
    try:
        daemon.start().ready()
        yield server, daemon
    finally:
        daemon.close()
        server.close()
        shutil.rmtree(home, ignore_errors=True)


def test_a_clock_that_differs_from_the_brokers_is_degraded(eager: tuple[Alpaca, Trader]) -> None:
    server, daemon = eager
    eventually(lambda: daemon.check("broker_clock").value != "not measured", "a measurement")
    assert daemon.check("broker_clock").grade == "DEGRADED"
    assert -2200 < offset_ms(daemon) < -1800
    server.misbehave()


def refused(daemon: Trader, code: ExitCode) -> str:
    """Wait for a daemon that must not start; return the one line it ends with."""
    assert daemon.wait(60) == code, daemon.errors()
    said = daemon.errors()
    assert "Traceback" not in said
    assert SECRET not in said
    lines = [line for line in said.splitlines() if line.startswith("tradingd: ")]
    assert len(lines) == 1, said
    assert said.rstrip().endswith(lines[0])
    assert " | next: " in lines[0]
    assert not daemon.notified.is_ready
    assert not daemon.control_socket.exists()
    return lines[0]


def suspended(server: Alpaca, suspend: bool) -> None:
    """Suspend trading as the user of an account can at Alpaca."""
    headers = {"APCA-API-KEY-ID": KEYS["APCA_API_KEY_ID"], "APCA-API-SECRET-KEY": SECRET}
    request = urllib.request.Request(
        f"{server.endpoint.url}/v2/account/configurations",
        data=json.dumps({"suspend_trade": suspend}).encode(),
        method="PATCH",
        headers={**headers, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.loads(answer.read())["suspend_trade"] is suspend


def test_every_start_that_is_refused_says_in_one_line_why_and_what_to_do(
    trader: Make, serve: Serve, home: Path
) -> None:
    days = invented(home / "history", symbols=1)
    server = serve(days.market(60))
    told = (*server.overrides(days.symbols), "broker.connect_seconds=2")
    nobody = f"http://127.0.0.1:{free_port()}"
    all_away = trader(*told, f"feed.endpoint={nobody}").start()  # it tries for some time
    broker_away = trader(*told, f"broker.endpoint={nobody}").start()
    line = refused(broker_away, ExitCode.BROKER)
    assert "Alpaca cannot be reached" in line

    daemon = trader(*told)
    daemon.start(environment={"APCA_API_SECRET_KEY": "not-the-secret"})
    line = refused(daemon, ExitCode.FEED)
    assert "Alpaca refuses these keys" in line
    assert "check feed.key_id and secret_key" in line

    daemon.start(environment={"APCA_API_SECRET_KEY": ""})
    line = refused(daemon, ExitCode.CONFIG)
    assert "the secret env:APCA_API_SECRET_KEY is not set or empty" in line

    suspended(server, True)
    line = refused(daemon.start(), ExitCode.BROKER)
    assert "The account may not trade" in line
    assert "found: trade suspended by user" in line
    suspended(server, False)

    line = refused(all_away, ExitCode.FEED)
    assert "Alpaca's market data does not answer" in line
    assert server.orders() == []


def test_an_account_of_the_other_kind_or_another_number_is_refused(
    trader: Make, serve: Serve, home: Path
) -> None:
    days = invented(home / "history", symbols=1)
    server = serve(days.market(60), "--live-like")
    daemon = trader(*server.overrides(days.symbols))
    line = refused(daemon.start(), ExitCode.CONFIG)
    assert "This is a live account, and the mode is paper" in line
    line = refused(
        daemon.start("mode=live", "mode.account=3SIM000002", "risk=default"), ExitCode.CONFIG
    )
    assert "expected: 3SIM000002 | found: 3SIM000001" in line
    assert server.orders() == []


def test_a_start_at_a_market_that_is_over_says_so_and_waits(
    trader: Make, serve: Serve, home: Path
) -> None:
    days = invented(home / "history", symbols=1)
    server = serve(msgspec.structs.replace(days.market(1_000_000), wait_for_client=False))
    eventually(lambda: "the replay is at its end" in server.log.read_text(), "the market's end")
    daemon = trader(*server.overrides(days.symbols)).start()
    said = "no 1m bars of alpaca iex (test server) yet: its market is over, has not begun"
    eventually(lambda: said in daemon.errors(), "it says what it waits for", 60)
    assert not daemon.notified.is_ready
    assert daemon.stop() == 0
    assert daemon.errors().count(said) == 1


def test_shadow_mode_sends_nothing_and_writes_down_what_it_would_have_sent(
    trader: Make, serve: Serve, home: Path
) -> None:
    days = invented(home / "history", symbols=3)
    server = serve(days.market(3000))
    daemon = trader(*server.overrides(days.symbols), "mode.shadow=true").start().ready()
    assert daemon.wait() == 0, daemon.errors()
    assert server.orders() == []
    assert server.positions() == {}
    assert acted_twice(daemon) == []
    assert daemon.rows("SELECT * FROM fills") == []
    orders = daemon.rows("SELECT * FROM orders")
    assert {one["strategy"] for one in orders} == {"intraday_mean_reversion", "swing_trend"}
    assert {(one["state"], one["broker_order_id"]) for one in orders} == {("SHADOW", "")}
    for one in orders:
        begins = f"would have sent {one['side']} {one['quantity']} {one['symbol']} {one['type']}"
        assert one["note"].startswith(begins)
    verified = daemon.tradingd("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_on_wall_time_bars_of_now_arrive_and_the_gate_keeps_the_exchanges_hours(
    eager: tuple[Alpaca, Trader],
) -> None:
    server, daemon = eager
    eventually(lambda: daemon.rows("SELECT 1 FROM signals"), "a bar arrives", 100)
    signal = daemon.rows("SELECT * FROM signals")[0]
    assert time.time_ns() - signal["ts"] < 300e9
    status = daemon.status()
    assert status.synthetic
    assert abs(status.data_time - time.time_ns()) < 60e9
    denials = daemon.rows("SELECT * FROM decisions WHERE order_id = ?", signal["order_id"])
    closed = [one["limit"] for one in denials if one["explanation"] == "The exchange is closed."]
    if SessionCalendar().at(signal["ts"]) is None:
        assert set(closed) == {"no_trade_open_minutes", "no_trade_close_minutes"}
        assert server.orders() == []
    else:
        assert closed == []

    eventually(lambda: daemon.check("broker_clock").grade == "OK", "the clocks agree", 90)
    assert abs(offset_ms(daemon)) < 200
    assert daemon.stop() == 0
