"""At what price an order fills: pure rules, each promised in contracts/simbroker.md."""

from typing import Final, NamedTuple

from tradingd.simbroker.amounts import PRICE_STEP
from tradingd.simbroker.orders import BUY, Order

_BPS_UNITS: Final = 10_000 * 10_000
"""Half spreads are whole units of 1e-4 basis points."""


class Bar(NamedTuple):
    """One bar of a symbol, prices in 1e-9 dollars."""

    symbol: str
    open: int
    high: int
    low: int
    close: int
    volume: int


class Quote(NamedTuple):
    """Best bid and offer."""

    bid: int
    ask: int


class Spread:
    """Half a spread around a price, for when no quote is known.

    Parameters
    ----------
    half_units : int
        Half the spread in units of 1e-4 basis points.
    """

    def __init__(self, half_units: int) -> None:
        self._half_units = half_units

    def ask(self, price: int) -> int:
        """Return what a buyer pays, rounded up to the price step."""
        half = price * self._half_units
        return -(-(price * _BPS_UNITS + half) // (_BPS_UNITS * PRICE_STEP)) * PRICE_STEP

    def bid(self, price: int) -> int:
        """Return what a seller gets, rounded down to the price step, never below one step."""
        half = price * self._half_units
        step = (price * _BPS_UNITS - half) // (_BPS_UNITS * PRICE_STEP) * PRICE_STEP
        return max(PRICE_STEP, step)

    def around(self, price: int) -> Quote:
        """Return both sides."""
        return Quote(self.bid(price), self.ask(price))

    def against(self, order: Order, price: int) -> int:
        """Return the price moved against the order by half a spread."""
        return self.ask(price) if order.side == BUY else self.bid(price)


def touch_price(order: Order, touch: Quote) -> int:
    """Return the price at which an order would trade at once."""
    return touch.ask if order.side == BUY else touch.bid


def reaches_stop(order: Order, price: int) -> bool:
    """Tell whether a price elects the order's stop."""
    assert order.stop_price is not None
    return price >= order.stop_price if order.side == BUY else price <= order.stop_price


def within_limit(order: Order, price: int) -> bool:
    """Tell whether a price is at the order's limit or better."""
    assert order.limit_price is not None
    return price <= order.limit_price if order.side == BUY else price >= order.limit_price


def stop_in_bar(order: Order, bar: Bar) -> int | None:
    """Return the price at which a bar elects a stop: the stop, or the open when it is worse."""
    assert order.stop_price is not None
    if order.side == BUY:
        return max(order.stop_price, bar.open) if bar.high >= order.stop_price else None
    return min(order.stop_price, bar.open) if bar.low <= order.stop_price else None


def limit_in_bar(order: Order, bar: Bar) -> int | None:
    """Return the price at which a bar fills a resting limit: the limit, or a better open.

    A touch is enough, as in the backtest: one bar does not say who stood first in the queue.
    """
    assert order.limit_price is not None
    if order.side == BUY:
        return min(order.limit_price, bar.open) if bar.low <= order.limit_price else None
    return max(order.limit_price, bar.open) if bar.high >= order.limit_price else None
