"""What is refused before it is sent, and the request bodies of what is not."""

import itertools

import msgspec
import pytest

from tradingd.brokers.alpaca import bodies
from tradingd.brokers.alpaca.client import Client
from tradingd.brokers.alpaca.rules import CAPABILITIES, CLASSES, kind_refusal, refusal
from tradingd.domain.broker_requests import OrderClass, OrderRequest, TimeInForce
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Side

USD = SCALE
ENTRY = OrderRequest(
    client_order_id="paper-abc1234-000001",
    symbol="AAPL",
    side=Side.BUY,
    quantity=10,
    type=OrderType.LIMIT,
    limit=100 * USD,
)
BRACKET = {
    "order_class": OrderClass.BRACKET,
    "take_profit": 110 * USD,
    "stop_loss": 95 * USD,
}


def changed(**fields: object) -> OrderRequest:
    return msgspec.structs.replace(ENTRY, **fields)


def complete(kind: OrderType, time: TimeInForce, one: OrderClass, extended: bool) -> OrderRequest:
    """Return an order of a kind that lacks nothing."""
    limit = 100 * USD if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None
    stop = 99 * USD if kind in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT) else None
    legs: dict[str, object] = {}
    if one is OrderClass.OCO:
        legs = {"take_profit": 90 * USD, "stop_loss": 105 * USD}
        limit = None
    elif one is not OrderClass.SIMPLE:
        legs = {"stop_loss": 95 * USD}
        if one is OrderClass.BRACKET:
            legs["take_profit"] = 110 * USD
    return changed(
        type=kind,
        time_in_force=time,
        order_class=one,
        extended_hours=extended,
        limit=limit,
        stop=stop,
        trail=USD if kind is OrderType.TRAILING_STOP else None,
        **legs,
    )


KINDS = list(itertools.product(OrderType, TimeInForce, OrderClass, (False, True)))


@pytest.mark.parametrize(("kind", "time", "one", "extended"), KINDS)
def test_what_the_table_takes_has_a_body_that_alpacas_models_take(
    kind: OrderType, time: TimeInForce, one: OrderClass, extended: bool
) -> None:
    order = complete(kind, time, one, extended)
    reason = kind_refusal(kind, time, one, extended=extended)
    assert refusal(order) == reason
    if reason is None:
        assert Client.objection(bodies.order(order)) is None


def test_the_tables_cover_what_the_capabilities_promise() -> None:
    for kind in CAPABILITIES.types:
        assert kind_refusal(kind, TimeInForce.DAY, OrderClass.SIMPLE, extended=False) is None
    for time in CAPABILITIES.times_in_force:
        assert kind_refusal(OrderType.LIMIT, time, OrderClass.SIMPLE, extended=False) is None
    for one in CAPABILITIES.classes:
        assert any(
            kind_refusal(kind, TimeInForce.GTC, one, extended=False) is None
            for kind in CLASSES[one]
        )
    assert not CAPABILITIES.exits_share
    assert not CAPABILITIES.lockstep


REFUSED = {
    "no shares": (changed(quantity=0), "at least one share"),
    "part of a share": (changed(quantity=0.5), "whole shares"),
    "no limit": (changed(limit=None), "needs a limit price"),
    "limit of a market order": (changed(type=OrderType.MARKET), "has no limit price"),
    "sub-penny": (changed(limit=100_123 * USD // 1000), "more than 2 decimals"),
    "sub-penny below a dollar": (changed(limit=USD // 2 + USD // 100_000), "more than 4 decimals"),
    "negative price": (changed(limit=-USD), "must be positive"),
    "stop without price": (changed(type=OrderType.STOP_LIMIT), "needs a stop price"),
    "no trail": (changed(type=OrderType.TRAILING_STOP, limit=None), "needs either a trail"),
    "two trails": (
        changed(type=OrderType.TRAILING_STOP, limit=None, trail=USD, trail_bps=100),
        "needs either a trail",
    ),
    "trail of a limit": (changed(trail=USD), "has no trail"),
    "legs of a simple order": (changed(stop_loss=95 * USD), "must be BRACKET"),
    "bracket without target": (
        changed(order_class=OrderClass.BRACKET, stop_loss=95 * USD),
        "needs a target and a stop leg",
    ),
    "bracket upside down": (
        changed(order_class=OrderClass.BRACKET, stop_loss=95 * USD, take_profit=90 * USD),
        "must lie above",
    ),
    "stop above the entry": (
        changed(order_class=OrderClass.OTO, stop_loss=100 * USD),
        "must lie below the limit",
    ),
    "oto with both": (changed(**{**BRACKET, "order_class": OrderClass.OTO}), "either a target"),
    "oco upside down": (
        changed(order_class=OrderClass.OCO, side=Side.SELL, limit=90 * USD, stop_loss=95 * USD),
        "must lie above",
    ),
    "oco with two targets": (
        changed(
            order_class=OrderClass.OCO, side=Side.SELL, take_profit=101 * USD, stop_loss=95 * USD
        ),
        "is the price of its target",
    ),
    "limit of no stop": (changed(stop_loss_limit=95 * USD), "needs the stop leg's price"),
    "class of a share": (changed(symbol="BRK-B"), "with a dot: BRK.B"),
    "no symbol": (changed(symbol="aapl"), "not a symbol"),
    "no id": (changed(client_order_id=""), "needs a client order id"),
    "long id": (changed(client_order_id="x" * 122), "longer than Alpaca's"),
    "uuid": (changed(client_order_id="904837e3-3b76-47ec-b432-046db621571b"), "UUID"),
    "id of a change": (changed(client_order_id="a~1"), "change or a leg"),
    "id of a leg": (changed(client_order_id="a/sl"), "change or a leg"),
}


@pytest.mark.parametrize(("order", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_an_order_that_makes_no_sense_is_refused_with_the_reason(
    order: OrderRequest, words: str
) -> None:
    assert words in (refusal(order) or "")


def test_amounts_are_exact_decimal_texts() -> None:
    body = bodies.order(changed(limit=100_120_000_000, quantity=7, symbol="BRK.B"))
    assert body == {
        "symbol": "BRK.B",
        "qty": "7",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "limit_price": "100.12",
        "client_order_id": "paper-abc1234-000001",
    }
    assert bodies.money(500_100_000) == "0.5001"
    assert bodies.money(-1) == "-0.000000001"
    trail = changed(type=OrderType.TRAILING_STOP, limit=None, trail_bps=125)
    assert bodies.order(trail)["trail_percent"] == "1.25"


def test_a_bracket_and_an_oco_carry_their_legs() -> None:
    bracket = bodies.order(changed(**BRACKET, stop_loss_limit=94 * USD))
    assert bracket["take_profit"] == {"limit_price": "110"}
    assert bracket["stop_loss"] == {"stop_price": "95", "limit_price": "94"}
    oco = bodies.order(
        changed(side=Side.SELL, order_class=OrderClass.OCO, limit=110 * USD, stop_loss=95 * USD)
    )
    assert oco["order_class"] == "oco"
    assert oco["take_profit"] == {"limit_price": "110"}
    assert "limit_price" not in oco


def test_a_body_that_alpacas_models_do_not_know_is_objected_to() -> None:
    body = bodies.order(ENTRY)
    assert Client.objection({**body, "type": "iceberg"})
    assert "drops" in (Client.objection({**body, "surprise": "1"}) or "")
    assert Client.change_objection({"qty": "0"})
    assert Client.change_objection(bodies.change("a~1", quantity=5, limit=USD, stop=None)) is None
