"""Shares that no sale holds back, and orders that cannot stand together."""

from collections.abc import Callable, Iterable

from tradingd.simalpaca.trading.errors import forbidden
from tradingd.simalpaca.trading.wishes import Wish
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.orders import BUY, LIMIT, MARKET, SELL, STOP_LIMIT, TRAILING_STOP, Order

_WORDS = {"market": MARKET, "limit": LIMIT, "stop_limit": STOP_LIMIT}
_NAMES = {kind: name for name, kind in _WORDS.items()}


def held_back(desk: Desk, symbol: str, side: str, without: Order | None = None) -> int:
    """Return the shares that working orders of a side ask for; alternatives count once."""
    alone, groups = 0, dict[str, int]()
    for order in desk.working(symbol):
        if order.side != side or order is without:
            continue
        if without is not None and order.group_id and order.group_id == without.group_id:
            continue
        if order.group_id:
            groups[order.group_id] = max(groups.get(order.group_id, 0), order.remaining)
        else:
            alone += order.remaining
    return alone + sum(groups.values())


def closes(desk: Desk, symbol: str, side: str) -> bool:
    """Tell whether an order of a side would reduce the position."""
    held = desk.account.held(symbol)
    return held > 0 if side == SELL else held < 0


def check_shares(
    desk: Desk, symbol: str, side: str, qty: int, without: Order | None = None
) -> None:
    """Refuse an order that asks for more of a position than no other order holds back."""
    if not closes(desk, symbol, side):
        return
    position = desk.account.held(symbol)
    held = held_back(desk, symbol, side, without)
    available = max(0, abs(position) - held)
    if qty > available:
        raise forbidden(
            f"insufficient qty available for order (requested: {qty}, available: {available})",
            available=str(available),
            existing_qty=str(position),
            held_for_orders=str(held),
            symbol=symbol,
        )


def check_sides(desk: Desk, symbol: str, side: str) -> None:
    """Refuse to open one side while orders that open the other work."""
    if desk.account.held(symbol) or not _opposite(desk, symbol, side):
        return
    if side == SELL:
        raise forbidden("cannot open a short sell while a long buy order is open")
    raise forbidden("cannot open a long buy while a short sell order is open")


def check_wash(desk: Desk, wish: Wish, side: str, name: Callable[[Order], str]) -> None:
    """Refuse an order that could trade with another of the same account.

    Source: the table of Alpaca's "User Protection" page. Orders of a class with legs and trailing
    stops are exempt, whether they come or are there. `name` gives the id of the other order.
    """
    if wish.order_class != "simple" or wish.type == "trailing_stop":
        return
    for order in _opposite(desk, wish.symbol, side):
        if order.group_id or order.type == TRAILING_STOP:
            continue
        if _meets(order, wish, side):
            kind = _NAMES.get(order.type, "stop")
            raise forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=name(order),
                reject_reason=f"opposite side {kind} order exists",
            )


def _opposite(desk: Desk, symbol: str, side: str) -> Iterable[Order]:
    return [order for order in desk.working(symbol) if order.side != side]


def _meets(order: Order, wish: Wish, side: str) -> bool:
    """Tell whether two orders could meet: limits only when they cross, all else always."""
    limited = (LIMIT, STOP_LIMIT)
    if order.type not in limited or _WORDS.get(wish.type) not in limited:
        return True
    assert order.limit_price is not None
    assert wish.limit is not None
    if side == BUY:
        return wish.limit >= order.limit_price
    return order.limit_price >= wish.limit
