"""Stored bars told to book and streams alike, on one port."""

import json
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from tests.integration.simalpaca_data.data_store import build
from tests.integration.simbroker.sim_kit import wait_for


@pytest.fixture
def store(tmp_path):
    """A history store with three days of minutes."""
    return build(tmp_path / "store")


def test_a_replayed_day_trades_the_book_and_feeds_the_streams(make_exchange, store):
    exchange = make_exchange(
        *("--store", str(store), "--symbols", "SPY", "--bars", "1m"),
        *("--start", "2024-01-02", "--end", "2024-01-02"),
        *("--speed", "0", "--wait-for-client"),
    )
    resting = exchange.submit("SPY", "buy", 10, "limit", limit_price="460")
    waiting = exchange.submit("SPY", "buy", 10)
    assert exchange.look(waiting)["status"] == "new", "no price yet"
    with ExitStack() as stack:
        address = f"ws{exchange.url[4:]}/v2/iex"
        socket = stack.enter_context(connect(address))
        assert "connected" in str(socket.recv(5))
        socket.send(json.dumps({"action": "auth", "key": "key", "secret": "secret"}))
        assert "authenticated" in str(socket.recv(5))
        socket.send(json.dumps({"action": "subscribe", "bars": ["SPY"]}))
        assert "subscription" in str(socket.recv(5))
        told = json.loads(socket.recv(10))
        assert told[0]["S"] == "SPY"
        while told[-1]["t"] != "2024-01-02T20:59:00Z":
            told = json.loads(socket.recv(10))
        wait_for(lambda: "2024-01-02T16:00" in exchange.get("/v2/clock")["timestamp"])
    assert exchange.look(waiting)["status"] == "filled"
    assert exchange.look(resting)["status"] == "expired", "the replay closes its session"
    assert exchange.get("/v2/clock")["is_open"] is False
    bars = exchange.get("/v2/stocks/bars?symbols=SPY&timeframe=1Min&start=2024-01-02&limit=5")
    assert len(bars["bars"]["SPY"]) == 5
    exchange.kill()
    exchange.start()
    assert "2024-01-02T16:00" in exchange.get("/v2/clock")["timestamp"], "told days stay told"


def test_bars_of_the_admin_reach_the_data_api(make_exchange):
    exchange = make_exchange()
    exchange.bar("SPY", "100", "101", "99", "100.5")
    latest = exchange.get("/v2/stocks/bars/latest?symbols=SPY")["bars"]["SPY"]
    assert (latest["o"], latest["h"], latest["l"], latest["c"]) == (100, 101, 99, 100.5)
    exchange.misbehave(data_stream={"mute": True})
    exchange.misbehave()
    assert exchange.ask("GET", "/v2/stocks/bars/latest?symbols=SPY", headers={})[0] == 401


def test_a_replayed_dividend_and_split_reach_the_account(make_exchange, store):
    exchange = make_exchange(
        *("--store", str(store), "--symbols", "SPY", "--bars", "1d", "--speed", "0"),
        *("--start", "2024-01-02", "--end", "2024-01-04", "--wait-for-client"),
    )
    bought = exchange.submit("SPY", "buy", 10, time_in_force="gtc")
    with connect(f"ws{exchange.url[4:]}/v2/iex") as socket:
        socket.recv(5)
        socket.send(json.dumps({"action": "auth", "key": "key", "secret": "secret"}))
        socket.recv(5)
        socket.send(json.dumps({"action": "subscribe", "dailyBars": ["SPY"]}))
        wait_for(lambda: "2024-01-04T16:00" in exchange.get("/v2/clock")["timestamp"])
    assert exchange.look(bought)["status"] == "filled"
    assert exchange.held("SPY") == 20, "two for one"
    dividend = exchange.get("/v2/account/activities/DIV")
    assert [one["net_amount"] for one in dividend] == ["19.06"], "1.906 on ten shares"
