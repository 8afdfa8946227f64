"""What is refused, and in which words."""

import pytest

FORBIDDEN, INVALID, BAD_FIELD = (403, 40310000), (422, 42210000), (422, 40010001)


@pytest.fixture
def symbol(exchange):
    """A symbol of the test's own, at 100 dollars."""
    name = exchange.symbol()
    exchange.bar(name, "100")
    return name


def refusal(answer):
    status, body, _ = answer
    return status, body["code"]


LIMIT = {"type": "limit", "limit_price": "9"}
STOP_LIMIT = {"type": "stop_limit", "stop_price": "9", "limit_price": "9"}
LEGS = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"side": "up"}, BAD_FIELD),
        ({"qty": None}, BAD_FIELD),
        ({"qty": "0"}, BAD_FIELD),
        ({"qty": "1", "notional": "50"}, BAD_FIELD),
        ({"qty": "1e400"}, BAD_FIELD),
        ({"qty": True}, BAD_FIELD),
        ({"qty": "0.5"}, FORBIDDEN),
        ({"qty": None, "notional": "50"}, FORBIDDEN),
        ({"qty": "0.5", "time_in_force": "gtc"}, INVALID),
        ({"qty": None, "notional": "50", "type": "limit", "limit_price": "9"}, INVALID),
        ({"type": "limit"}, BAD_FIELD),
        ({"type": "stop"}, BAD_FIELD),
        ({"limit_price": "9"}, BAD_FIELD),
        ({"type": "limit", "limit_price": "9.001"}, INVALID),
        ({"type": "limit", "limit_price": "0.50001"}, INVALID),
        ({"type": "trailing_stop"}, BAD_FIELD),
        ({"type": "trailing_stop", "trail_price": "1", "trail_percent": "1"}, BAD_FIELD),
        ({"type": "trailing_stop", "trail_price": "1", "time_in_force": "ioc"}, INVALID),
        ({"type": "stop", "stop_price": "120", "time_in_force": "cls"}, INVALID),
        ({**STOP_LIMIT, "time_in_force": "fok"}, INVALID),
        ({"extended_hours": True}, INVALID),
        ({**LIMIT, "extended_hours": True, "time_in_force": "ioc"}, INVALID),
        ({"take_profit": {"limit_price": "110"}}, INVALID),
        ({"order_class": "bracket", "stop_loss": {"stop_price": "90"}}, BAD_FIELD),
        ({"order_class": "bracket", **LEGS, "time_in_force": "ioc"}, INVALID),
        ({"order_class": "bracket", **LEGS, "stop_loss": {"stop_price": "110"}}, INVALID),
        ({"order_class": "bracket", **LEGS, "stop_loss": {"stop_price": "100"}}, INVALID),
        ({"order_class": "bracket", **LEGS, "type": "stop", "stop_price": "120"}, INVALID),
        ({"order_class": "oto", **LEGS}, BAD_FIELD),
        ({"order_class": "oco", **LEGS}, INVALID),
        ({"order_class": "oco", "type": "limit", **LEGS}, INVALID),
        ({"order_class": "mleg"}, BAD_FIELD),
        ({"symbol": "NOSUCHONE"}, INVALID),
        ({"position_intent": "buy_to_close"}, INVALID),
        ({"client_order_id": "x" * 129}, BAD_FIELD),
    ],
)  # fmt: skip
def test_orders_that_make_no_sense_are_refused(exchange, symbol, fields, expected):
    plain = {"symbol": symbol, "side": "buy", "qty": "1", "type": "market", "time_in_force": "day"}
    body = {name: value for name, value in (plain | fields).items() if value is not None}
    assert refusal(exchange.ask("POST", "/v2/orders", body)) == expected
    assert exchange.get(f"/v2/orders?status=all&symbols={symbol}") == []


@pytest.mark.parametrize("body", [None, [], "text", 3])
def test_a_body_that_is_no_object_is_a_bad_request(exchange, body):
    assert refusal(exchange.ask("POST", "/v2/orders", body)) == (400, 40010000)


def test_a_client_order_id_is_used_once(exchange, symbol):
    exchange.submit(symbol, "buy", 1, client_order_id=f"{symbol}-once")
    answer = exchange.order(symbol, "buy", 1, client_order_id=f"{symbol}-once")
    assert refusal(answer) == BAD_FIELD
    assert answer[1]["message"] == "client_order_id must be unique"


def test_shares_that_another_sale_holds_cannot_be_sold(exchange, symbol):
    exchange.submit(symbol, "buy", 10)
    exchange.submit(symbol, "sell", 7, "limit", limit_price="110")
    status, body, _ = exchange.order(symbol, "sell", 4, "limit", limit_price="111")
    assert (status, body) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient qty available for order (requested: 4, available: 3)",
            "available": "3",
            "existing_qty": "10",
            "held_for_orders": "7",
            "symbol": symbol,
        },
    )
    assert exchange.order(symbol, "sell", 3, "limit", limit_price="111")[0] == 200


def test_no_order_turns_a_position_around(exchange, symbol):
    exchange.submit(symbol, "sell", 5)
    assert exchange.held(symbol) == -5
    assert refusal(exchange.order(symbol, "buy", 6)) == FORBIDDEN
    exchange.submit(symbol, "buy", 5)
    assert exchange.held(symbol) == 0


@pytest.mark.parametrize(
    ("resting", "coming", "refused"),
    [
        (("limit", {"limit_price": "99"}), ("limit", {"limit_price": "101"}), False),
        (("limit", {"limit_price": "99"}), ("limit", {"limit_price": "99"}), True),
        (("limit", {"limit_price": "99"}), ("stop", {"stop_price": "95"}), True),
        (("limit", {"limit_price": "99"}), ("market", {}), True),
        (
            ("limit", {"limit_price": "90"}),
            ("stop_limit", {"stop_price": "95", "limit_price": "94"}),
            False,
        ),
        (("stop", {"stop_price": "105"}), ("limit", {"limit_price": "120"}), True),
        (("limit", {"limit_price": "99"}), ("trailing_stop", {"trail_price": "5"}), False),
        (("trailing_stop", {"trail_price": "5"}), ("market", {}), False),
    ],
)
def test_wash_trades_are_refused_by_the_published_table(exchange, symbol, resting, coming, refused):
    exchange.submit(symbol, "buy", 10)
    there = exchange.submit(symbol, "buy", 1, resting[0], **resting[1])
    status, body, _ = exchange.order(symbol, "sell", 1, coming[0], **coming[1])
    assert (status == 403) is refused
    if refused:
        assert body["message"] == "potential wash trade detected. use complex orders"
        assert body["existing_order_id"] == there["id"]
        assert body["reject_reason"] == f"opposite side {resting[0]} order exists"


def test_flat_no_side_is_opened_against_an_order_of_the_other(exchange, symbol):
    exchange.submit(symbol, "buy", 1, "limit", limit_price="90")
    _, body, _ = exchange.order(symbol, "sell", 1, "limit", limit_price="110")
    assert body["message"] == "cannot open a short sell while a long buy order is open"


def test_what_the_account_cannot_pay_is_refused_and_open_orders_count(make_exchange):
    exchange = make_exchange("--cash", "1000")
    exchange.bar("SPY", "100")
    exchange.submit("SPY", "buy", 30, "limit", limit_price="99")
    _, body, _ = exchange.order("SPY", "buy", 11, "limit", limit_price="98")
    assert body["message"] == "insufficient buying power"
    assert (body["buying_power"], body["cost_basis"]) == ("1030", "1078")
    patched = exchange.ask("PATCH", "/v2/account/configurations", {"max_margin_multiplier": "1"})
    assert patched[1]["max_margin_multiplier"] == "1"
    assert exchange.get("/v2/account")["buying_power"] == "0"


def test_assets_that_do_not_trade_or_cannot_be_borrowed(exchange, symbol):
    exchange.tell("asset", symbol=symbol, shortable=False)
    answer = exchange.order(symbol, "sell", 1)
    assert answer[1]["message"] == f'asset "{symbol}" cannot be sold short'
    exchange.submit(symbol, "buy", 1)
    exchange.submit(symbol, "sell", 1)
    exchange.tell("asset", symbol=symbol, tradable=False)
    assert exchange.order(symbol, "buy", 1)[1]["message"] == f'asset "{symbol}" is not tradable'
    shown = exchange.get(f"/v2/assets/{symbol}")
    assert (shown["tradable"], shown["shortable"], shown["status"]) == (False, False, "inactive")
    assert exchange.get(f"/v2/assets/{shown['id']}") == shown
    assert exchange.ask("GET", "/v2/assets/nosuch")[0] == 404


def test_a_suspended_account_takes_no_orders(exchange, symbol):
    exchange.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    assert refusal(exchange.order(symbol, "buy", 1)) == FORBIDDEN
    assert exchange.get("/v2/account")["trade_suspended_by_user"] is True
    exchange.ask("PATCH", "/v2/account/configurations", {"suspend_trade": False})
    assert exchange.order(symbol, "buy", 1)[0] == 200


def test_only_the_pair_of_the_environment_is_let_in(make_exchange):
    env = {"SIMALPACA_KEY_ID": "right", "SIMALPACA_SECRET_KEY": "pair"}
    exchange = make_exchange("--live-like", env=env)
    right = {"APCA-API-KEY-ID": "right", "APCA-API-SECRET-KEY": "pair"}
    assert exchange.ask("GET", "/v2/account", headers={})[0] == 401
    assert exchange.ask("GET", "/v2/account")[0] == 403
    status, account, _ = exchange.ask("GET", "/v2/account", headers=right)
    assert (status, account["account_number"]) == (200, "3SIM000001")


def test_paths_that_are_not_there_are_not_found(exchange):
    assert refusal(exchange.ask("GET", "/v2/watchlists")) == (404, 40410000)
    assert exchange.ask("PUT", "/v2/orders", {})[0] == 405


def test_requests_beyond_the_rate_are_told_when_to_come_back(make_exchange):
    exchange = make_exchange("--requests-per-minute", "3")
    answers = [exchange.ask("GET", "/v2/clock") for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    assert [headers["X-RateLimit-Remaining"] for _, _, headers in answers] == ["2", "1", "0", "0"]
    assert answers[3][1] == {"code": 42910000, "message": "rate limit exceeded"}
