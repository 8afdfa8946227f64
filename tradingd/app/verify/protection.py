"""Rules on stops: which shares a working stop covers, and at which price; pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from tradingd.app.verify.facts import Ours, Theirs
from tradingd.app.verify.report import Finding
from tradingd.domain.broker_reports import BrokerOrder, BrokerPosition
from tradingd.domain.money import Nanos, price_text
from tradingd.domain.orders import OrderType

_STOPS: Final = frozenset({OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


def protection(ours: Ours, theirs: Theirs) -> Iterator[Finding]:
    """Every position whose guard names a stop needs one for all its shares, at that price."""
    for position in theirs.positions:
        guard = ours.guards.get(position.symbol)
        wanted = guard.stop if guard is not None else _promised(ours, position)
        if wanted is None:
            continue
        shares = abs(position.quantity)
        covered = covered_shares(position.symbol, position.quantity, theirs.orders, exits=True)
        if covered < shares:
            yield Finding(
                check="unprotected",
                subject=position.symbol,
                symbol=position.symbol,
                text=f"{position.symbol}: {shares - covered} of {shares} shares have no stop; "
                f"one at {price_text(wanted)} must work",
                broker=f"{covered} covered",
                ours=f"stop {price_text(wanted)}",
                gap=str(shares - covered),
            )
        if guard is not None:
            yield from _stop_prices(position, wanted, ours, theirs.orders)


def _stop_prices(
    position: BrokerPosition, wanted: Nanos, ours: Ours, orders: Iterable[BrokerOrder]
) -> Iterator[Finding]:
    for order in orders:
        if _guards(order, position.symbol, position.quantity) and order.client_order_id in (
            ours.orders
        ):
            if order.type is OrderType.TRAILING_STOP or order.stop == wanted:
                continue
            yield Finding(
                check="stop_price",
                subject=order.client_order_id,
                symbol=position.symbol,
                text=f"{position.symbol}: the stop works at {price_text(order.stop or 0)}, "
                f"its guard says {price_text(wanted)}",
                broker=price_text(order.stop or 0),
                ours=price_text(wanted),
                owner="ours",
            )


def _promised(ours: Ours, position: BrokerPosition) -> Nanos | None:
    """Return the stop that the last filled entry asked for, where no guard tells."""
    side = "BUY" if position.quantity > 0 else "SELL"
    entries = [
        one
        for one in ours.orders.values()
        if (one.symbol, one.side, one.purpose) == (position.symbol, side, "ENTRY") and one.filled
    ]
    return entries[-1].protective_stop if entries else None


def covered_shares(
    symbol: str, quantity: int, orders: Iterable[BrokerOrder], *, exits: bool
) -> int:
    """Return the shares that a working stop (and, with `exits`, a market exit) will close."""
    closing = [order for order in orders if _closes(order, symbol, quantity)]
    return sum(
        order.quantity - order.filled
        for order in closing
        if order.type in _STOPS or (exits and order.type is OrderType.MARKET)
    )


def _guards(order: BrokerOrder, symbol: str, quantity: int) -> bool:
    return _closes(order, symbol, quantity) and order.type in _STOPS


def _closes(order: BrokerOrder, symbol: str, quantity: int) -> bool:
    return order.symbol == symbol and order.side.sign * quantity < 0
