import pytest

from tradingd.simbroker.amounts import BadRequest


@pytest.fixture
def market(bench):
    bench.bar("90", "90", "90", "90")
    return bench


def act(market, kind, ex_date="2023-11-21", **fields):
    return market.say(
        "corporate_action", kind=kind, symbol="SPY", ex_date=ex_date, ts=market.ts + 1, **fields
    )


def split(market, up, down, ex_date="2023-11-21"):
    return act(market, "split", ex_date, numerator=up, denominator=down)


def test_a_split_multiplies_the_position_and_divides_price_and_cost(market):
    market.send("a", "BUY", 10, "MARKET")
    equity = market.say("account")["equity"]
    split(market, 3, 1)
    assert market.held() == 30
    assert market.say("positions")["positions"][0]["average_price"] == "30.003"
    assert market.say("account")["equity"] == equity
    adjustment = market.told[-1]["adjustment"]
    assert (adjustment["shares"], adjustment["cash"]) == (20, "0")
    assert (adjustment["numerator"], adjustment["denominator"]) == (3, 1)


@pytest.mark.parametrize(("side", "held", "cash"), [("BUY", 2, "45"), ("SELL", -2, "-45")])
def test_a_fraction_of_a_reverse_split_is_paid_in_cash(market, side, held, cash):
    market.send("a", side, 5, "MARKET")
    before = float(market.cash())
    split(market, 1, 2)
    assert market.held() == held
    # half a new share of 180 dollars
    assert market.told[-1]["adjustment"]["cash"] == str(2 * int(cash))
    assert float(market.cash()) == pytest.approx(before + 2 * int(cash))


def test_a_split_restates_what_is_not_filled_of_working_orders(market):
    market.send("a", "SELL", 10, "STOP_MARKET", stop="80.01", pieces=2)
    market.bar("80", "80", "80", "80")
    market.send("b", "BUY", 10, "LIMIT", limit="50")
    split(market, 3, 1)
    assert (market.order("a")["filled"], market.order("a")["quantity"]) == (5, 20)
    assert (market.order("a")["stop"], market.order("b")["limit"]) == ("26.67", "16.67")
    assert market.order("b")["quantity"] == 30


def test_an_order_of_less_than_a_share_after_a_split_is_cancelled(market):
    market.send("a", "BUY", 1, "LIMIT", limit="50")
    split(market, 1, 2)
    assert market.status("a") == "CANCELED"


def test_a_dividend_pays_longs_and_charges_shorts(market):
    market.send("a", "BUY", 10, "MARKET")
    act(market, "dividend", amount="0.25")
    assert market.told[-1]["adjustment"]["cash"] == "2.5"
    market.send("b", "SELL", 30, "MARKET")
    act(market, "dividend", "2024-02-21", amount="0.25")
    assert market.told[-1]["adjustment"]["cash"] == "-5"


def test_an_action_told_again_changes_nothing_even_after_a_restart(market):
    market.send("a", "BUY", 10, "MARKET")
    assert split(market, 2, 1) == {"applied": True}
    market.restart()
    assert split(market, 2, 1) == {"applied": False}
    assert market.held() == 20
    assert len(market.say("adjustments")["adjustments"]) == 1


def test_an_action_that_concerns_nobody_tells_nothing_but_restates_the_price(market):
    split(market, 2, 1)
    assert market.told == []
    market.send("a", "BUY", 10, "MARKET")
    assert market.prices("a") == ["45.0045"]


def test_a_rename_moves_the_position_and_cancels_orders(market):
    market.send("a", "BUY", 10, "MARKET")
    market.send("b", "BUY", 10, "LIMIT", limit="50")
    fields = {"symbol": "NEW", "old_symbol": "SPY", "ex_date": "2023-11-21", "ts": market.ts}
    market.say("corporate_action", kind="rename", **fields)
    assert (market.held("SPY"), market.held("NEW")) == (0, 10)
    assert market.status("b") == "CANCELED"
    assert market.say("account")["equity"] == "99998.91"


def test_a_delisting_cancels_orders_and_keeps_the_position(market):
    market.send("a", "BUY", 10, "MARKET")
    market.send("b", "SELL", 10, "LIMIT", limit="500")
    act(market, "delisting")
    assert (market.held(), market.status("b")) == (10, "CANCELED")


def test_a_correction_by_hand_is_told_and_booked(market):
    market.say("adjust", kind="borrow", symbol="SPY", cash="-1.25")
    market.say("adjust", kind="transfer", symbol="SPY", shares=7)
    assert (market.cash(), market.held()) == ("99998.75", 7)
    assert [event["adjustment"]["shares"] for event in market.told] == [0, 7]


def test_a_split_ratio_that_makes_no_sense_is_refused_and_may_be_told_right_later(market):
    with pytest.raises(BadRequest, match="ratio"):
        split(market, 0, 1)
    assert split(market, 2, 1) == {"applied": True}
