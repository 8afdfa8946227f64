"""The engine's own order verbs pass the same gate and leave the same records."""

import msgspec
import pytest
from nautilus_trader.model import OrderSide, PositionSide, Price, Quantity

from tests.integration.engine.engine_kit import OPEN, Script, daily, simulate
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
BARS = [
    (100, 101, 99, 100.5),
    (101, 103, 100, 102),
    (102.5, 104, 95, 96),
    (90, 92, 88, 91),
    (91, 93, 90, 92),
]
ROWS = daily("AAA", DAYS, BARS)
SMALL = msgspec.structs.replace(OPEN, max_order_value=10_000)


def instrument(s):
    return s.cache.instrument_ids()[0]


def market(s, side, quantity, tags=None):
    return s.order_factory.market(instrument(s), side, Quantity.from_int(quantity), tags=tags)


def bracket(s, quantity=10):
    return s.order_factory.bracket(
        instrument(s),
        OrderSide.BUY,
        Quantity.from_int(quantity),
        tp_price=Price(103.5, 2),
        sl_trigger_price=Price(97, 2),
        entry_tags=["bracket"],
        tp_tags=["target"],
        sl_tags=["stop"],
    )


def test_submit_order_fills_like_enter_and_keeps_its_tag_as_reason():
    ran = simulate(
        Script({0: lambda s: s.submit_order(market(s, OrderSide.BUY, 10, ["why"]))}), ROWS
    )
    (order,) = ran.tables.orders
    assert (order.reason, order.status, order.purpose) == ("why", "FILLED", "ENTRY")
    assert order.average_price == nanos("101")


def test_a_denied_native_order_is_denied_in_the_engine_too():
    sent = []

    def step(s):
        sent.append(market(s, OrderSide.BUY, 1_000))
        s.submit_order(sent[0])

    ran = simulate(Script({0: step}), ROWS, limits=SMALL)
    (order,) = ran.tables.orders
    assert (order.status, order.denied_by) == ("DENIED", "max_order_value")
    assert str(sent[0].status) == "DENIED"
    assert [denial.limit for denial in ran.tables.denials] == ["max_order_value"]


def test_a_bracket_closes_by_its_target_and_cancels_its_stop():
    ran = simulate(Script({0: lambda s: s.submit_order_list(bracket(s))}), ROWS)
    found = {order.reason: (order.status, order.purpose) for order in ran.tables.orders}
    assert found == {
        "bracket": ("FILLED", "ENTRY"),
        "target": ("FILLED", "EXIT"),
        "stop": ("CANCELED", "PROTECT"),
    }
    assert [fill.price for fill in ran.tables.fills] == [nanos("101"), nanos("103.5")]


def test_a_denied_bracket_is_denied_whole():
    ran = simulate(
        Script({0: lambda s: s.submit_order_list(bracket(s, 1_000))}), ROWS, limits=SMALL
    )
    assert [order.status for order in ran.tables.orders] == ["DENIED"] * 3
    assert ran.tables.fills == []


@pytest.mark.parametrize(
    "close",
    [
        lambda s: s.close_all_positions(instrument(s)),
        lambda s: s.close_all_positions(instrument(s), PositionSide.LONG),
        lambda s: s.close_position(s.cache.positions_open()[0]),
        lambda s: s.market_exit(),
        lambda s: s.submit_order(market(s, OrderSide.SELL, 10)),
    ],
    ids=["close_all", "close_all_long", "close_position", "market_exit", "submit"],
)
def test_every_way_to_close_goes_through_the_desk(close):
    ran = simulate(
        Script({0: lambda s: s.enter("AAA", Side.BUY, 10, reason="in", stop=80), 1: close}), ROWS
    )
    exits = [order for order in ran.tables.orders if order.purpose == "EXIT"]
    assert [(order.quantity, order.status) for order in exits] == [(10, "FILLED")]
    assert ran.outcome.open_positions == 0
    assert ran.tables.fills[-1].price == nanos("102.5")


def test_closing_the_other_side_does_nothing():
    ran = simulate(
        Script(
            {
                0: lambda s: s.enter("AAA", Side.BUY, 10, reason="in"),
                1: lambda s: s.close_all_positions(instrument(s), PositionSide.SHORT),
            }
        ),
        ROWS,
    )
    assert ran.outcome.open_positions == 1


def limit_of_99(s):
    order = s.order_factory.limit(
        instrument(s), OrderSide.BUY, Quantity.from_int(10), Price(99, 2), tags=["dip"]
    )
    s.said.append(order.client_order_id)
    s.submit_order(order)


def test_modify_order_changes_price_and_quantity():
    def change(s):
        s.modify_order(s.said[0], Quantity.from_int(7), Price(98, 2))

    ran = simulate(Script({0: limit_of_99, 1: change}), ROWS)
    (fill,) = ran.tables.fills
    assert (fill.quantity, fill.price) == (7, nanos("98"))


def test_a_change_that_the_gate_denies_leaves_the_order_as_it_was():
    def enlarge(s):
        s.modify_order(s.said[0], Quantity.from_int(1_000))

    ran = simulate(Script({0: limit_of_99, 1: enlarge}), ROWS, limits=SMALL)
    assert [denial.limit for denial in ran.tables.denials] == ["max_order_value"]
    assert [fill.quantity for fill in ran.tables.fills] == [10]


@pytest.mark.parametrize(
    "cancel",
    [
        lambda s: s.cancel_order(s.said[0]),
        lambda s: s.cancel_orders([s.said[0]]),
        lambda s: s.cancel_all_orders(instrument(s)),
        lambda s: s.cancel("O-000001"),
    ],
    ids=["cancel_order", "cancel_orders", "cancel_all", "cancel"],
)
def test_every_way_to_cancel_works(cancel):
    ran = simulate(Script({0: limit_of_99, 1: cancel}), ROWS)
    assert [(order.status, order.filled_quantity) for order in ran.tables.orders] == [
        ("CANCELED", 0)
    ]


def test_an_order_type_that_the_gate_does_not_know_is_refused():
    from tradingd.kits.failure import Failure

    def step(s):
        s.submit_order(
            s.order_factory.market_to_limit(instrument(s), OrderSide.BUY, Quantity.from_int(1))
        )

    with pytest.raises(Failure, match="not supported"):
        simulate(Script({0: step}), ROWS)


def test_our_denied_entry_returns_none_and_is_no_trade():
    script = Script({0: lambda s: s.enter("AAA", Side.BUY, 1_000, reason="too big")})
    ran = simulate(script, ROWS, limits=SMALL)
    assert script.said == [None]
    assert ran.outcome.denials == 1
    assert ran.outcome.gate_counts["max_order_value"] == (1, 1)
