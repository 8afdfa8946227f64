"""Whatever verb a strategy uses, its order meets the gate, and a denial stands in the result.

The limit is 10,000 dollars an order; at a price of 100 that is 100 shares.
"""

from pathlib import Path

import pytest
from nautilus_trader.model import (
    ClientOrderId,
    ExecAlgorithmId,
    OrderSide,
    Price,
    Quantity,
    TriggerType,
)
from nautilus_trader.trading import Strategy as EngineStrategy

from tests.integration.limits.limit_kit import SCRIPTS, Result, Script, make_store, run
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure

LIMIT = "risk.max_order_value=10000"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    make_store(folder / "history")
    return folder


def ran(home: Path, script: Script, *overrides: str) -> Result:
    name = f"verbs-{len(SCRIPTS)}"
    SCRIPTS[name] = script
    return run(home, name, *(overrides or (LIMIT,)))


def flat(s):
    return next(one for one in s.cache.instrument_ids() if one.symbol.value == "FLAT")


def shares(quantity: int) -> Quantity:
    return Quantity.from_int(quantity)


def market(s, quantity, side=OrderSide.BUY, **options):
    return s.order_factory.market(flat(s), side, shares(quantity), tags=["native"], **options)


def limit(s, quantity, side=OrderSide.BUY, price=100.0):
    return s.order_factory.limit(flat(s), side, shares(quantity), Price(price, 2), tags=["native"])


def stop(s, quantity):
    return s.order_factory.stop_market(
        flat(s), OrderSide.BUY, shares(quantity), Price(101.0, 2), tags=["native"]
    )


def stop_limit(s, quantity):
    return s.order_factory.stop_limit(
        flat(s), OrderSide.BUY, shares(quantity), Price(101.0, 2), Price(101.0, 2), tags=["native"]
    )


def bracket(s, quantity):
    return s.order_factory.bracket(
        flat(s),
        OrderSide.BUY,
        shares(quantity),
        tp_price=Price(110.0, 2),
        sl_trigger_price=Price(90.0, 2),
        entry_tags=["native"],
        tp_tags=["target"],
        sl_tags=["stop"],
    )


SENDERS = {
    "enter": lambda s, n: s.enter("FLAT", Side.BUY, n, reason="native"),
    "enter_limit": lambda s, n: s.enter("FLAT", Side.BUY, n, reason="native", limit=100),
    "enter_short": lambda s, n: s.enter("FLAT", Side.SELL, n, reason="native"),
    "submit_market": lambda s, n: s.submit_order(market(s, n)),
    "submit_short": lambda s, n: s.submit_order(market(s, n, OrderSide.SELL)),
    "submit_reduce_only": lambda s, n: s.submit_order(market(s, n, reduce_only=True)),
    "submit_limit": lambda s, n: s.submit_order(limit(s, n)),
    "submit_bracket": lambda s, n: s.submit_order_list(bracket(s, n)),
    "submit_list_of_one": lambda s, n: s.submit_order_list([market(s, n)]),
}

every_sender = pytest.mark.parametrize("send", SENDERS.values(), ids=SENDERS)


@every_sender
def test_an_order_over_the_limit_is_denied_by_whatever_verb_it_is_sent(home, send):
    result = ran(home, {1: lambda s: send(s, 101)})
    order = result.order("native")
    assert (order["status"], order["denied_by"]) == ("DENIED", "max_order_value")
    assert {one["limit"] for one in result.denials} == {"max_order_value"}
    assert result.fills == []
    assert result.metrics["denials"]["max_order_value"] >= 1


@every_sender
def test_the_same_verb_sends_an_order_at_the_limit(home, send):
    result = ran(home, {1: lambda s: send(s, 100)})
    assert result.denials == []
    assert result.order("native")["status"] in ("FILLED", "CANCELED")


@pytest.mark.parametrize("make", [stop, stop_limit], ids=["stop_market", "stop_limit"])
def test_resting_orders_are_judged_at_the_price_they_may_trade_at(home, make):
    # 99 x 101 = 9,999; 100 x 101 = 10,100
    result = ran(
        home, {1: lambda s: s.submit_order(make(s, 99)), 2: lambda s: s.submit_order(make(s, 100))}
    )
    assert [one["status"] for one in result.orders if one["denied_by"]] == ["DENIED"]
    assert [one["quantity"] for one in result.orders if not one["denied_by"]] == [99]


def enlarge(s):
    s.modify_order(s.kept["order"].client_order_id, shares(102))


def enlarge_with_others(s):
    s.modify_orders([(s.kept["order"].client_order_id, shares(102), None, None)])


def dearer(s):
    s.modify_order(s.kept["order"].client_order_id, price=Price(99.5, 2))


def rest(s, quantity, price):
    s.kept["order"] = limit(s, quantity, price=price)
    s.submit_order(s.kept["order"])


@pytest.mark.parametrize(
    "change", [enlarge, enlarge_with_others], ids=["modify_order", "modify_orders"]
)
def test_a_working_order_cannot_grow_over_the_limit(home, change):
    # 101 x 99 = 9,999 rests below the market; 102 x 99 = 10,098
    result = ran(home, {1: lambda s: rest(s, 101, 99.0), 3: change})
    assert [one["limit"] for one in result.denials] == ["max_order_value"]
    assert result.order("native")["quantity"] == 101


def test_a_working_order_cannot_become_too_dear(home):
    # 101 x 99.50 = 10,049.50
    result = ran(home, {1: lambda s: rest(s, 101, 99.0), 3: dearer})
    assert [one["observed"] for one in result.denials] == ["10,049.50 USD"]
    assert result.order("native")["limit_price"] == 99


WAYS_OUT = {
    "exit": lambda s: s.exit("FLAT", reason="out"),
    "close_position": lambda s: s.close_position(s.cache.positions_open()[0]),
    "close_all_positions": lambda s: s.close_all_positions(flat(s)),
    "market_exit": lambda s: s.market_exit(),
    "submit_opposite": lambda s: s.submit_order(market(s, 100, OrderSide.SELL)),
}


@pytest.mark.parametrize("leave", WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_reduction_passes_when_no_entry_would(home, leave):
    # one order a minute: the entry takes it, and another entry in that minute is denied
    result = ran(
        home,
        {
            2: lambda s: s.enter("FLAT", Side.BUY, 100, reason="in"),
            # 60 s later the first order has left the window
            3: lambda s: [
                s.enter("CALM", Side.BUY, 1, reason="second"),
                s.enter("CALM", Side.BUY, 1, reason="third"),
                leave(s),
            ],
        },
        "risk.orders_per_minute=1",
    )
    assert [one["reason"] for one in result.orders if one["denied_by"]] == ["third"]
    (out,) = [one for one in result.orders if one["purpose"] == "EXIT"]
    assert (out["quantity"], out["status"]) == (100, "FILLED")
    assert result.fills[-1]["position_after"] == 0


OVERSIZED = {
    "submit_opposite": lambda s: s.submit_order(market(s, 201, OrderSide.SELL)),
    "reduce_only": lambda s: s.submit_order(market(s, 201, OrderSide.SELL, reduce_only=True)),
    "enter_opposite": lambda s: s.enter("FLAT", Side.SELL, 201, reason="native"),
    "limit_opposite": lambda s: s.submit_order(limit(s, 201, OrderSide.SELL)),
}


@pytest.mark.parametrize("turn", OVERSIZED.values(), ids=OVERSIZED)
def test_an_order_that_turns_the_position_is_no_reduction(home, turn):
    result = ran(home, {1: lambda s: s.enter("FLAT", Side.BUY, 100, reason="in"), 3: turn})
    assert result.order("native")["denied_by"] == "max_order_value"
    assert [one["position_after"] for one in result.fills] == [100]


def test_one_exit_more_than_there_are_shares_is_no_reduction(home):
    def twice(s):
        s.submit_order(market(s, 100, OrderSide.SELL))
        s.submit_order(market(s, 101, OrderSide.SELL))

    result = ran(home, {1: lambda s: s.enter("FLAT", Side.BUY, 100, reason="in"), 3: twice})
    assert [one["quantity"] for one in result.orders if one["denied_by"]] == [101]
    assert result.fills[-1]["position_after"] == 0


def round_the_desk(s):
    """Send an order with the engine's own verb, past every override of ours."""
    EngineStrategy.submit_order(s, market(s, 1_000))


def test_an_order_slipped_past_the_desk_fails_the_run_instead_of_flattering_it(home):
    with pytest.raises(Failure) as raised:
        ran(home, {1: round_the_desk})
    assert raised.value.code is ExitCode.ENGINE_FAILED


def test_the_default_profile_denies_an_entry_without_a_stop_whatever_the_verb(home):
    result = ran(home, {6: lambda s: s.submit_order(market(s, 1))}, "risk=default")
    assert "require_stop" in result.order("native")["denied_by"].split(",")


def test_emulated_orders_are_gated_too(home):
    def send(s):
        s.submit_order(
            s.order_factory.limit(
                flat(s),
                OrderSide.BUY,
                shares(101),
                Price(100.0, 2),
                emulation_trigger=TriggerType.LAST_PRICE,
                tags=["native"],
            )
        )

    result = ran(home, {1: send})
    assert result.order("native")["denied_by"] == "max_order_value"


def resting_exit(s, price, quantity=100):
    order = s.order_factory.limit(
        sway(s),
        OrderSide.SELL,
        shares(quantity),
        Price(price, 2),
        reduce_only=True,
        tags=[f"target {price:g}"],
    )
    s.kept["order"] = order
    s.submit_order(order)


def sway(s):
    return next(one for one in s.cache.instrument_ids() if one.symbol.value == "SWAY")


def stop_exit(s, price):
    s.submit_order(
        s.order_factory.stop_market(
            sway(s),
            OrderSide.SELL,
            shares(100),
            Price(price, 2),
            reduce_only=True,
            tags=[f"stop {price:g}"],
        )
    )


def hold_sway(s):
    s.enter("SWAY", Side.BUY, 100, reason="in")


# SWAY rises to 110 in minute 6 and falls to 89.80 in minute 7.
SLY_EXITS: dict[str, Script] = {
    "two_targets": {
        1: hold_sway,
        3: lambda s: [resting_exit(s, 105.0), resting_exit(s, 106.0)],
    },
    "two_stops": {1: hold_sway, 3: lambda s: [stop_exit(s, 95.0), stop_exit(s, 94.0)]},
    "target_left_behind": {
        1: hold_sway,
        3: lambda s: resting_exit(s, 105.0),
        4: lambda s: s.exit("SWAY", reason="out"),
    },
    "enlarged_target": {
        1: hold_sway,
        3: lambda s: resting_exit(s, 105.0),
        4: lambda s: s.modify_order(s.kept["order"].client_order_id, shares(500)),
    },
}


@pytest.mark.parametrize("script", SLY_EXITS.values(), ids=SLY_EXITS)
def test_orders_that_passed_as_exits_never_turn_the_position(home, script):
    result = ran(home, script, "broker.account=cash")
    assert min(fill["position_after"] for fill in result.fills) == 0


def test_a_resting_exit_that_is_not_tied_to_the_position_is_denied(home):
    def loose(s):
        s.submit_order(
            s.order_factory.limit(
                sway(s), OrderSide.SELL, shares(100), Price(105.0, 2), tags=["loose"]
            )
        )

    result = ran(home, {1: hold_sway, 3: loose})
    assert result.order("loose")["denied_by"] == "reduce_only"
    assert [fill["side"] for fill in result.fills] == ["BUY"]


@pytest.mark.parametrize(
    "limit_word", ["risk.position_percent=6", "risk.max_trades_per_day=1"], ids=["size", "count"]
)
def test_the_orders_of_a_list_count_together(home, limit_word):
    # 50 x 100 are 5 % of equity, twice that 10 %
    result = ran(
        home, {1: lambda s: s.submit_order_list([market(s, 50), market(s, 50)])}, limit_word
    )
    assert sum(fill["quantity"] for fill in result.fills) <= 50


def test_a_stop_cannot_be_moved_to_a_loss_that_no_entry_may_carry(home):
    # 100 x (100 - 96) = 400 is allowed, 100 x (100 - 50) = 5,000 is not
    result = ran(
        home,
        {
            1: lambda s: s.enter("FLAT", Side.BUY, 100, reason="in", stop=96),
            3: lambda s: s.move_stop("FLAT", 50, reason="wider"),
        },
        "risk.risk_per_trade_percent=0.4",
    )
    assert [one["limit"] for one in result.denials] == ["risk_per_trade_percent"]


def enter_guarded(s):
    s.enter("FLAT", Side.BUY, 100, reason="in", stop=96)


def guarded_bracket(s):
    legs = s.order_factory.bracket(
        flat(s),
        OrderSide.BUY,
        shares(100),
        tp_price=Price(120.0, 2),
        sl_trigger_price=Price(96.0, 2),
        entry_tags=["in"],
        sl_tags=["stop"],
    )
    s.submit_order_list(legs)
    s.kept["stop"] = next(leg for leg in legs if "stop" in (leg.tags or []))


def widen(s, order_id):
    s.modify_order(order_id, trigger_price=Price(50.0, 2))


# 100 x (100 - 96) = 400 is what the limit allows; at 50 it would be 5,000
WIDENED: dict[str, Script] = {
    "by_changing_the_stop_order": {
        1: enter_guarded,
        3: lambda s: widen(s, ClientOrderId("O-000002")),
    },
    "by_changing_a_brackets_stop": {
        1: guarded_bracket,
        3: lambda s: widen(s, s.kept["stop"].client_order_id),
    },
    "before_the_entry_fills": {
        1: lambda s: [enter_guarded(s), s.move_stop("FLAT", 50, reason="wider")]
    },
    "by_another_entry": {
        1: enter_guarded,
        3: lambda s: s.enter("FLAT", Side.BUY, 1, reason="more", stop=50),
    },
}


@pytest.mark.parametrize("script", WIDENED.values(), ids=WIDENED)
def test_no_verb_widens_a_stop_beyond_the_risk_of_a_trade(home, script):
    result = ran(home, script, "risk.risk_per_trade_percent=0.4")
    assert min(one["stop_price"] for one in result.orders if one["purpose"] == "PROTECT") == 96


def test_an_exit_cannot_be_moved_to_where_it_gives_money_away(home):
    result = ran(
        home,
        {
            1: hold_sway,
            3: lambda s: resting_exit(s, 100.5),
            4: lambda s: s.modify_order(s.kept["order"].client_order_id, price=Price(50.0, 2)),
        },
        "risk.collar_percent=1",
    )
    assert [one["limit"] for one in result.denials] == ["collar_percent"]


@pytest.mark.parametrize(
    "options",
    [
        {"emulation_trigger": TriggerType.LAST_PRICE},
        {"exec_algorithm_id": ExecAlgorithmId("TWAP")},
    ],
    ids=["emulated", "algorithm"],
)
def test_an_order_that_nobody_would_place_is_refused_aloud(home, options):
    def send(s):
        s.submit_order(
            s.order_factory.limit(
                flat(s), OrderSide.BUY, shares(1), Price(100.0, 2), tags=["native"], **options
            )
        )

    try:
        status = ran(home, {1: send}).order("native")["status"]
    except Failure as failure:
        status = failure.code.name
    assert status in ("DENIED", "REJECTED", "STRATEGY_FAILED")


@pytest.mark.parametrize("again", [1, 4], ids=["at_once", "after_its_fill"])
def test_an_order_that_was_sent_is_not_sent_again(home, again):
    def keep(s):
        s.kept["order"] = market(s, 10)
        s.submit_order(s.kept["order"])

    def repeat(s):
        s.submit_order(s.kept["order"])

    script = {1: lambda s: [keep(s), repeat(s)]} if again == 1 else {1: keep, again: repeat}
    result = ran(home, script)
    assert [one["status"] for one in result.orders if one["status"] != "DENIED"] == ["FILLED"]
