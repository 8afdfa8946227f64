"""The account's money: market values, margin, buying power. Amounts in 1e-9 dollars."""

from typing import Final, NamedTuple

from tradingd.simalpaca.trading.errors import forbidden
from tradingd.simalpaca.trading.holds import closes
from tradingd.simbroker.amounts import text
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.orders import BUY, LIMIT, STOP_LIMIT, Order

_SHORT_MARK_UP: Final = (103, 100)
"""A short sale is valued three percent above the ask. Source: "Placing Orders"."""


class Worth(NamedTuple):
    """What an account is worth, and what its positions must be covered with.

    Initial margin is half of every position, maintenance 25 percent of a long and 30 of a short
    one.
    """

    cash: int
    equity: int
    long_value: int
    short_value: int
    initial_margin: int
    maintenance_margin: int


class Power(NamedTuple):
    """What an account may spend: by Regulation T, and by its own multiplier."""

    regt: int
    whole: int


def worth(desk: Desk) -> Worth:
    """Return what the account is worth at the last prices."""
    long_value = short_value = 0
    for symbol, (quantity, cost) in desk.account.positions.items():
        value = quantity * desk.last[symbol] if symbol in desk.last else cost
        long_value, short_value = long_value + max(0, value), short_value + min(0, value)
    cash = desk.account.cash
    return Worth(
        cash,
        cash + long_value + short_value,
        long_value,
        short_value,
        (long_value - short_value) // 2,
        (25 * long_value - 30 * short_value) // 100,
    )


def power(desk: Desk, multiplier: int, without: Order | None = None) -> Power:
    """Return the buying power; open orders that open positions take some of it.

    Twice the excess over the initial margin may be spent (Regulation T), with a multiplier of
    four that over the maintenance margin four times; with one, the cash.
    """
    now = worth(desk)
    opening = (o for o in desk.working() if not closes(desk, o.symbol, o.side))
    spoken_for = sum(_cost(desk, order) for order in opening if order is not without)
    regt = max(0, now.equity - now.initial_margin) * 2
    if multiplier == 1:
        whole = max(0, now.cash + 2 * now.short_value)
    elif multiplier == 2:
        whole = regt
    else:
        whole = max(0, now.equity - now.maintenance_margin) * multiplier
    return Power(max(0, regt - spoken_for), max(0, whole - spoken_for))


def order_cost(desk: Desk, symbol: str, side: str, qty: int, limit: int | None) -> int:
    """Return what an order would take of the buying power; 0 where no price is known."""
    touch = desk.touch(symbol)
    if side == BUY:
        return qty * (limit if limit is not None else touch.ask if touch else 0)
    up, down = _SHORT_MARK_UP
    least = touch.ask * up // down if touch else 0
    return qty * max(limit or 0, least)


def check_power(
    desk: Desk,
    multiplier: int,
    symbol: str,
    side: str,
    qty: int,
    limit: int | None,
    without: Order | None = None,
) -> None:
    """Refuse an order that opens more than the account may spend."""
    if closes(desk, symbol, side):
        return
    cost = order_cost(desk, symbol, side, qty, limit)
    left = power(desk, multiplier, without).whole
    if cost > left:
        raise forbidden("insufficient buying power", buying_power=text(left), cost_basis=text(cost))


def _cost(desk: Desk, order: Order) -> int:
    limit = order.limit_price if order.type in (LIMIT, STOP_LIMIT) else order.stop_price
    return order_cost(desk, order.symbol, order.side, order.remaining, limit)
