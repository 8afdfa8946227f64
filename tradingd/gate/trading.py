"""How a fill, a split or a cash movement changes one symbol's line: pure bookkeeping."""

from collections.abc import Iterable
from enum import StrEnum

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill, Purpose
from tradingd.gate import working
from tradingd.gate.day import Day
from tradingd.gate.position import Position
from tradingd.gate.trip import ClosedTrip, Trip
from tradingd.gate.working import WorkingOrder


class CashKind(StrEnum):
    """Cash movements that are not trades."""

    DIVIDEND = "dividend"
    BORROW = "borrow"
    CASH_IN_LIEU = "cash_in_lieu"


def book_trade(line: Position, fill: Fill, day: Day) -> ClosedTrip | None:
    """Change quantity, cost and trip by a fill; return the trip it closed.

    The part against the position realises a gain at average cost; the rest opens or enlarges.
    """
    if fill.purpose is Purpose.CORPORATE:
        return _book_corporate(line, fill, day)
    sign = fill.side.sign
    reducing = min(fill.quantity, max(0, -sign * line.quantity))
    adding = fill.quantity - reducing
    fee = fill.commission * reducing // fill.quantity
    slipped = fill.slippage * reducing // fill.quantity
    day.realised -= fill.commission
    closed = None
    if reducing:
        _reduce(line, reducing, fill.price, day)
        _charge(line.trip, fee, slipped)
        if not line.quantity:
            closed = _close(line, fill.ts, day)
    if adding:
        if line.trip is None:
            line.trip = Trip(strategy=fill.strategy, sign=sign, ts_opened=fill.ts)
        line.quantity += sign * adding
        line.cost += sign * adding * fill.price
        line.trip.quantity += adding
        line.trip.entered += adding * fill.price
        _charge(line.trip, fill.commission - fee, fill.slippage - slipped)
    return closed


def book_cash(line: Position, amount: Nanos, kind: CashKind) -> None:
    """Credit a cash movement to the open trip; cash in lieu lowers the cost like a sale would.

    Cash in lieu must come before the CORPORATE fill that leaves no whole share.
    """
    trip = line.trip
    if trip is None:
        return
    match kind:
        case CashKind.DIVIDEND:
            trip.dividends += amount
        case CashKind.BORROW:
            trip.borrow -= amount
        case CashKind.CASH_IN_LIEU:
            line.cost -= amount
            trip.exited += trip.sign * amount


def rescale(
    line: Position, orders: Iterable[WorkingOrder], numerator: int, denominator: int
) -> None:
    """Apply a split to mark, stop and working orders (prices to the nearest nano)."""
    line.mark = _scaled(line.mark, denominator, numerator)
    if line.stop is not None:
        line.stop = _scaled(line.stop, denominator, numerator)
    for order in orders:
        if order.symbol != line.symbol:
            continue
        working.add(line, order, -1)
        order.remaining = _scaled(order.remaining, numerator, denominator)
        order.price = _scaled(order.price, denominator, numerator)
        if order.stop is not None:
            order.stop = _scaled(order.stop, denominator, numerator)
        working.add(line, order)


def _book_corporate(line: Position, fill: Fill, day: Day) -> ClosedTrip | None:
    """Change the quantity only; a reverse split that leaves no whole share ends the trip."""
    signed = fill.side.sign * fill.quantity
    line.quantity += signed
    line.cost += signed * fill.price
    if line.quantity or line.trip is None:
        return None
    day.realised -= line.cost
    line.cost = 0
    return _close(line, fill.ts, day)


def _reduce(line: Position, shares: int, price: Nanos, day: Day) -> None:
    """Take shares out at average cost; the last share takes whatever cost is left.

    Selling what was bought the same session is one day trade until something is bought again
    (FINRA counts changes of direction, not orders).
    """
    if line.increased_today:
        day.day_trades += 1
        line.increased_today = False
    held = abs(line.quantity)
    sign = 1 if line.quantity > 0 else -1
    removed = line.cost * shares // held
    day.realised += sign * shares * price - removed
    line.cost -= removed
    line.quantity -= sign * shares
    if line.trip is not None:
        line.trip.exited += shares * price


def _charge(trip: Trip | None, commission: Nanos, slippage: Nanos) -> None:
    if trip is not None:
        trip.commission += commission
        trip.slippage += slippage


def _close(line: Position, ts: int, day: Day) -> ClosedTrip | None:
    trip, line.trip, line.stop = line.trip, None, None
    if trip is None:
        return None
    closed = trip.closed(line.symbol, ts)
    day.trip_closed(closed)
    return closed


def _scaled(value: int, numerator: int, denominator: int) -> int:
    """Multiply by a ratio, rounding half up."""
    return (2 * value * numerator + denominator) // (2 * denominator)
