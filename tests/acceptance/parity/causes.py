"""Why a backtest and a session differ: every difference is given its cause, and counted."""

from collections import Counter
from typing import Final

from tests.acceptance.parity.books import Books, Order, Trade, Trip

OWN_BAR: Final = "a stop is reached within the bar its entry filled in"
"""The session's stop is placed when the fill is told, which is when that bar has ended."""

LAST_BAR: Final = "a stop is moved, or put back, on the last bar there is"
"""In a backtest the change never arrives: there is no bar after it. A session that stops cancels
the exits that wait, and puts their stop back."""

TOUCH: Final = "an order trades at the touch, not in the next bar"
"""With broker.arrivals=touch: at the close that was just seen."""

UNEXPLAINED: Final = "unexplained"


def causes(backtest: Books, session: Books) -> Counter[str]:
    """Count the differences of orders, fills, round trips, changes and denials by cause.

    A fill, order or round trip that both have, in another form, counts once.
    """
    found: Counter[str] = Counter()
    found += _trades(*_alone(backtest.trades, session.trades), session)
    last = max((one.bar for one in (*session.orders, *session.trades)), default="")
    found += _orders(*_alone(backtest.orders, session.orders), last)
    found += _trips(*_alone(backtest.trips, session.trips))
    changes = _alone(backtest.changes, session.changes)
    found[UNEXPLAINED] += len(changes[0]) + len(changes[1])
    found[UNEXPLAINED] += abs(backtest.denials.total() - session.denials.total())
    found[UNEXPLAINED] += (backtest.denials - session.denials).total()
    return +found


def _alone[T](ours: list[T], theirs: list[T]) -> tuple[list[T], list[T]]:
    """Return what only the backtest has, and what only the session has."""
    return list((Counter(ours) - Counter(theirs)).elements()), list(
        (Counter(theirs) - Counter(ours)).elements()
    )


def _trades(ours: list[Trade], theirs: list[Trade], session: Books) -> Counter[str]:
    entered = {(one.symbol, one.bar) for one in session.trades if one.purpose == "ENTRY"}
    found: Counter[str] = Counter()
    for one in ours:
        twin = next((two for two in theirs if _same_trade(one, two)), None)
        if twin is None:
            found[UNEXPLAINED] += 1
            continue
        theirs.remove(twin)
        if one.purpose == "PROTECT" and (one.symbol, one.bar) in entered and twin.bar > one.bar:
            found[OWN_BAR] += 1
        elif one.purpose != "PROTECT" and twin.bar < one.bar:
            found[TOUCH] += 1
        else:
            found[UNEXPLAINED] += 1
    found[UNEXPLAINED] += len(theirs)
    return found


def _orders(ours: list[Order], theirs: list[Order], last: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in ours:
        twin = next((two for two in theirs if _same_order(one, two)), None)
        guards = one.purpose == "PROTECT"
        if twin is None:
            found[UNEXPLAINED] += 1
            continue
        theirs.remove(twin)
        if guards and twin.bar < one.bar:
            found[TOUCH] += 1
        else:
            found[LAST_BAR if guards and not one.filled else UNEXPLAINED] += 1
    for one in theirs:
        put_back = one.purpose == "PROTECT" and one.bar == last and not one.filled
        found[LAST_BAR if put_back else UNEXPLAINED] += 1
    return found


def _trips(ours: list[Trip], theirs: list[Trip]) -> Counter[str]:
    """Compare round trips; one whose fills differ by a cause counts as nothing of its own."""
    found: Counter[str] = Counter()
    for one in ours:
        twin = next((two for two in theirs if _same_trip(one, two)), None)
        if twin is None:
            found[UNEXPLAINED] += 1
        else:
            theirs.remove(twin)
    found[UNEXPLAINED] += len(theirs)
    return found


def _same_trade(one: Trade, two: Trade) -> bool:
    """Whether two fills are the same but for their bar, their price and words about it."""
    return one._replace(bar="", price=two.price, reason="") == two._replace(bar="", reason="")


def _same_order(one: Order, two: Order) -> bool:
    """Whether two orders are the same, in the same bar or a stop in the one before."""
    same = one._replace(bar="", reason="") == two._replace(bar="", reason="")
    return same and (one.bar == two.bar or (one.purpose == "PROTECT" and two.bar < one.bar))


def _same_trip(one: Trip, two: Trip) -> bool:
    """Whether two round trips were entered for the same reason, which names prices and bars."""
    words = (one.symbol, one.side, one.entry_reason)
    return words == (two.symbol, two.side, two.entry_reason)
