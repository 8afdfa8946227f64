"""Orders and executions as a finding says them."""

from tradingd.domain.broker_reports import BrokerOrder
from tradingd.domain.money import Nanos, price_text
from tradingd.orders import naming


def owner_of(instance: str, client_order_id: str) -> str:
    """Return ``ours`` for an id that this instance makes, else ``manual``."""
    return "ours" if naming.ours(instance, client_order_id) else "manual"


def order_text(order: BrokerOrder) -> str:
    """Return what is left of a working order, with its prices and id."""
    prices = "".join(f" {price_text(price)}" for price in (order.limit, order.stop) if price)
    return (
        f"{order.side} {order.quantity - order.filled} {order.symbol} {order.type}{prices}"
        f" ({order.client_order_id or order.broker_order_id})"
    )


def terms_text(what: tuple[str, str, str, int], prices: tuple[Nanos | None, Nanos | None]) -> str:
    """Return the terms of an order: symbol, side, type, quantity, limit and stop."""
    symbol, side, kind, quantity = what
    texts = [price_text(price) for price in prices if price is not None]
    return " ".join((side, str(quantity), symbol, kind, *texts))


def fill_text(what: tuple[str, str, int, Nanos]) -> str:
    """Return an execution: symbol, side, quantity, price."""
    symbol, side, quantity, price = what
    return f"{side} {quantity} {symbol} at {price_text(price)}"
