"""Domain -> Alpaca: the bodies of orders and changes, every number an exact decimal text."""

from typing import Final

from tradingd.brokers.alpaca.rules import target_of
from tradingd.domain.broker_requests import OrderClass, OrderRequest
from tradingd.domain.money import SCALE, Nanos
from tradingd.domain.orders import OrderType

TYPES: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP_MARKET: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
    OrderType.TRAILING_STOP: "trailing_stop",
}

_BPS_OF_A_PERCENT: Final = 100

type Body = dict[str, object]


def order(wanted: OrderRequest) -> Body:
    """Return the body of an order that the rules have let through."""
    body: Body = {
        "symbol": wanted.symbol,
        "qty": str(wanted.quantity),
        "side": wanted.side.value.lower(),
        "type": TYPES[wanted.type],
        "time_in_force": wanted.time_in_force.value.lower(),
        "client_order_id": wanted.client_order_id,
    }
    if wanted.order_class is not OrderClass.OCO:
        _price(body, "limit_price", wanted.limit)
    _price(body, "stop_price", wanted.stop)
    _price(body, "trail_price", wanted.trail)
    if wanted.trail_bps is not None:
        body["trail_percent"] = money(wanted.trail_bps * SCALE // _BPS_OF_A_PERCENT)
    if wanted.extended_hours:
        body["extended_hours"] = True
    if wanted.order_class is not OrderClass.SIMPLE:
        body["order_class"] = wanted.order_class.value.lower()
        _legs(body, wanted)
    return body


def change(
    client_order_id: str, *, quantity: int | None, limit: Nanos | None, stop: Nanos | None
) -> Body:
    """Return the body of a change; None leaves a value as it is.

    Without `qty` Alpaca would begin the new order with the whole quantity of the old one, whatever
    has filled: it is left out only where Alpaca does not take it (legs).
    """
    body: Body = {"client_order_id": client_order_id}
    if quantity is not None:
        body["qty"] = str(quantity)
    _price(body, "limit_price", limit)
    _price(body, "stop_price", stop)
    return body


def money(amount: Nanos) -> str:
    """Write an amount as the shortest exact decimal text."""
    whole, fraction = divmod(abs(amount), SCALE)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction:09d}".rstrip("0").rstrip(".")


def _price(body: Body, name: str, price: Nanos | None) -> None:
    if price is not None:
        body[name] = money(price)


def _legs(body: Body, wanted: OrderRequest) -> None:
    target = target_of(wanted)
    if target is not None:
        body["take_profit"] = {"limit_price": money(target)}
    if wanted.stop_loss is not None:
        stop: Body = {"stop_price": money(wanted.stop_loss)}
        _price(stop, "limit_price", wanted.stop_loss_limit)
        body["stop_loss"] = stop
