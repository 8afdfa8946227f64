"""Trailing stops, immediate orders, and orders tied together, in the book itself."""

import pytest

from tradingd.simbroker.amounts import BadRequest


def tied(bench, name, side="BUY", kind="MARKET", quantity=10, **more):
    legs = [{"client_order_id": f"{name}-t", "limit": "110"}]
    legs.append({"client_order_id": f"{name}-s", "stop": "90"})
    ties = {"order_class": "BRACKET", "group_id": name, "legs": legs}
    return bench.send(name, side, quantity, kind, **(ties | more))


def test_a_trailing_stop_is_tested_where_it_stood_then_moves(bench):
    bench.bar("100", "100", "100", "100")
    bench.send("t", "SELL", 10, "TRAILING_STOP", trail="5")
    assert bench.order("t")["stop"] == "95"
    bench.bar("100", "120", "96", "119")
    assert (bench.order("t")["stop"], bench.status("t")) == ("115", "WORKING")
    bench.bar("119", "119", "116", "116")
    assert bench.status("t") == "WORKING"
    bench.bar("114", "115", "110", "112")
    assert bench.prices("t") == ["113.9886"], "the open was worse than the stop"


def test_a_close_beyond_the_moved_stop_elects_it(bench):
    bench.bar("100", "100", "100", "100")
    bench.send("t", "BUY", 10, "TRAILING_STOP", trail_rate="0.02")
    bench.bar("100", "101", "90", "95")
    assert bench.prices("t") == ["91.8092"]


def test_a_trailing_stop_without_a_price_begins_with_the_first_bar(bench):
    bench.send("t", "SELL", 10, "TRAILING_STOP", trail="5")
    assert bench.order("t")["stop"] is None
    bench.bar("100", "103", "99", "102")
    assert bench.order("t")["stop"] == "98"
    bench.restart()
    assert bench.order("t")["stop"] == "98"
    bench.say("replace", client_order_id="t", trail="1")
    assert bench.status("t") == "FILLED", "the touch is beyond the new stop"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"trail": "1", "trail_rate": "0.1"},
        {"trail": "0"},
        {"trail": "1", "time_in_force": "IOC"},
        {"trail": "1", "limit": "5"},
    ],
)
def test_a_trailing_stop_that_makes_no_sense_is_rejected(bench, fields):
    assert bench.send("t", "SELL", 1, "TRAILING_STOP", **fields)["outcome"] == "rejected"


def test_immediate_orders_never_rest(bench):
    assert bench.send("early", "BUY", 1, "MARKET", time_in_force="IOC")["outcome"] == "accepted"
    assert bench.status("early") == "CANCELED", "there is no price yet"
    bench.bar("100", "100", "100", "100")
    bench.send("some", "BUY", 10, "MARKET", time_in_force="IOC", pieces=2)
    bench.send("none", "BUY", 10, "MARKET", time_in_force="FOK", pieces=2)
    bench.send("all", "BUY", 10, "LIMIT", limit="101", time_in_force="FOK")
    assert [bench.order(n)["filled"] for n in ("some", "none", "all")] == [5, 0, 10]
    assert [bench.status(n) for n in ("some", "none", "all")] == ["CANCELED", "CANCELED", "FILLED"]


def test_auctions_need_a_market_with_hours(bench):
    answer = bench.send("o", "BUY", 1, "MARKET", time_in_force="OPG")
    assert answer["outcome"] == "rejected"
    assert "no auctions" in answer["reason"]


def test_legs_wait_for_the_whole_entry_then_end_each_other(bench):
    bench.bar("100", "100", "100", "100")
    answer = tied(bench, "b", pieces=2)
    assert len(answer["legs"]) == 2
    assert [bench.status(name) for name in ("b", "b-t", "b-s")] == ["WORKING", "HELD", "HELD"]
    bench.restart()
    bench.bar("100", "115", "85", "100")
    assert [bench.status(name) for name in ("b", "b-t", "b-s")] == ["FILLED", "WORKING", "WORKING"]
    bench.bar("100", "111", "99", "110")
    assert [bench.status(name) for name in ("b-t", "b-s")] == ["FILLED", "CANCELED"]
    assert bench.held() == 0


def test_in_one_bar_with_both_exits_the_stop_is_met_and_the_target_never(bench):
    bench.bar("100", "100", "100", "100")
    tied(bench, "b")
    bench.bar("100", "120", "80", "100")
    assert [bench.status(name) for name in ("b-t", "b-s")] == ["CANCELED", "FILLED"]
    assert bench.held() == 0


def test_a_group_expires_and_is_canceled_together(bench):
    bench.bar("100", "100", "100", "100")
    tied(bench, "day", kind="LIMIT", limit="50", time_in_force="DAY")
    tied(bench, "gtc", kind="LIMIT", limit="50", time_in_force="GTC")
    bench.say("session_close")
    assert [bench.status(n) for n in ("day", "day-t", "day-s")] == ["EXPIRED"] * 3
    bench.say("cancel", client_order_id="gtc-t")
    assert [bench.status(n) for n in ("gtc", "gtc-t", "gtc-s")] == ["CANCELED"] * 3


def test_a_split_restates_held_legs(bench):
    bench.bar("100", "100", "100", "100")
    tied(bench, "b", kind="LIMIT", limit="50", time_in_force="GTC")
    action = {"kind": "split", "symbol": "SPY", "ex_date": "d", "ts": bench.ts}
    bench.say("corporate_action", numerator=2, denominator=1, **action)
    assert [bench.order(n)["quantity"] for n in ("b", "b-t", "b-s")] == [20] * 3
    assert bench.order("b-s")["stop"] == "45"
    bench.say("corporate_action", kind="delisting", symbol="SPY", ex_date="e", ts=bench.ts)
    assert bench.status("b-s") == "CANCELED"


@pytest.mark.parametrize(
    "fields",
    [
        {"legs": []},
        {"legs": [{"limit": "110"}]},
        {"legs": [{"limit": "110"}, {"limit": "111"}]},
        {"time_in_force": "IOC"},
        {"order_class": "OCO"},
    ],
)
def test_ties_that_make_no_sense_are_rejected(bench, fields):
    bench.bar("100", "100", "100", "100")
    assert tied(bench, "b", **fields)["outcome"] == "rejected"


def test_a_tie_that_is_not_understood_leaves_no_trace(bench):
    with pytest.raises(BadRequest):
        tied(bench, "b", order_class="KNOT")
    assert bench.say("orders")["orders"] == []
