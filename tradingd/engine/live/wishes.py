"""Engine orders as wishes of the shim, and rows of the shim as engine orders; pure."""

from typing import Any, Final

from nautilus_trader.common import OrderFactory
from nautilus_trader.model import ClientOrderId, TimeInForce, TriggerType
from nautilus_trader.model import OrderType as EngineOrderType

from tradingd.domain import broker
from tradingd.domain.journal import OrderRow
from tradingd.domain.orders import Denial, OrderType, Purpose, Side
from tradingd.domain.trading import Wish
from tradingd.engine.fills import trigger_of
from tradingd.engine.orders import limit_of, purpose_of, reason_of, side_of, type_of
from tradingd.engine.units import SIDES, price, shares
from tradingd.engine.venue import instrument_id

_TIMES: Final = {TimeInForce.DAY: broker.TimeInForce.DAY, TimeInForce.GTC: broker.TimeInForce.GTC}


def wish_of(order: Any, strategy: str, held: int, ts: int) -> Wish:
    """Return what an engine order asks for; `held` are the strategy's signed shares."""
    kind = type_of(order)
    patience = _TIMES.get(order.time_in_force, broker.TimeInForce.DAY)
    return Wish(
        strategy=strategy,
        symbol=order.instrument_id.symbol.value,
        side=side_of(order),
        quantity=int(order.quantity),
        type=kind,
        purpose=purpose_of(order, held),
        reason=reason_of(order),
        ts=ts,
        limit=limit_of(order),
        stop=trigger_of(order),
        time_in_force=broker.TimeInForce.DAY if kind is OrderType.MARKET else patience,
    )


def unsendable(order: Any) -> Denial | None:
    """Return why no broker of ours would take an engine order, None when one would."""
    trigger = order.emulation_trigger
    if trigger is not None and trigger != TriggerType.DEFAULT:
        return _refusal("an emulated order", "orders the broker itself holds")
    if order.exec_algorithm_id is not None:
        return _refusal("an order for an execution algorithm", "orders without one")
    if order.order_type == EngineOrderType.TRAILING_STOP_MARKET:
        return _refusal("a trailing stop", "a stop that the strategy moves with move_stop")
    if order.time_in_force not in _TIMES:
        return _refusal(f"time in force {order.time_in_force}", "DAY or GTC")
    return None


def engine_order(row: OrderRow, quantity: int, factory: OrderFactory) -> Any:
    """Return the engine's picture of an order that was born in the shim."""
    common: dict[str, Any] = {
        "instrument_id": instrument_id(row.symbol),
        "order_side": SIDES[Side(row.side)],
        "quantity": shares(quantity),
        "client_order_id": ClientOrderId(row.order_id),
        "tags": [row.reason or row.purpose],
    }
    limit = None if row.limit is None else price(row.limit)
    stop = None if row.stop is None else price(row.stop)
    if limit is None:
        if stop is None:
            return factory.market(**common)
        return factory.stop_market(trigger_price=stop, **common)
    if stop is None:
        return factory.limit(price=limit, **common)
    return factory.stop_limit(price=limit, trigger_price=stop, **common)


def is_leg_of(row: OrderRow, leg: Any) -> bool:
    """Tell whether a protective order of the shim is what a bracket's leg asked for."""
    stops = leg.order_type in (EngineOrderType.STOP_MARKET, EngineOrderType.STOP_LIMIT)
    return row.purpose != Purpose.ENTRY and (row.stop is not None) is stops


def _refusal(observed: str, allowed: str) -> Denial:
    explanation = f"A live session does not send {observed}."
    return Denial(limit="engine", observed=observed, allowed=allowed, explanation=explanation)
