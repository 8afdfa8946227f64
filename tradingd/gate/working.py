"""Orders that are out and not yet filled, as far as they matter to the limits."""

import msgspec

from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderIntent, OrderType, Purpose, Side
from tradingd.gate.position import Position


class WorkingOrder(msgspec.Struct, kw_only=True):
    """The unfilled rest of one order. Mutable on purpose: partial fills shrink it.

    `entry` orders may enlarge a position and count in every exposure limit; the others are market
    exits, which claim shares of the position so that two exits cannot flip it.
    """

    order_id: str
    symbol: str
    sign: int
    remaining: int
    price: Nanos
    stop: Nanos | None
    entry: bool
    filled: bool = False

    @property
    def value(self) -> Nanos:
        """Value of the unfilled shares at the order's price."""
        return self.remaining * self.price

    @property
    def risk(self) -> Nanos:
        """Loss to the protective stop if the rest fills; the whole value without a stop."""
        if self.stop is None:
            return self.value
        return max(0, self.sign * (self.price - self.stop)) * self.remaining


def tracked(intent: OrderIntent, position: Position) -> WorkingOrder | None:
    """Return the order as the book must remember it, or None where it claims nothing.

    Protective stops and resting (limit, stop) exits claim nothing: several of them guard the same
    shares at once and the engine cancels the rest when one fills. That holds for the children of
    a bracket whose entry is still working, too.
    """
    guarded = position.selling if intent.side is Side.BUY else position.buying
    entry = is_increase(intent, position, guarded)
    if not entry and intent.type is not OrderType.MARKET:
        return None
    return WorkingOrder(
        order_id=intent.order_id,
        symbol=intent.symbol,
        sign=intent.side.sign,
        remaining=intent.quantity,
        price=exposure_price(intent, position.mark),
        stop=intent.protective_stop,
        entry=entry,
    )


def is_increase(intent: OrderIntent, position: Position | None, guards: int = 0) -> bool:
    """Tell whether an order can enlarge, open or flip a position, whatever it claims to be.

    ENTRY always counts as an increase. EXIT and PROTECT are reductions only when they go against
    the position and are no larger than it; a market exit, which is sure to fill, may only take the
    shares that other market exits have not claimed. `guards` are shares of a parent entry whose
    fill releases this order (a bracket's children), which count as held for resting orders.
    """
    if intent.purpose is Purpose.ENTRY:
        return True
    against = 0
    if position is not None and position.quantity * intent.side.sign < 0:
        market_exit = intent.type is OrderType.MARKET
        against = position.uncommitted() if market_exit else abs(position.quantity)
    if intent.type is not OrderType.MARKET:
        against += guards
    return intent.quantity > against


def exposure_price(intent: OrderIntent, mark: Nanos) -> Nanos:
    """Return the price at which an order's exposure is counted, never below what it can cost.

    A limit buy costs at most its limit. Everything else (market orders, whose stated price is not
    trusted; sales, which may fill above their limit; triggered stops) counts at the higher of its
    price and the last mark.
    """
    if intent.type is OrderType.LIMIT and intent.side is Side.BUY:
        return intent.price
    return max(intent.price, mark)


def add(position: Position, order: WorkingOrder, sign: int = 1) -> None:
    """Add (or with `sign` -1 subtract) an order's rest to its symbol's totals."""
    if not order.entry:
        position.exiting += sign * order.remaining
    elif order.sign > 0:
        position.buying += sign * order.remaining
        position.buying_value += sign * order.value
        position.buying_risk += sign * order.risk
    else:
        position.selling += sign * order.remaining
        position.selling_value += sign * order.value
        position.selling_risk += sign * order.risk
