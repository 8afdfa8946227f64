"""What an order does when it arrives: last price 100, half a spread of 1 bp, so 99.99 to 100.01."""

import pytest


@pytest.fixture
def market(bench):
    bench.bar("100", "100", "100", "100")
    return bench


@pytest.mark.parametrize(("side", "price"), [("BUY", "100.01"), ("SELL", "99.99")])
def test_a_market_order_fills_at_once_at_the_touch(market, side, price):
    market.send("a", side, 10, "MARKET")
    assert (market.status("a"), market.prices("a")) == ("FILLED", [price])


def test_a_market_order_takes_the_quote_when_one_is_known(market):
    market.quote("99.5", "100.5")
    market.send("a", "BUY", 10, "MARKET")
    assert market.prices("a") == ["100.5"]


def test_a_bar_replaces_an_earlier_quote(market):
    market.quote("99.5", "100.5")
    market.bar("100", "100", "100", "100")
    market.send("a", "BUY", 10, "MARKET")
    assert market.prices("a") == ["100.01"]


def test_a_market_order_waits_for_the_first_price_of_its_symbol(bench):
    bench.send("a", "BUY", 10, "MARKET")
    assert bench.status("a") == "WORKING"
    bench.bar("50", "51", "49", "50")
    assert bench.prices("a") == ["50.005"]


@pytest.mark.parametrize(
    ("side", "limit", "prices"),
    [
        ("BUY", "100.01", ["100.01"]),
        ("BUY", "101", ["100.01"]),
        ("BUY", "100", []),
        ("SELL", "99.99", ["99.99"]),
        ("SELL", "99", ["99.99"]),
        ("SELL", "100", []),
    ],
)
def test_a_limit_fills_on_arrival_only_when_the_touch_is_within_it(market, side, limit, prices):
    market.send("a", side, 10, "LIMIT", limit=limit)
    assert market.prices("a") == prices


@pytest.mark.parametrize(
    ("side", "stop", "prices"),
    [
        ("BUY", "100", ["100.01"]),
        ("BUY", "100.5", []),
        ("SELL", "100", ["99.99"]),
        ("SELL", "99.5", []),
    ],
)
def test_a_stop_beyond_the_last_price_is_elected_on_arrival(market, side, stop, prices):
    market.send("a", side, 10, "STOP_MARKET", stop=stop)
    assert market.prices("a") == prices


def test_a_quote_elects_a_stop_on_arrival_at_its_own_side(market):
    market.quote("99", "101")
    market.send("buy", "BUY", 10, "STOP_MARKET", stop="100.5")
    market.send("sell", "SELL", 10, "STOP_MARKET", stop="98.5")
    assert market.prices("buy") == ["101"]
    assert market.prices("sell") == []


def test_an_elected_stop_limit_rests_when_the_touch_is_beyond_its_limit(market):
    market.send("a", "BUY", 10, "STOP_LIMIT", stop="99", limit="99.5")
    assert market.status("a") == "WORKING"
    market.bar("99.6", "99.6", "99.4", "99.6")
    assert market.prices("a") == ["99.5"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"quantity": 0, "kind": "MARKET"}, "quantity"),
        ({"quantity": -5, "kind": "MARKET"}, "quantity"),
        ({"quantity": 5, "kind": "LIMIT"}, "limit"),
        ({"quantity": 5, "kind": "MARKET", "limit": "5"}, "limit"),
        ({"quantity": 5, "kind": "STOP_LIMIT", "limit": "5"}, "stop"),
        ({"quantity": 5, "kind": "STOP_MARKET", "stop": "0"}, "stop"),
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_is_recorded_as_rejected(market, fields, reason):
    reply = market.send("a", "BUY", **fields)
    assert reply["outcome"] == "rejected"
    assert reason in reply["reason"]
    assert market.status("a") == "REJECTED"
    assert market.told[-1]["order"]["status"] == "REJECTED"


def test_commission_is_the_minimum_or_the_rate_and_is_charged_once_per_order(market):
    market.send("small", "BUY", 10, "MARKET")
    market.send("large", "BUY", 1_000, "MARKET", pieces=2)
    market.bar("100", "100", "100", "100")
    fills = market.say("fills")["fills"]
    assert [fill["commission"] for fill in fills] == ["1", "2.5", "2.5"]


def test_cash_and_average_price_follow_the_fills(market):
    market.send("a", "BUY", 10, "MARKET")
    assert market.cash() == "98998.9"  # 100,000 - 1,000.10 - 1
    market.send("b", "SELL", 25, "MARKET")
    assert market.held() == -15
    position = market.say("positions")["positions"][0]
    assert position["average_price"] == "99.99"
    account = market.say("account")
    assert account["cash"] == "101497.65"  # + 25 x 99.99 - 1
    assert account["equity"] == "99997.65"  # - 15 x 100
