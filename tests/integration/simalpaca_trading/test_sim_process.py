"""The process: start, stop, sudden death, one book for all who ask."""

import json
import signal
import sqlite3
import subprocess
import time

import pytest

from tests.integration.simalpaca_trading.exchange_kit import MINUTE
from tests.integration.simbroker.sim_kit import wait_for


def run(exchange, *more):
    done = subprocess.run(exchange.command(*more), capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def test_a_killed_server_knows_all_that_it_answered(make_exchange):
    exchange = make_exchange()
    exchange.bar("SPY", "100")
    exchange.misbehave(script={"submit": [{"fault": "partial", "pieces": 2}]})
    made = exchange.submit("SPY", "buy", 10, order_class="bracket",
        take_profit={"limit_price": "110"}, stop_loss={"stop_price": "90"})  # fmt: skip
    before = exchange.get(f"/v2/orders/{made['id']}?nested=true")
    old_url = exchange.url
    exchange.kill()
    exchange.start()
    assert exchange.url == old_url, "clients find it where it was"
    assert exchange.get(f"/v2/orders/{made['id']}?nested=true") == before
    exchange.bar("SPY", "100")
    assert exchange.look(made)["status"] == "filled"
    assert {exchange.look(leg)["status"] for leg in made["legs"]} == {"new"}
    assert exchange.held("SPY") == 10


def test_a_pending_cancel_is_finished_after_a_death(make_exchange):
    exchange = make_exchange()
    exchange.bar("SPY", "100")
    exchange.misbehave(script={"cancel": [{"fault": "pending", "seconds": 60}]})
    made = exchange.submit("SPY", "buy", 1, "limit", limit_price="90")
    exchange.ask("DELETE", f"/v2/orders/{made['id']}")
    exchange.kill()
    exchange.start()
    assert exchange.look(made)["status"] == "canceled"


def test_the_admin_sees_the_same_book(make_exchange):
    exchange = make_exchange()
    exchange.bar("SPY", "100")
    old = exchange.submit("SPY", "buy", 3, "limit", limit_price="90", client_order_id="mine")
    _, new, _ = exchange.ask("PATCH", f"/v2/orders/{old['id']}", {"limit_price": "101"})
    (order,) = exchange.tell("order", client_order_id="mine")["orders"]
    assert (order["broker_order_id"], order["status"]) == (old["id"], "FILLED")
    (fill,) = exchange.tell("fills")["fills"]
    assert (fill["fill_id"], fill["client_order_id"]) == (f"{new['id']}:3", "mine")
    told = {"symbol": "SPY", "side": "SELL", "quantity": 1, "type": "MARKET"}
    exchange.tell("submit", client_order_id="", **told)
    assert exchange.held("SPY") == 2
    assert exchange.tell("hello")["account"] == "PA3SIM000001"


def test_one_state_folder_has_one_server(make_exchange):
    exchange = make_exchange()
    code, said = run(exchange)
    assert (code, "another broker runs" in said) == (3, True)
    assert exchange.kill(signal.SIGTERM) == 0
    assert not (exchange.state / "endpoint.json").exists()


def test_what_is_in_the_way_is_said(make_exchange, tmp_path):
    exchange = make_exchange()
    port = exchange.url.rpartition(":")[2]
    other = tmp_path / "other"
    exchange.state, kept = other, exchange.state
    code, said = run(exchange, "--port", port)
    assert (code, "cannot listen" in said) == (4, True)
    (other / "simbroker.sqlite").write_bytes(b"no database" * 100)
    code, said = run(exchange)
    assert (code, "cannot be used" in said) == (5, True)
    assert run(exchange, "--store", str(tmp_path / "nowhere"))[0] == 2
    assert run(exchange, "--port", "70000")[0] == 2
    exchange.state = kept


def test_a_detached_server_serves_when_its_starter_returns(make_exchange):
    exchange = make_exchange()
    exchange.kill()
    code, _ = run(exchange, "--detach", "--idle-exit", "2")
    assert code == 0
    path = exchange.state / "endpoint.json"
    exchange.url = json.loads(path.read_text())["url"]
    assert exchange.ask("GET", "/v2/clock")[0] == 200
    wait_for(lambda: not path.exists())


def test_shutdown_ends_it_in_order(make_exchange):
    exchange = make_exchange()
    exchange.tell("shutdown")
    assert exchange.child.wait(10) == 0


def test_an_old_store_of_the_book_is_taken_over(make_exchange):
    exchange = make_exchange()
    exchange.kill()
    database = sqlite3.connect(exchange.state / "simbroker.sqlite")
    database.execute("DROP INDEX orders_held")
    for column in ("role", "group_id", "extended", "mark", "trail_rate", "trail"):
        database.execute(f"ALTER TABLE orders DROP COLUMN {column}")
    database.close()
    exchange.start()
    exchange.bar("SPY", "100")
    assert exchange.submit("SPY", "buy", 1)["status"] == "accepted"


@pytest.mark.parametrize("seconds", [0.5])
def test_nobody_connects_for_a_while_after_a_break(make_exchange, seconds):
    exchange = make_exchange()
    exchange.ts += MINUTE
    before = time.monotonic()
    exchange.misbehave(disconnect_now=True, refuse_seconds=seconds)

    def back() -> bool:
        try:
            return exchange.ask("GET", "/v2/clock")[0] == 200
        except OSError:
            return False

    wait_for(back)
    assert time.monotonic() - before >= seconds
