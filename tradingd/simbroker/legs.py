"""The exits that come with an order: what a submit message says of them."""

from collections.abc import Mapping

from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.orders import (
    BUY,
    DAY,
    ENTRY,
    GTC,
    HELD,
    LIMIT,
    SELL,
    STOP_LIMIT,
    STOP_LOSS,
    STOP_MARKET,
    TARGET,
    Order,
    price_field,
    text_field,
)

_CLASSES = {"BRACKET": 2, "OTO": 1, "OCO": 1}
"""How many legs come with the order itself, which is the target of an OCO."""


def read_legs(order: Order, message: Mapping[str, object]) -> tuple[list[Order], str]:
    """Return the legs of an order, tied to it, and why they are not acceptable (empty: they are).

    Raises
    ------
    BadRequest
        When a field is missing or of the wrong kind.
    """
    name = text_field(message, "order_class", default="SIMPLE")
    items = message.get("legs", [])
    if not isinstance(items, list) or name not in ("SIMPLE", *_CLASSES):
        raise BadRequest("legs must be a list, order_class SIMPLE, BRACKET, OTO or OCO")
    legs = [_leg(order, item, held=name != "OCO") for item in items]
    if len(legs) != _CLASSES.get(name, 0):
        return [], f"{name} with {len(legs)} legs"
    if not legs:
        return [], ""
    order.group_id = text_field(message, "group_id")
    order.role = TARGET if name == "OCO" else ENTRY
    for leg in legs:
        leg.group_id = order.group_id
    return legs, _objection(order, name, legs)


def _leg(order: Order, item: object, *, held: bool) -> Order:
    if not isinstance(item, Mapping):
        raise BadRequest("a leg must be an object")
    leg = Order()
    leg.client_order_id = text_field(item, "client_order_id", default="")
    leg.limit_price, leg.stop_price = price_field(item, "limit"), price_field(item, "stop")
    leg.role = TARGET if leg.stop_price is None else STOP_LOSS
    stop_type = STOP_MARKET if leg.limit_price is None else STOP_LIMIT
    leg.type = LIMIT if leg.role == TARGET else stop_type
    leg.symbol, leg.quantity = order.symbol, order.quantity
    opposite = SELL if order.side == BUY else BUY
    leg.side = opposite if held else order.side
    leg.time_in_force = order.time_in_force
    if held:
        leg.status = HELD
    return leg


def _objection(order: Order, name: str, legs: list[Order]) -> str:
    roles = sorted(leg.role for leg in legs)
    if name == "BRACKET" and roles != [STOP_LOSS, TARGET]:
        return "a BRACKET needs a target and a stop"
    if name == "OCO" and (order.type != LIMIT or roles != [STOP_LOSS]):
        return "an OCO is a LIMIT order with a stop"
    if order.time_in_force not in (DAY, GTC) or order.extended:
        return f"a {name} is DAY or GTC, in regular hours"
    return ""
