"""Why a backtest and a session differ: every difference is given its cause, and counted."""

from collections import Counter
from typing import Final

from tests.acceptance.parity.books import Books, Order, Trade, Trip

OWN_BAR: Final = "a stop is reached within the bar its entry filled in"
"""The session's stop is placed when the fill is told, which is when that bar has ended."""

LAST_BAR: Final = "a stop is moved on the last bar there is"
"""In a backtest the change never arrives: there is no bar after it."""

TOUCH: Final = "an order trades at the touch, not in the next bar"
"""With broker.arrivals=touch: at the close that was just seen."""

UNEXPLAINED: Final = "unexplained"


def causes(backtest: Books, session: Books) -> Counter[str]:
    """Count the differences of orders, fills, round trips, changes and denials by cause.

    A fill, order or round trip that both have, in another form, counts once.
    """
    found: Counter[str] = Counter()
    found += _trades(*_alone(backtest.trades, session.trades), session)
    found += _orders(*_alone(backtest.orders, session.orders))
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


def _orders(ours: list[Order], theirs: list[Order]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in ours:
        untold = one._replace(reason="")
        twin = next((two for two in theirs if two._replace(reason="") == untold), None)
        if twin is None or one.purpose != "PROTECT" or one.filled:
            found[UNEXPLAINED] += 1
            continue
        theirs.remove(twin)
        found[LAST_BAR] += 1
    found[UNEXPLAINED] += len(theirs)
    return found


def _trips(ours: list[Trip], theirs: list[Trip]) -> Counter[str]:
    """Compare round trips; those that differ as their fills do count as nothing of their own."""
    found: Counter[str] = Counter()
    for one in ours:
        same = (one.symbol, one.opened, one.entry_price, one.quantity)
        twin = next(
            (
                two
                for two in theirs
                if (two.symbol, two.opened, two.entry_price, two.quantity) == same
            ),
            None,
        )
        if twin is None or one.opened != one.closed:
            found[UNEXPLAINED] += 1
        if twin is not None:
            theirs.remove(twin)
    found[UNEXPLAINED] += len(theirs)
    return found


def _same_trade(one: Trade, two: Trade) -> bool:
    return one._replace(bar="", price=two.price) == two._replace(bar="")
