"""Between our tickets and the engine's order objects."""

from typing import Any, Final

from nautilus_trader.common import OrderFactory
from nautilus_trader.core import UUID4
from nautilus_trader.model import ClientOrderId, OrderDenied, OrderSide
from nautilus_trader.model import OrderType as EngineOrderType

from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.engine.ticket import Ticket
from tradingd.engine.units import SIDES, nanos_of, price, shares
from tradingd.engine.venue import instrument_id

_TYPES: Final = {
    EngineOrderType.MARKET: OrderType.MARKET,
    EngineOrderType.LIMIT: OrderType.LIMIT,
    EngineOrderType.STOP_MARKET: OrderType.STOP_MARKET,
    EngineOrderType.STOP_LIMIT: OrderType.STOP_LIMIT,
    EngineOrderType.TRAILING_STOP_MARKET: OrderType.STOP_MARKET,
}
NO_REASON: Final = "no reason given"


def engine_order(ticket: Ticket, factory: OrderFactory) -> Any:
    """Return a new engine order for what is left of a ticket."""
    common: dict[str, Any] = {
        "instrument_id": instrument_id(ticket.symbol),
        "order_side": SIDES[ticket.side],
        "quantity": shares(ticket.leaves),
        "reduce_only": ticket.reduces,
        "client_order_id": ClientOrderId(ticket.next_engine_id()),
    }
    if ticket.disguised and ticket.stop is not None:
        return factory.limit(price=price(any_price(ticket.side, ticket.stop)), **common)
    stop = None if ticket.elected or ticket.stop is None else price(ticket.stop)
    if ticket.limit is None:
        if stop is None:
            return factory.market(**common)
        return factory.stop_market(trigger_price=stop, **common)
    if stop is None:
        return factory.limit(price=price(ticket.limit), **common)
    return factory.stop_limit(price=price(ticket.limit), trigger_price=stop, **common)


def any_price(side: Side, stop: Nanos) -> Nanos:
    """Return a limit that no fill of a stop is worse than, whatever the slippage."""
    return 4 * stop if side is Side.BUY else 1


def side_of(order: Any) -> Side:
    """Return the side of an engine order."""
    return Side.BUY if order.side == OrderSide.BUY else Side.SELL


def type_of(order: Any) -> OrderType:
    """Return our type of an engine order.

    Raises
    ------
    ValueError
        For types that the gate and the fill model do not know.
    """
    known = _TYPES.get(order.order_type)
    if known is None:
        raise ValueError(f"orders of type {order.order_type} are not supported")
    return known


def reason_of(order: Any) -> str:
    """Return the reason of a native order: its first tag."""
    tags = order.tags
    return str(tags[0]) if tags else NO_REASON


def purpose_of(order: Any, position: int) -> Purpose:
    """Tell what a native order is for: whatever only reduces the position is no entry."""
    child = order.parent_order_id is not None
    reduces = position * side_of(order).sign < 0 and int(order.quantity) <= abs(position)
    if not (child or reduces or order.is_reduce_only):
        return Purpose.ENTRY
    stops = type_of(order) in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
    return Purpose.PROTECT if stops else Purpose.EXIT


def limit_of(order: Any) -> int | None:
    """Return the limit price of an engine order, None without one."""
    found = getattr(order, "price", None)
    return None if found is None else nanos_of(found)


def deny(order: Any, reason: str, now: int) -> None:
    """Give a native order its final state, so that it is not left INITIALIZED without an event."""
    order.apply(
        OrderDenied(
            order.trader_id,
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            reason,
            UUID4(),
            now,
            now,
        )
    )
