"""Trailing stops: how the best price so far moves the stop. Pure rules."""

from tradingd.simbroker.amounts import CENT, ONE, PRICE_STEP, on_grid, ratio
from tradingd.simbroker.matching import Bar
from tradingd.simbroker.orders import BUY, Order


def follow(order: Order, price: int) -> bool:
    """Take a price into account; True when it is the best so far and moved the stop."""
    if order.mark is not None and (
        price >= order.mark if order.side == BUY else price <= order.mark
    ):
        return False
    order.mark = price
    order.stop_price = stop_from(order, price)
    return True


def stop_from(order: Order, mark: int) -> int:
    """Return the stop that belongs to a best price: to the cent, below a dollar to 0.0001."""
    away = order.trail
    if away is None:
        assert order.trail_rate is not None
        away = ratio(mark, order.trail_rate, ONE)
    exact = mark + away if order.side == BUY else max(1, mark - away)
    return on_grid(exact, CENT if exact >= ONE else PRICE_STEP)


def best_in(order: Order, bar: Bar) -> int:
    """Return the bar's best price for a trailing stop: its high for a sale, its low for a buy."""
    return bar.low if order.side == BUY else bar.high
