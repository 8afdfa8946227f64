"""The life of an order: acceptance, fills, replacement, legs, auctions."""

import pytest

from tests.integration.simalpaca_trading.exchange_kit import HOUR, MINUTE, OPEN


@pytest.fixture
def symbol(exchange):
    """A symbol of the test's own, at 100 dollars."""
    name = exchange.symbol()
    exchange.bar(name, "100")
    return name


def test_an_order_is_accepted_before_it_is_filled(exchange, symbol):
    made = exchange.submit(symbol, "buy", 10, client_order_id=f"{symbol}-1")
    assert (made["status"], made["filled_qty"], made["client_order_id"]) == (
        "accepted",
        "0",
        f"{symbol}-1",
    )
    now = exchange.look(made)
    assert (now["status"], now["filled_qty"], now["filled_avg_price"]) == ("filled", "10", "100.01")
    assert exchange.get(f"/v2/orders:by_client_order_id?client_order_id={symbol}-1") == now


def test_a_replacement_is_another_order_that_counts_its_own_fills(exchange, symbol):
    exchange.misbehave(script={"submit": [{"fault": "partial", "pieces": 5}]})
    old = exchange.submit(symbol, "buy", 10, "limit", limit_price="100.50")
    status, new, _ = exchange.ask(
        "PATCH", f"/v2/orders/{old['id']}", {"limit_price": "99", "qty": "5"}
    )
    assert status == 200
    was, now = exchange.look(old), exchange.look(new)
    assert (was["status"], was["replaced_by"], was["filled_qty"]) == ("replaced", new["id"], "2")
    assert was["replaced_at"]
    assert (now["status"], now["replaces"], now["filled_qty"]) == ("new", old["id"], "0")
    assert (now["qty"], now["limit_price"]) == ("5", "99")
    assert now["client_order_id"] not in ("", was["client_order_id"])
    exchange.bar(symbol, "98")
    exchange.bar(symbol, "98")
    exchange.bar(symbol, "98")
    assert exchange.look(new)["filled_qty"] == "5"
    assert exchange.held(symbol) == 7
    fills = exchange.get("/v2/account/activities/FILL?direction=asc")
    mine = [f for f in fills if f["symbol"] == symbol]
    assert [(f["order_id"], f["cum_qty"]) for f in mine] == [
        (old["id"], "2"),
        (new["id"], "2"),
        (new["id"], "4"),
        (new["id"], "5"),
    ]


def test_without_a_quantity_a_replacement_asks_for_the_whole_again(exchange, symbol):
    exchange.misbehave(script={"submit": [{"fault": "partial", "pieces": 2}]})
    old = exchange.submit(symbol, "buy", 10, "limit", limit_price="100.50")
    _, new, _ = exchange.ask("PATCH", f"/v2/orders/{old['id']}", {"limit_price": "99"})
    assert new["qty"] == "10"


def test_an_order_over_cannot_be_changed_or_canceled(exchange, symbol):
    made = exchange.submit(symbol, "buy", 1)
    path = f"/v2/orders/{made['id']}"
    status, body, _ = exchange.ask("DELETE", path)
    assert (status, body) == (
        422,
        {"code": 42210000, "message": 'order is already in "filled" state'},
    )
    assert exchange.ask("PATCH", path, {"qty": "2"})[0] == 422
    missing = "/v2/orders/00000000-0000-0000-0000-000000000000"
    assert exchange.ask("DELETE", missing)[0] == 404


def test_the_legs_of_a_bracket_wait_for_the_whole_entry_and_end_each_other(exchange, symbol):
    exchange.misbehave(script={"submit": [{"fault": "partial", "pieces": 2}]})
    made = exchange.submit(
        symbol,
        "buy",
        10,
        order_class="bracket",
        take_profit={"limit_price": "110"},
        stop_loss={"stop_price": "95", "limit_price": "94.5"},
    )
    target, stop = made["legs"]
    assert [leg["status"] for leg in made["legs"]] == ["held", "held"]
    assert (stop["type"], stop["stop_price"], stop["limit_price"]) == ("stop_limit", "95", "94.5")
    assert exchange.look(made)["status"] == "partially_filled"
    assert exchange.look(target)["status"] == "held"
    exchange.bar(symbol, "100", "112", "99", "100")
    assert exchange.look(target)["status"] == "new", "it missed the bar that filled the entry"
    exchange.bar(symbol, "109", "111", "108", "110")
    assert exchange.look(target)["status"] == "filled"
    assert exchange.look(stop)["status"] == "canceled"
    nested = exchange.get(f"/v2/orders/{made['id']}?nested=true")
    assert {leg["id"] for leg in nested["legs"]} == {target["id"], stop["id"]}


def test_an_oco_holds_its_shares_once_and_shrinks_with_partial_fills(exchange, symbol):
    exchange.submit(symbol, "buy", 10)
    exchange.misbehave(script={"submit": [{"fault": "partial", "pieces": 2}]})
    made = exchange.submit(
        symbol,
        "sell",
        10,
        "limit",
        order_class="oco",
        take_profit={"limit_price": "105"},
        stop_loss={"stop_price": "95"},
    )
    position = exchange.get(f"/v2/positions/{symbol}")
    assert (position["qty"], position["qty_available"]) == ("10", "0")
    exchange.bar(symbol, "105")
    (stop,) = made["legs"]
    assert exchange.look(made)["filled_qty"] == "5"
    assert exchange.look(stop)["qty"] == "5"
    exchange.bar(symbol, "96", "96", "94", "94")
    assert exchange.look(stop)["status"] == "filled"
    assert exchange.look(made)["status"] == "canceled"
    assert exchange.held(symbol) == 0


def test_canceling_one_of_a_group_cancels_the_rest(exchange, symbol):
    made = exchange.submit(
        symbol,
        "buy",
        10,
        "limit",
        limit_price="90",
        order_class="oto",
        stop_loss={"stop_price": "85"},
    )
    (stop,) = made["legs"]
    status, new, _ = exchange.ask("PATCH", f"/v2/orders/{stop['id']}", {"stop_price": "86"})
    assert (status, new["status"], new["stop_price"]) == (200, "held", "86")
    assert exchange.ask("DELETE", f"/v2/orders/{new['id']}")[0] == 204
    assert exchange.look(made)["status"] == "canceled"
    assert exchange.look(new)["status"] == "canceled"


def test_a_trailing_stop_follows_the_best_price(exchange, symbol):
    exchange.submit(symbol, "buy", 10)
    made = exchange.submit(symbol, "sell", 10, "trailing_stop", trail_percent="2")
    now = exchange.look(made)
    assert (now["hwm"], now["stop_price"], now["trail_percent"]) == ("100", "98", "2")
    exchange.bar(symbol, "101", "110", "100", "109")
    now = exchange.look(made)
    assert (now["hwm"], now["stop_price"], now["status"]) == ("110", "107.8", "new")
    _, new, _ = exchange.ask("PATCH", f"/v2/orders/{made['id']}", {"trail": "5"})
    assert (new["trail_percent"], new["stop_price"]) == ("5", "104.5")
    exchange.bar(symbol, "108", "108", "104", "104")
    assert exchange.look(new)["status"] == "filled"


def test_ioc_and_fok_get_what_they_can_at_once(exchange, symbol):
    away = exchange.submit(symbol, "buy", 5, "limit", limit_price="99", time_in_force="ioc")
    assert exchange.look(away)["status"] == "canceled"
    exchange.misbehave(
        script={"submit": [{"fault": "partial", "pieces": 5}, {"fault": "partial", "pieces": 5}]}
    )
    some = exchange.submit(symbol, "buy", 5, "limit", limit_price="101", time_in_force="ioc")
    none = exchange.submit(symbol, "buy", 5, "limit", limit_price="101", time_in_force="fok")
    assert [exchange.look(order)["filled_qty"] for order in (some, none)] == ["1", "0"]
    whole = exchange.submit(symbol, "buy", 5, time_in_force="fok")
    assert exchange.look(whole)["status"] == "filled"


def test_a_gtc_order_becomes_a_day_order_by_replacement(exchange, symbol):
    made = exchange.submit(symbol, "buy", 1, "limit", limit_price="50", time_in_force="gtc")
    assert made["expires_at"] == "2024-02-18T21:15:00Z"
    _, new, _ = exchange.ask("PATCH", f"/v2/orders/{made['id']}", {"time_in_force": "day"})
    assert new["time_in_force"] == "day"
    exchange.tell("session_close")
    assert exchange.look(new)["status"] == "expired"
    assert exchange.look(new)["expired_at"]


def test_orders_wait_for_the_exchange_and_its_auctions(make_exchange):
    exchange = make_exchange()
    exchange.bar("SPY", "100", at=OPEN + MINUTE)
    cls = exchange.submit("SPY", "buy", 3, time_in_force="cls")
    late_opg = exchange.order("SPY", "buy", 1, time_in_force="opg")
    assert (late_opg[0], late_opg[1]["code"]) == (422, 42210000)
    exchange.bar("SPY", "101", "102", "100", "101", at=OPEN + 6 * HOUR + 30 * MINUTE)
    assert exchange.look(cls)["filled_avg_price"] == "101"
    waits = exchange.submit("SPY", "buy", 2)
    extended = exchange.submit("SPY", "buy", 1, "limit", limit_price="102", extended_hours=True)
    assert exchange.look(waits)["status"] == "accepted"
    assert exchange.look(extended)["status"] == "filled"
    assert exchange.ask("PATCH", f"/v2/orders/{waits['id']}", {"qty": "3"})[0] == 422
    assert exchange.get("/v2/clock")["is_open"] is False
    exchange.bar("SPY", "90", at=OPEN + 9 * HOUR + 31 * MINUTE)
    assert exchange.look(waits)["status"] == "accepted", "that bar was after hours"
    opg = exchange.submit("SPY", "buy", 4, "limit", limit_price="106", time_in_force="opg")
    missed = exchange.submit("SPY", "buy", 4, "limit", limit_price="104", time_in_force="opg")
    exchange.bar("SPY", "105", "106", "103", "104", at=OPEN + 24 * HOUR + MINUTE)
    assert exchange.look(opg)["filled_avg_price"] == "105"
    assert exchange.look(missed)["status"] == "canceled"
    assert exchange.look(waits)["filled_avg_price"] == "105.0105"
    assert exchange.get("/v2/clock")["is_open"] is True


def test_lists_are_filtered_sorted_and_paged(exchange, symbol):
    made = [
        exchange.submit(symbol, "buy", 1, "limit", limit_price=str(80 + n), time_in_force="gtc")
        for n in range(5)
    ]
    ids = [order["id"] for order in made]

    def listed(query):
        return [order["id"] for order in exchange.get(f"/v2/orders?symbols={symbol}&{query}")]

    assert listed("") == ids[::-1]
    assert listed("direction=asc&limit=2") == ids[:2]
    assert listed(f"direction=asc&after={made[1]['submitted_at']}") == ids[2:]
    assert listed(f"until={made[1]['submitted_at']}") == ids[:1]
    assert listed(f"after_order_id={ids[2]}") == ids[:2:-1]
    assert exchange.ask("DELETE", f"/v2/orders/{ids[0]}")[0] == 204
    assert listed("status=closed") == ids[:1]
    assert listed("status=all&side=sell") == []
    assert exchange.ask("GET", "/v2/orders?limit=501")[0] == 422


def test_cancel_all_says_what_came_of_each(exchange, symbol):
    made = exchange.submit(symbol, "buy", 1, "limit", limit_price="50")
    status, body, _ = exchange.ask("DELETE", "/v2/orders")
    assert status == 207
    assert {"id": made["id"], "status": 200} in body
    assert exchange.get("/v2/orders") == []


def test_positions_are_closed_whole_in_part_and_all(exchange, symbol):
    exchange.submit(symbol, "buy", 10)
    assert exchange.ask("DELETE", f"/v2/positions/{symbol}?qty=3")[0] == 200
    assert exchange.held(symbol) == 7
    assert exchange.ask("DELETE", f"/v2/positions/{symbol}?percentage=50")[0] == 200
    assert exchange.held(symbol) == 4
    exchange.submit(symbol, "sell", 4, "limit", limit_price="120")
    status, body, _ = exchange.ask("DELETE", f"/v2/positions/{symbol}")
    assert (status, body["held_for_orders"]) == (403, "4")
    status, body, _ = exchange.ask("DELETE", "/v2/positions?cancel_orders=true")
    assert status == 207
    assert {(one["symbol"], one["status"]) for one in body} >= {(symbol, 200)}
    assert exchange.ask("GET", f"/v2/positions/{symbol}")[0] == 404
