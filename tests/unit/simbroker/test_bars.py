"""What a bar does to resting orders; last price 100 when they arrive."""

import pytest


@pytest.fixture
def market(bench):
    bench.bar("100", "100", "100", "100")
    return bench


@pytest.mark.parametrize(
    ("side", "limit", "bar", "prices"),
    [
        ("BUY", "99", ("100", "100", "99", "100"), ["99"]),
        ("BUY", "99", ("100", "100", "99.01", "100"), []),
        ("BUY", "99", ("98", "98.5", "97", "98"), ["98"]),
        ("SELL", "101", ("100", "101", "100", "100"), ["101"]),
        ("SELL", "101", ("100", "100.99", "100", "100"), []),
        ("SELL", "101", ("102", "103", "101.5", "102"), ["102"]),
    ],
    ids=["touched", "missed", "gap", "sale touched", "sale missed", "sale gap"],
)
def test_a_touched_limit_fills_at_its_price_or_the_better_open(market, side, limit, bar, prices):
    market.send("a", side, 10, "LIMIT", limit=limit)
    market.bar(*bar)
    assert market.prices("a") == prices


@pytest.mark.parametrize(
    ("side", "stop", "bar", "prices"),
    [
        ("SELL", "99", ("100", "100", "99", "100"), ["98.9901"]),
        ("SELL", "99", ("100", "100", "99.01", "100"), []),
        ("SELL", "99", ("98", "98.5", "97", "98"), ["97.9902"]),
        ("BUY", "101", ("100", "101", "100", "100"), ["101.0101"]),
        ("BUY", "101", ("100", "100.99", "100", "100"), []),
        ("BUY", "101", ("102", "103", "101.5", "102"), ["102.0102"]),
    ],
    ids=["touched", "missed", "gap", "purchase touched", "purchase missed", "purchase gap"],
)
def test_a_stop_fills_at_its_price_or_the_worse_open_and_half_a_spread(
    market, side, stop, bar, prices
):
    market.send("a", side, 10, "STOP_MARKET", stop=stop)
    market.bar(*bar)
    assert market.prices("a") == prices


def test_a_stop_limit_fills_within_its_limit_in_the_bar_that_elects_it(market):
    market.send("a", "SELL", 10, "STOP_LIMIT", stop="99", limit="98.5")
    market.bar("100", "100", "98.9", "99")
    assert market.prices("a") == ["98.9901"]


def test_a_stop_limit_that_is_gapped_over_rests_from_the_next_bar_on(market):
    market.send("a", "SELL", 10, "STOP_LIMIT", stop="99", limit="98.5")
    market.bar("97", "99", "96", "97")
    assert market.prices("a") == []
    market.bar("98", "98.6", "97", "98")
    assert market.prices("a") == ["98.5"]


def test_a_bar_that_reaches_stop_and_target_fills_the_stop_alone(market):
    market.send("entry", "BUY", 10, "MARKET")
    market.send("target", "SELL", 10, "LIMIT", limit="101")
    market.send("stop", "SELL", 10, "STOP_MARKET", stop="99")
    market.bar("100", "102", "98", "100")
    assert (market.status("stop"), market.status("target")) == ("FILLED", "WORKING")
    assert market.held() == 0


def test_a_stop_of_the_other_side_does_not_hold_a_limit_back(market):
    market.send("buy stop", "BUY", 10, "STOP_MARKET", stop="101")
    market.send("sell limit", "SELL", 10, "LIMIT", limit="101")
    market.bar("100", "102", "100", "100")
    assert market.status("buy stop") == market.status("sell limit") == "FILLED"


def test_an_order_in_pieces_fills_one_piece_per_bar_and_never_too_much(market):
    market.send("a", "BUY", 10, "MARKET", pieces=3)
    for _ in range(4):
        market.bar("100", "100", "100", "100")
    fills = [fill["quantity"] for fill in market.say("fills")["fills"]]
    assert fills == [4, 4, 2]
    assert market.held() == 10


def test_a_stop_in_pieces_goes_on_as_a_market_order(market):
    market.send("a", "SELL", 10, "STOP_MARKET", stop="99", pieces=2)
    market.bar("100", "100", "99", "100")
    market.bar("103", "103", "103", "103")
    assert market.prices("a") == ["98.9901", "102.9897"]


def test_participation_bounds_what_a_bar_fills_of_all_orders_together(other_bench):
    market = other_bench(participation_percent=10)
    market.send("a", "BUY", 60, "MARKET")
    market.send("b", "BUY", 60, "MARKET")
    market.bar("100", "100", "100", "100", volume=1_000)
    assert (market.order("a")["filled"], market.order("b")["filled"]) == (60, 40)
    market.bar("100", "100", "100", "100", volume=1_000)
    assert market.status("b") == "FILLED"


def test_a_quote_fills_a_resting_limit_at_its_own_price(market):
    market.send("a", "BUY", 10, "LIMIT", limit="99")
    market.quote("98", "99.01")
    assert market.prices("a") == []
    market.quote("98", "98.5")
    assert market.prices("a") == ["99"]


def test_a_quote_elects_a_stop_and_fills_it_at_the_touch(market):
    market.send("a", "SELL", 10, "STOP_MARKET", stop="99")
    market.quote("98.7", "99.5")
    assert market.prices("a") == ["98.7"]


def test_a_symbol_told_twice_for_the_same_time_is_skipped(market):
    market.send("a", "SELL", 10, "STOP_MARKET", stop="99")
    assert market.bar("100", "100", "95", "100", at=market.ts)["skipped"] == 1
    assert market.status("a") == "WORKING"


def test_a_batch_leaves_orders_of_other_symbols_alone(market):
    market.send("a", "SELL", 10, "STOP_MARKET", stop="99")
    market.say("market", ts=market.ts + 1, bars=[["QQQ", "90", "90", "90", "90", 1]])
    assert market.status("a") == "WORKING"


def test_the_fills_of_a_bar_carry_its_time(market):
    market.send("a", "BUY", 10, "LIMIT", limit="99")
    market.bar("99", "99", "99", "99")
    assert market.say("fills")["fills"][0]["ts"] == market.ts
    assert market.say("fills", since=market.ts + 1)["fills"] == []
