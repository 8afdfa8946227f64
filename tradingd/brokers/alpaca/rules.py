"""What Alpaca takes of US shares: type x time in force x class x session, as pure tables.

An order that these tables refuse is never sent. What only Alpaca can know (the time of day of an
auction order, the price of the market, buying power) is left to Alpaca and comes back as Rejected.

Sources: Alpaca's OpenAPI document (CreateOrderRequest, TimeInForce) and "Placing Orders" of
docs.alpaca.markets: "Order Types vs Supported Time in Force", bracket, OCO, OTO, trailing stop,
sub-penny increments.
"""

from typing import Final

from tradingd.brokers.alpaca import names, symbols
from tradingd.domain.broker_requests import Capabilities, OrderClass, OrderRequest, TimeInForce
from tradingd.domain.money import SCALE, Nanos, decimal
from tradingd.domain.orders import OrderType

_ALL: Final = frozenset(TimeInForce)
_RESTING: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC})

TIMES: Final[dict[OrderType, frozenset[TimeInForce]]] = {
    OrderType.MARKET: _ALL,
    OrderType.LIMIT: _ALL,
    OrderType.STOP_MARKET: _RESTING,
    OrderType.STOP_LIMIT: _RESTING,
    OrderType.TRAILING_STOP: _RESTING,
}
"""Times in force of each type, in the regular session."""

EXTENDED: Final[dict[OrderType, frozenset[TimeInForce]]] = {OrderType.LIMIT: _RESTING}
"""What may trade in pre-market, after-hours and overnight sessions, too."""

CLASSES: Final[dict[OrderClass, frozenset[OrderType]]] = {
    OrderClass.SIMPLE: frozenset(OrderType),
    OrderClass.BRACKET: frozenset({OrderType.MARKET, OrderType.LIMIT}),
    OrderClass.OTO: frozenset({OrderType.MARKET, OrderType.LIMIT}),
    OrderClass.OCO: frozenset({OrderType.LIMIT}),
}
"""Types that the first order of each class may have; with legs only DAY and GTC, regular hours."""

CAPABILITIES: Final = Capabilities(
    types=frozenset(OrderType),
    times_in_force=_ALL,
    classes=frozenset(OrderClass),
    extended_hours=True,
    exits_share=False,
    opposite_orders=False,
)

_WHOLE_CENTS: Final = SCALE // 100
_PENNY_PARTS: Final = SCALE // 10_000


def refusal(order: OrderRequest) -> str | None:
    """Return why Alpaca would not take an order, None when it may."""
    return (
        names.fits(order.client_order_id)
        or symbols.refusal(order.symbol)
        or _size(order)
        or kind_refusal(
            order.type, order.time_in_force, order.order_class, extended=order.extended_hours
        )
        or _prices(order)
        or _legs(order)
    )


def kind_refusal(
    kind: OrderType, time: TimeInForce, order_class: OrderClass, *, extended: bool
) -> str | None:
    """Return why Alpaca takes no order of this kind at all, None when it does."""
    if kind not in CLASSES[order_class]:
        allowed = " or ".join(sorted(CLASSES[order_class]))
        return f"the first order of {order_class} must be {allowed}, not {kind}"
    if order_class is not OrderClass.SIMPLE:
        if extended:
            return f"{order_class} does not work outside regular hours"
        if time not in _RESTING:
            return f"{order_class} must be DAY or GTC, not {time}"
    if time not in TIMES[kind]:
        return f"{kind} takes {_names(TIMES[kind])}, not {time}"
    if extended and kind not in EXTENDED:
        return f"only LIMIT orders work outside regular hours, not {kind}"
    if extended and time not in EXTENDED[kind]:
        return f"outside regular hours {kind} takes {_names(EXTENDED[kind])}, not {time}"
    return None


def price_refusal(name: str, price: Nanos | None) -> str | None:
    """Return what is wrong with a price: two decimals from a dollar on, four below."""
    if price is None:
        return None
    if price <= 0:
        return f"{name} must be positive"
    step = _WHOLE_CENTS if price >= SCALE else _PENNY_PARTS
    if price % step:
        places = 2 if price >= SCALE else 4
        return f"{name} {decimal(price).normalize():f} has more than {places} decimals"
    return None


def _names(times: frozenset[TimeInForce]) -> str:
    return ", ".join(time for time in TimeInForce if time in times)


def _size(order: OrderRequest) -> str | None:
    # A share count is an integer in the domain: fractional and notional orders cannot be said.
    if isinstance(order.quantity, bool) or not isinstance(order.quantity, int):
        return "only whole shares are sent, neither parts of one nor amounts of money"
    return None if order.quantity > 0 else "an order needs at least one share"


def _prices(order: OrderRequest) -> str | None:
    takes_limit = order.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    takes_stop = order.type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
    in_target = order.order_class is OrderClass.OCO and order.take_profit is not None
    if takes_limit and order.limit is None and not in_target:
        return f"{order.type} needs a limit price"
    if takes_stop and order.stop is None:
        return f"{order.type} needs a stop price"
    if not takes_limit and order.limit is not None:
        return f"{order.type} has no limit price"
    if not takes_stop and order.stop is not None:
        return f"{order.type} has no stop price"
    named = (
        ("the limit price", order.limit),
        ("the stop price", order.stop),
        ("the target's price", order.take_profit),
        ("the stop leg's price", order.stop_loss),
        ("the stop leg's limit price", order.stop_loss_limit),
    )
    wrong = (price_refusal(name, price) for name, price in named)
    return next((text for text in wrong if text), None) or _trail(order)


def _trail(order: OrderRequest) -> str | None:
    trails = [trail for trail in (order.trail, order.trail_bps) if trail is not None]
    if order.type is not OrderType.TRAILING_STOP:
        return f"{order.type} has no trail" if trails else None
    if len(trails) != 1:
        return "TRAILING_STOP needs either a trail in dollars or one in basis points"
    if trails[0] <= 0:
        return "the trail must be positive"
    if order.trail is not None and order.trail % _WHOLE_CENTS:
        return f"the trail {decimal(order.trail).normalize():f} has more than 2 decimals"
    return None


def _legs(order: OrderRequest) -> str | None:
    target, stop = target_of(order), order.stop_loss
    match order.order_class:
        case OrderClass.SIMPLE:
            if order.take_profit is not None or stop is not None:
                return "an order with a target or a stop leg must be BRACKET, OCO or OTO"
        case OrderClass.OTO:
            if (target is None) == (stop is None):
                return "OTO takes either a target or a stop leg"
        case OrderClass.BRACKET | OrderClass.OCO:
            if target is None or stop is None:
                return f"{order.order_class} needs a target and a stop leg"
    if order.order_class is OrderClass.OCO and order.limit not in (None, target):
        return "the limit of an OCO is the price of its target"
    if order.stop_loss_limit is not None and stop is None:
        return "a limit of the stop leg needs the stop leg's price"
    return _sides(order, target, stop)


def target_of(order: OrderRequest) -> Nanos | None:
    """Return the price of the target; that of an OCO may be given as its limit."""
    if order.order_class is OrderClass.OCO and order.take_profit is None:
        return order.limit
    return order.take_profit


def _sides(order: OrderRequest, target: Nanos | None, stop: Nanos | None) -> str | None:
    """Check that target and stop lie on their sides: of each other, and of a limit entry."""
    # An OCO closes: its own side is that of the legs, that of a bracket the opposite.
    exits = order.side.sign if order.order_class is OrderClass.OCO else -order.side.sign
    if target is not None and stop is not None and (target - stop) * exits >= 0:
        return f"the target must lie {'above' if exits < 0 else 'below'} the stop leg"
    entry = order.limit if order.order_class in (OrderClass.BRACKET, OrderClass.OTO) else None
    if entry is not None and stop is not None and (entry - stop) * -exits < _WHOLE_CENTS:
        return f"the stop leg must lie {'below' if exits < 0 else 'above'} the limit of the entry"
    return None
