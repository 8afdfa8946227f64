import pytest

from tradingd.simbroker.amounts import BadRequest


@pytest.fixture
def market(bench):
    bench.bar("100", "100", "100", "100")
    return bench


def test_an_order_sent_twice_is_there_twice(market):
    market.send("a", "BUY", 10, "MARKET")
    market.send("a", "BUY", 10, "MARKET")
    assert market.held() == 20
    assert len(market.say("order", client_order_id="a")["orders"]) == 2


def test_unique_ids_refuse_an_id_that_was_ever_used(other_bench):
    market = other_bench(unique_ids=True)
    market.send("a", "BUY", 10, "LIMIT", limit="1")
    market.say("cancel", client_order_id="a")
    assert "used before" in market.send("a", "BUY", 10, "LIMIT", limit="1")["reason"]
    assert market.send("", "BUY", 10, "LIMIT", limit="1")["outcome"] == "accepted"
    assert market.send("", "BUY", 10, "LIMIT", limit="1")["outcome"] == "accepted"


def test_a_replaced_order_keeps_its_ids_and_takes_new_terms(market):
    made = market.send("a", "BUY", 10, "LIMIT", limit="90")
    changed = market.say("replace", client_order_id="a", quantity=20, limit="95", stop=None)
    assert changed == made
    order = market.order("a")
    assert (order["quantity"], order["limit"], order["status"]) == (20, "95", "WORKING")


def test_a_replaced_order_that_became_marketable_fills_at_once(market):
    market.send("a", "BUY", 10, "LIMIT", limit="90")
    market.say("replace", client_order_id="a", quantity=10, limit="101")
    assert market.prices("a") == ["100.01"]


def test_a_stop_can_be_moved_and_is_elected_at_its_new_price(market):
    market.send("a", "SELL", 10, "STOP_MARKET", stop="90")
    market.say("replace", client_order_id="a", stop="99")
    market.bar("100", "100", "98.5", "99")
    assert market.status("a") == "FILLED"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quantity": 4}, "are filled"),
        ({"quantity": 10, "limit": "5"}, "limit"),
        ({"quantity": 10, "stop": "5"}, "stop"),
    ],
    ids=["no more than filled", "limit of a market order", "stop of a market order"],
)
def test_a_change_that_makes_no_sense_is_rejected_and_changes_nothing(market, change, reason):
    market.send("a", "BUY", 10, "MARKET", pieces=3)
    before = market.order("a")
    reply = market.say("replace", client_order_id="a", **change)
    assert reply["outcome"] == "rejected"
    assert reason in reply["reason"]
    assert market.order("a") == before


@pytest.mark.parametrize("op", ["cancel", "replace"])
def test_an_order_that_is_over_cannot_be_changed(market, op):
    market.send("a", "BUY", 10, "MARKET")
    reply = market.say(op, client_order_id="a", quantity=20)
    assert reply == {"outcome": "rejected", "reason": "order is FILLED"}
    assert market.say(op, client_order_id="nobody")["reason"] == "no such order"


def test_a_cancelled_order_never_fills(market):
    market.send("a", "BUY", 10, "LIMIT", limit="99")
    assert market.say("cancel", client_order_id="a")["outcome"] == "accepted"
    market.bar("90", "90", "90", "90")
    assert (market.status("a"), market.prices("a")) == ("CANCELED", [])


def test_cancel_takes_every_working_order_of_a_client_id(market):
    for _ in range(2):
        market.send("a", "BUY", 10, "LIMIT", limit="90")
    market.say("cancel", client_order_id="a")
    assert market.say("open_orders")["orders"] == []


def test_one_order_can_be_cancelled_by_the_brokers_id(market):
    made = market.send("", "BUY", 10, "LIMIT", limit="90")
    market.send("", "BUY", 10, "LIMIT", limit="91")
    market.say("cancel", broker_order_id=made["broker_order_id"])
    assert [order["limit"] for order in market.say("open_orders")["orders"]] == ["91"]


def test_cancel_all_takes_every_working_order(market):
    made = [market.send(name, "BUY", 10, "LIMIT", limit="90") for name in "abc"]
    reply = market.say("cancel_all")
    assert reply["canceled"] == [item["broker_order_id"] for item in made]
    assert market.say("open_orders")["orders"] == []


def test_a_day_order_expires_with_the_first_message_of_a_later_day(market):
    market.send("day", "BUY", 10, "LIMIT", limit="50")
    market.send("gtc", "BUY", 10, "LIMIT", limit="50", time_in_force="GTC")
    market.bar("100", "100", "100", "100")
    market.bar("40", "40", "40", "40", at=market.ts + 86_400 * 10**9)
    assert (market.status("day"), market.prices("day")) == ("EXPIRED", [])
    assert market.status("gtc") == "FILLED"


def test_a_day_order_sent_after_a_days_last_bar_works_through_the_next_day(market):
    day = 86_400 * 10**9
    market.send("a", "BUY", 10, "LIMIT", limit="50")
    market.bar("100", "100", "100", "100", at=market.ts + day)
    assert market.status("a") == "WORKING"
    market.bar("100", "100", "100", "100", at=market.ts + day)
    assert market.status("a") == "EXPIRED"


def test_the_day_of_an_order_is_new_yorks_not_utcs(bench):
    bench.bar("100", "100", "100", "100", at=1_700_510_400_000_000_000)  # 15:00 New York
    bench.send("a", "BUY", 10, "LIMIT", limit="50")
    bench.bar("100", "100", "100", "100", at=1_700_517_600_000_000_000)  # 17:00
    bench.bar("100", "100", "100", "100", at=1_700_528_400_000_000_000)  # 20:00, next day in UTC
    assert bench.status("a") == "WORKING"


def test_session_close_expires_day_orders_at_once(market):
    market.send("day", "BUY", 10, "LIMIT", limit="50")
    market.send("gtc", "BUY", 10, "LIMIT", limit="50", time_in_force="GTC")
    assert market.say("session_close") == {"expired": 1}
    assert (market.status("day"), market.status("gtc")) == ("EXPIRED", "WORKING")


def test_an_injected_rejection_is_on_record(market):
    assert market.send("a", "BUY", 10, "MARKET", injected="no")["outcome"] == "rejected"
    assert (market.status("a"), market.order("a")["reason"]) == ("REJECTED", "no")


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("submit", {"symbol": "SPY", "side": "HOLD", "quantity": 1, "type": "MARKET"}),
        ("submit", {"symbol": "SPY", "side": "BUY", "quantity": "1", "type": "MARKET"}),
        ("submit", {"symbol": "SPY", "side": "BUY", "quantity": True, "type": "MARKET"}),
        ("submit", {"symbol": 5, "side": "BUY", "quantity": 1, "type": "MARKET"}),
        ("submit", {"symbol": "S", "side": "BUY", "quantity": 1, "type": "LIMIT", "limit": 5.5}),
        ("cancel", {}),
        ("market", {"bars": []}),
        ("market", {"ts": 1, "bars": []}),
        ("market", {"ts": 2**61, "bars": [["SPY", "1", "2", "3", "1", 5]]}),
        ("market", {"ts": 2**61, "bars": ["SPY"]}),
        ("market", {"ts": 2**61, "quotes": [["SPY", "2", "1"]]}),
        ("fills", {"since": "yesterday"}),
        ("corporate_action", {"kind": "merger", "symbol": "SPY", "ex_date": "2024-01-01", "ts": 1}),
        ("nonsense", {}),
    ],
    ids=str,
)
def test_a_message_that_is_not_understood_changes_nothing(market, op, fields):
    market.send("a", "BUY", 10, "LIMIT", limit="90")
    before = [*market.store.rows("SELECT * FROM events"), *market.store.rows("SELECT * FROM meta")]
    with pytest.raises(BadRequest):
        market.say(op, **fields)
    after = [*market.store.rows("SELECT * FROM events"), *market.store.rows("SELECT * FROM meta")]
    assert after == before
    assert market.status("a") == "WORKING"


def test_a_restarted_broker_goes_on_where_it_was(market):
    market.send("held", "BUY", 10, "MARKET")
    market.send("stop", "SELL", 10, "STOP_MARKET", stop="99", pieces=2)
    before = (market.cash(), market.held(), market.broker.seq)
    market.restart()
    assert (market.cash(), market.held(), market.broker.seq) == before
    market.bar("98", "98", "98", "98")
    market.restart()
    market.bar("97", "97", "97", "97")
    assert market.prices("stop") == ["97.9902", "96.9903"]
    assert market.held() == 0


def test_events_are_numbered_without_gaps_and_kept(market):
    market.send("a", "BUY", 10, "MARKET")
    market.say("cancel", client_order_id="a")
    market.restart()
    market.send("b", "BUY", 10, "LIMIT", limit="90")
    assert [event["seq"] for event in market.told] == [1, 2, 3, 4]
    kinds = [event["event"] for event in market.told]
    assert kinds == ["order", "fill", "order", "order"]
    assert [seq for seq, _ in market.store.events(2)] == [2, 3, 4]
