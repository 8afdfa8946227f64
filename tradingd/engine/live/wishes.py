"""Engine orders as wishes of the shim, and rows of the shim as engine orders; pure."""

from decimal import Decimal
from typing import Any, Final

from nautilus_trader.common import OrderFactory
from nautilus_trader.model import ClientOrderId, TimeInForce, TrailingOffsetType, TriggerType
from nautilus_trader.model import OrderType as EngineOrderType

from tradingd.domain import broker_requests
from tradingd.domain.journal import OrderRow
from tradingd.domain.money import SCALE, Nanos, decimal
from tradingd.domain.orders import Denial, OrderType, Purpose, Side
from tradingd.domain.trading import Wish
from tradingd.engine.fills import trigger_of
from tradingd.engine.orders import limit_of, purpose_of, reason_of, side_of, type_of
from tradingd.engine.units import SIDES, price, shares
from tradingd.engine.venue import instrument_id

_TIMES: Final = {
    TimeInForce.DAY: broker_requests.TimeInForce.DAY,
    TimeInForce.GTC: broker_requests.TimeInForce.GTC,
    TimeInForce.IOC: broker_requests.TimeInForce.IOC,
    TimeInForce.FOK: broker_requests.TimeInForce.FOK,
    TimeInForce.AT_THE_OPEN: broker_requests.TimeInForce.OPG,
    TimeInForce.AT_THE_CLOSE: broker_requests.TimeInForce.CLS,
}
_TYPES: Final = (
    EngineOrderType.MARKET,
    EngineOrderType.LIMIT,
    EngineOrderType.STOP_MARKET,
    EngineOrderType.STOP_LIMIT,
    EngineOrderType.TRAILING_STOP_MARKET,
)
_STAYS: Final = (broker_requests.TimeInForce.DAY, broker_requests.TimeInForce.GTC)


def wish_of(order: Any, strategy: str, held: int, ts: int) -> Wish:
    """Return what an engine order asks for; `held` are the strategy's signed shares.

    Only for orders that `unsendable` has nothing against.
    """
    trails = order.order_type == EngineOrderType.TRAILING_STOP_MARKET
    kind = OrderType.TRAILING_STOP if trails else type_of(order)
    trail, trail_bps = _distance(order) if trails else (None, None)
    purpose = purpose_of(order, held)
    return Wish(
        strategy=strategy,
        symbol=order.instrument_id.symbol.value,
        side=side_of(order),
        quantity=int(order.quantity),
        type=kind,
        # A guard stands at a price: what trails is an order of its own.
        purpose=Purpose.EXIT if trails and purpose is Purpose.PROTECT else purpose,
        reason=reason_of(order),
        ts=ts,
        limit=limit_of(order),
        stop=None if trails else trigger_of(order),
        time_in_force=_patience(order, kind),
        trail=trail,
        trail_bps=trail_bps,
    )


def unsendable(order: Any) -> Denial | None:
    """Return why an engine order cannot be said to any broker of ours, None when it can.

    Whether the session's broker takes it is judged by the shim.
    """
    trigger = order.emulation_trigger
    if trigger is not None and trigger != TriggerType.DEFAULT:
        return _refusal("an emulated order", "orders the broker itself holds")
    if order.exec_algorithm_id is not None:
        return _refusal("an order for an execution algorithm", "orders without one")
    if order.order_type not in _TYPES:
        kinds = "market, limit, stop, stop-limit and trailing-stop orders"
        return _refusal(f"an order of type {order.order_type}", kinds)
    return _amount(order) or _conditions(order)


def _amount(order: Any) -> Denial | None:
    if order.is_quote_quantity:
        return _refusal("an amount of dollars (notional)", "a whole number of shares")
    quantity = order.quantity.as_decimal()
    if quantity != int(quantity):
        return _refusal(f"a fraction of a share ({quantity})", "a whole number of shares")
    if getattr(order, "display_qty", None) is not None:
        return _refusal("an iceberg (display_qty)", "orders that show all they want")
    return None


def _conditions(order: Any) -> Denial | None:
    child = order.parent_order_id is not None
    if order.time_in_force not in _TIMES:
        return _refusal(f"time in force {order.time_in_force}", "DAY, GTC, IOC, FOK, open, close")
    if child and _TIMES[order.time_in_force] not in _STAYS:
        return _refusal(
            f"a bracket's leg that is {order.time_in_force}", "legs that are DAY or GTC"
        )
    if not child and getattr(order, "is_post_only", False):
        # A bracket's target has it unless told otherwise; its legs are the shim's own orders.
        return _refusal("a post-only order", "limits that may fill at once")
    if order.order_type != EngineOrderType.TRAILING_STOP_MARKET:
        return None
    if child:
        return _refusal("a trailing stop as a bracket's leg", "a stop price, moved by move_stop")
    if getattr(order, "activation_price", None) is not None or order.trigger_price is not None:
        return _refusal(
            "a trailing stop with a price to begin at", "one that trails from where the market is"
        )
    if _distance(order) == (None, None):
        return _refusal(
            f"a trailing offset of {order.trailing_offset} {order.trailing_offset_type}",
            "a positive price, or whole basis points",
        )
    return None


def _distance(order: Any) -> tuple[Nanos | None, int | None]:
    """Return what a trailing stop keeps, Nanos or basis points; neither when it is neither."""
    offset = Decimal(str(order.trailing_offset))
    kind = order.trailing_offset_type
    if kind == TrailingOffsetType.PRICE and offset * SCALE == int(offset * SCALE) > 0:
        return int(offset * SCALE), None
    if kind == TrailingOffsetType.BASIS_POINTS and offset == int(offset) > 0:
        return None, int(offset)
    return None, None


def _patience(order: Any, kind: OrderType) -> broker_requests.TimeInForce:
    """Return the time in force; a market order that only waits for nothing is DAY."""
    patience = _TIMES[order.time_in_force]
    waits = kind is not OrderType.MARKET or patience not in _STAYS
    return patience if waits else broker_requests.TimeInForce.DAY


def engine_order(row: OrderRow, quantity: int, factory: OrderFactory) -> Any:
    """Return the engine's picture of an order that was born in the shim."""
    common: dict[str, Any] = {
        "instrument_id": instrument_id(row.symbol),
        "order_side": SIDES[Side(row.side)],
        "quantity": shares(quantity),
        "client_order_id": ClientOrderId(row.order_id),
        "tags": [row.reason or row.purpose],
    }
    if row.type == OrderType.TRAILING_STOP:
        return factory.trailing_stop_market(**_trailing(row), **common)
    limit = None if row.limit is None else price(row.limit)
    stop = None if row.stop is None else price(row.stop)
    if limit is None:
        if stop is None:
            return factory.market(**common)
        return factory.stop_market(trigger_price=stop, **common)
    if stop is None:
        return factory.limit(price=limit, **common)
    return factory.stop_limit(price=limit, trigger_price=stop, **common)


def _trailing(row: OrderRow) -> dict[str, Any]:
    if row.trail is not None:
        return {
            "trailing_offset": decimal(row.trail),
            "trailing_offset_type": TrailingOffsetType.PRICE,
        }
    return {
        "trailing_offset": Decimal(row.trail_bps or 0),
        "trailing_offset_type": TrailingOffsetType.BASIS_POINTS,
    }


def is_leg_of(row: OrderRow, leg: Any) -> bool:
    """Tell whether a protective order of the shim is what a bracket's leg asked for."""
    stops = leg.order_type in (EngineOrderType.STOP_MARKET, EngineOrderType.STOP_LIMIT)
    return row.purpose != Purpose.ENTRY and (row.stop is not None) is stops


def _refusal(observed: str, allowed: str) -> Denial:
    explanation = f"A live session does not send {observed}."
    return Denial(limit="engine", observed=observed, allowed=allowed, explanation=explanation)
