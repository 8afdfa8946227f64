"""What an order does when it arrives: it trades what it can at the present touch, or rests."""

from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import reaches_stop, touch_price, within_limit
from tradingd.simbroker.orders import (
    AT_ONCE,
    AUCTIONS,
    BUY,
    CANCELED,
    FOK,
    TRAILING_STOP,
    WORKING,
    Order,
)
from tradingd.simbroker.trailing import follow


def arrive(desk: Desk, order: Order) -> None:
    """Let an order trade at once, and with it what its fill lets work."""
    _arrive(desk, order)
    for activated in desk.take_activated():
        arrive(desk, activated)


def _arrive(desk: Desk, order: Order) -> None:
    if order.status != WORKING:
        return
    if order.type == TRAILING_STOP and order.mark is None and order.symbol in desk.last:
        follow(order, reference_price(desk, order))
        desk.restated(order)
    if order.time_in_force in AUCTIONS:
        return
    touch = desk.touch(order.symbol)
    waits = touch is None or desk.keeps_waiting(order.symbol) or desk.closed(order)
    if touch is not None and not waits:
        _trade(desk, order, touch_price(order, touch))
    if order.time_in_force in AT_ONCE and not (waits and desk.next_bar):
        end_at_once(desk, order)


def reference_price(desk: Desk, order: Order) -> int:
    """Return the price that elects a stop between bars: the touch of a quote, or the last price."""
    quote = desk.quotes.get(order.symbol)
    if quote is None:
        return desk.last[order.symbol]
    return quote.ask if order.side == BUY else quote.bid


def end_at_once(desk: Desk, order: Order) -> None:
    """Cancel what an IOC or FOK order did not get."""
    if order.open:
        desk.finish(order, CANCELED, f"{order.time_in_force}: not filled at once")


def whole(order: Order, available: int) -> bool:
    """Tell whether an order may take part in what is available: a FOK wants all it asks for."""
    if order.time_in_force != FOK:
        return True
    return available >= order.remaining and not 0 < order.slice < order.remaining


def _trade(desk: Desk, order: Order, price: int) -> None:
    if order.waits_for_stop:
        if not reaches_stop(order, reference_price(desk, order)):
            return
        order.triggered = 1
    if (order.takes_any_price or within_limit(order, price)) and whole(order, order.remaining):
        desk.execute(order, price)
    elif order.triggered:
        desk.changed(order)
