"""Orders on both sides of one symbol, where the broker refuses those that could trade together.

Such a broker takes no stop of a position while an order that enlarges it works, and no order that
enlarges it while the stop works. What protects money goes first: entries give way.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tradingd.domain.orders import Denial, OrderType, Purpose, Side
from tradingd.orders.desk import Desk
from tradingd.orders.ticket import WAITING_APPROVAL, Ticket

GRACE: Final = 0.5
"""Seconds that an entry at the market, about to be complete, is left before it gives way."""

PATIENCE: Final = 1.5
"""Seconds that a stop waits for the confirmation that an entry is gone; then it tries its luck."""

_LIMITED: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT)


class Opposing:
    """Says which orders stand in each other's way.

    Parameters
    ----------
    desk : Desk
        The orders.
    refused : bool
        The broker refuses orders that could trade with one of ours; otherwise nothing is in the
        way of anything.
    stopped : Callable
        Tells whether the position of a symbol must have a stop.
    """

    def __init__(self, desk: Desk, *, refused: bool, stopped: Callable[[str], bool]) -> None:
        self._desk = desk
        self._refused = refused
        self._stopped = stopped
        self._since: dict[str, float] = {}

    def against(self, ticket: Ticket) -> list[Ticket]:
        """Return the orders at the broker, or on their way, that one could trade with."""
        return [other for other in self._across(ticket.symbol, ticket.side) if meet(ticket, other)]

    def denial(self, ticket: Ticket) -> Denial | None:
        """Return why an entry may not be sent beside what works or must work; None when it may."""
        if not self._refused or ticket.purpose is not Purpose.ENTRY:
            return None
        symbol, held = ticket.symbol, self._desk.held(ticket.symbol)
        others = self.against(ticket)
        guarded = held * ticket.side.sign > 0 and self._stopped(symbol) and _exposed(ticket)
        if not others and not guarded:
            return None
        there = f"{_words(others[0])} works" if others else f"{symbol} must have its stop"
        return Denial(
            limit="broker",
            observed=there,
            allowed=f"orders of {symbol} that could not trade with one another",
            explanation=f"the broker refuses a {ticket.side} {ticket.type} of {symbol} while"
            f" {there}: the two could trade with each other",
        )

    def yielding(self, symbol: str) -> list[Ticket]:
        """Return the entries that have to give way to the stop or to an exit of a symbol."""
        held = self._desk.held(symbol)
        if not self._refused or not held:
            return []
        side = Side.SELL if held > 0 else Side.BUY
        entries = [one for one in self._across(symbol, side) if one.purpose is Purpose.ENTRY]
        exits = [
            one
            for one in self._desk.open(symbol)
            if one.side is side
            and one.purpose is not Purpose.ENTRY
            and not one.watched
            # An exit that the journal does not take is never sent.
            and one.on_disk
        ]
        stopped = self._stopped(symbol)
        return [
            entry
            for entry in entries
            if (stopped and _exposed(entry)) or any(meet(entry, one) for one in exits)
        ]

    def spared(self, entry: Ticket) -> float:
        """Return the seconds for which an entry need not give way yet; 0 when it must."""
        waited = self._waited(entry)
        return max(0.0, GRACE - waited) if entry.immediate and entry.sent else 0.0

    def awaited(self, symbol: str) -> float:
        """Return the seconds that a stop should wait for what is in its way; 0 when it may try."""
        held = self._desk.held(symbol)
        if not self._refused or not held or not self._stopped(symbol):
            return 0.0
        side = Side.SELL if held > 0 else Side.BUY
        others = [one for one in self._across(symbol, side) if _exposed(one)]
        rests = [PATIENCE - self._waited(one) for one in others]
        return max((rest for rest in rests if rest > 0), default=0.0)

    def forget(self, ticket: Ticket) -> None:
        """Forget an order that is over."""
        if not ticket.open:
            self._since.pop(ticket.order_id, None)

    # -- private ---------------------------------------------------------------------------------

    def _across(self, symbol: str, side: Side) -> list[Ticket]:
        if not self._refused:
            return []
        return [
            one
            for one in self._desk.open(symbol)
            if one.side is not side and not one.watched and one.note != WAITING_APPROVAL
        ]

    def _waited(self, ticket: Ticket) -> float:
        now = asyncio.get_running_loop().time()
        return now - self._since.setdefault(ticket.order_id, now)


def meet(one: Ticket, other: Ticket) -> bool:
    """Tell whether orders of two sides could trade with each other, as brokers judge it.

    Limits when their prices cross, trailing stops never, all else always.
    """
    if not (_exposed(one) and _exposed(other)):
        return False
    if one.type not in _LIMITED or other.type not in _LIMITED:
        return True
    assert one.limit is not None
    assert other.limit is not None
    return (one.limit - other.limit) * one.side.sign >= 0


def _exposed(ticket: Ticket) -> bool:
    return ticket.type is not OrderType.TRAILING_STOP


def _words(ticket: Ticket) -> str:
    price = ticket.stop if ticket.stop is not None else ticket.limit
    at = "" if price is None else f" at {price / 1e9:.4f}"
    return f"the {ticket.side} {ticket.type}{at}"
