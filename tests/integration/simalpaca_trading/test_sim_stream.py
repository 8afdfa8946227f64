"""The stream of trade updates, well and badly behaved."""

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.integration.simalpaca_trading.exchange_kit import Ear
from tests.integration.simbroker.sim_kit import wait_for


@pytest.fixture
def symbol(exchange):
    """A symbol of the test's own, at 100 dollars."""
    name = exchange.symbol()
    exchange.bar(name, "100")
    return name


def test_every_fill_tells_its_share_and_the_order_so_far(exchange, symbol):
    exchange.misbehave(script={"submit": [{"fault": "partial", "pieces": 2}]})
    with exchange.listen() as ear:
        made = exchange.submit(symbol, "buy", 10)
        exchange.bar(symbol, "100")
        new, first, second = ear.hear(3)
    assert (new["event"], new["order"]["status"]) == ("new", "new")
    assert [one["event"] for one in (first, second)] == ["partial_fill", "fill"]
    assert [one["qty"] for one in (first, second)] == ["5", "5"]
    assert [one["position_qty"] for one in (first, second)] == ["5", "10"]
    assert [one["order"]["filled_qty"] for one in (first, second)] == ["5", "10"]
    assert [one["order"]["status"] for one in (first, second)] == ["partially_filled", "filled"]
    assert first["execution_id"] != second["execution_id"]
    fills = exchange.get(f"/v2/account/activities/FILL?order_id={made['id']}&direction=asc")
    told = [(f"{one['order']['id']}:{one['order']['filled_qty']}", one["timestamp"], one["price"])
            for one in (first, second)]  # fmt: skip
    assert told == [
        (f"{one['order_id']}:{one['cum_qty']}", one["transaction_time"], one["price"])
        for one in fills
    ]


def test_a_replacement_is_told_with_the_old_order_then_the_new(exchange, symbol):
    old = exchange.submit(symbol, "buy", 1, "limit", limit_price="90")
    with exchange.listen() as ear:
        _, new, _ = exchange.ask("PATCH", f"/v2/orders/{old['id']}", {"limit_price": "91"})
        exchange.ask("DELETE", f"/v2/orders/{new['id']}")
        told = [(one["event"], one["order"]["id"]) for one in ear.hear(3)]
    assert told == [("replaced", old["id"]), ("new", new["id"]), ("canceled", new["id"])]


def test_what_happened_while_nobody_listened_is_never_told(exchange, symbol):
    exchange.submit(symbol, "buy", 1)
    with exchange.listen() as ear:
        assert ear.silent()


def test_frames_are_binary_as_for_paper_accounts(exchange, symbol):
    with exchange.listen() as ear:
        exchange.submit(symbol, "buy", 1)
        assert isinstance(ear.socket.recv(5), bytes)


def test_who_is_not_let_in_hears_nothing(make_exchange):
    exchange = make_exchange(
        env={"SIMALPACA_KEY_ID": "right", "SIMALPACA_SECRET_KEY": "pair"},
    )
    ear = Ear(exchange.url)
    said = ear.say(action="auth", key="wrong", secret="pair")
    assert said["data"]["status"] == "unauthorized"
    said = ear.say(action="listen", data={"streams": ["trade_updates"]})
    assert said["data"]["status"] == "unauthorized"
    said = ear.say(action="auth", key="right", secret="pair")
    assert said == {
        "stream": "authorization",
        "data": {"action": "auth", "status": "authorized"},
    }
    ear.socket.send("no json")
    assert "error" in ear.socket.recv(5).decode()
    ear.close()


def test_updates_are_lost_repeated_and_overtaken_on_demand(exchange, symbol):
    exchange.misbehave(stream={"drop": 1})
    with exchange.listen() as ear:
        exchange.submit(symbol, "buy", 1)
        assert ear.silent()
        exchange.misbehave(stream={"duplicate": 1})
        exchange.submit(symbol, "buy", 1)
        assert [one["event"] for one in ear.hear(4)] == ["new", "new", "fill", "fill"]
        exchange.misbehave(stream={"mute": True})
        exchange.submit(symbol, "buy", 1)
        assert ear.silent()
        assert ear.socket.ping().wait(5), "a mute stream still answers pings"
        exchange.misbehave(stream={"half_open": True})
        assert not ear.socket.ping().wait(0.3)


def test_updates_arrive_out_of_order_on_demand(exchange, symbol):
    exchange.misbehave(seed=4, stream={"reorder": 0.5})
    with exchange.listen() as ear:
        for _ in range(10):
            exchange.submit(symbol, "buy", 1)
        events = [one["event"] for one in ear.hear(20)]
    assert sorted(events) == ["fill"] * 10 + ["new"] * 10
    assert events != ["new", "fill"] * 10


def test_streams_are_broken_and_refused_on_demand(exchange):
    ear = exchange.listen()
    with ear:
        exchange.misbehave(stream={"close_now": True, "refuse_seconds": 0.5})
        with pytest.raises(ConnectionClosed):
            ear.socket.recv(5)
        with pytest.raises(InvalidHandshake):
            exchange.listen()

        def back() -> bool:
            try:
                exchange.listen().close()
            except InvalidHandshake:
                return False
            return True

        wait_for(back)
