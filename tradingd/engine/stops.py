"""Protective stops: one real working STOP order per open position, kept in step with it.

The stop stands at the venue from the fill of the entry on (as an attached order would, so without
latency of its own), covers the whole position, follows partial fills and partial exits, and goes
when the position is flat or an exit for all of it has arrived.
"""

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderType, Purpose
from tradingd.engine.desk import Desk, closing_side
from tradingd.engine.ticket import Stage, Ticket


class Stops:
    """Keeps the protective stop of every symbol."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wanted: dict[str, tuple[Nanos, str, str]] = {}
        self._working: dict[str, Ticket] = {}
        desk.before_exit = self.release

    def price(self, symbol: str) -> Nanos | None:
        """Return the price of a symbol's protective stop, None without one."""
        wanted = self._wanted.get(symbol)
        return None if wanted is None else wanted[0]

    def want(self, symbol: str, stop: Nanos, reason: str, parent_id: str) -> None:
        """Set the stop that guards the position of a symbol from now on."""
        self._wanted[symbol] = (stop, reason, parent_id)
        self._desk.book.set_stop(symbol, stop)
        self.sync(symbol)

    def keep(self, symbol: str, denials: tuple[Denial, ...]) -> None:
        """Leave a stop where it stands and record the limits that denied its move."""
        working = self._working.get(symbol)
        if working is not None:
            for denial in denials:
                self._desk.ledger.denial(working, denial, self._desk.now())

    def sync(self, symbol: str) -> None:
        """Bring the working stop in step with the position."""
        held = self._desk.position(symbol)
        working = self._working.get(symbol)
        if working is not None and not working.open:
            del self._working[symbol]
            working = None
        if not held:
            self._wanted.pop(symbol, None)
            self._remove(symbol)
            return
        if self._exiting(symbol, held):
            self._remove(symbol)
            return
        if working is not None and working.side is not closing_side(held):
            self._remove(symbol)
            working = None
        wanted = self._wanted.get(symbol)
        if wanted is None:
            return
        if working is None:
            self._place(symbol, held, *wanted)
        elif working.stage is Stage.CONTINUING:
            # In our hands until its next bar; a trigger that has been touched is history.
            working.quantity = working.filled + abs(held)
            if not working.elected:
                working.stop = wanted[0]
        elif working.stage is Stage.WORKING and not working.filled and not working.elected:
            self._change(working, abs(held), *wanted[:2])

    def release(self, exit_ticket: Ticket) -> None:
        """Cancel the stop before an exit for the whole position goes out."""
        if exit_ticket.leaves >= abs(self._desk.position(exit_ticket.symbol)):
            self._remove(exit_ticket.symbol)

    def dropped(self, ticket: Ticket) -> None:
        """Take note that somebody else cancelled a stop: the position stays without one."""
        if self._working.get(ticket.symbol) is ticket:
            del self._working[ticket.symbol]
            self._wanted.pop(ticket.symbol, None)
            self._desk.book.set_stop(ticket.symbol, None)

    def forget(self, symbol: str) -> None:
        """Drop the stop of a position that turned to the other side."""
        self._wanted.pop(symbol, None)
        self._remove(symbol)

    def replace(self, symbol: str) -> None:
        """Cancel the working stop and place a new one as it is wanted now."""
        self._remove(symbol)
        self.sync(symbol)

    def rescale(self, symbol: str, stop: Nanos) -> None:
        """Take the stop's price after a split; the working order is changed with the others."""
        wanted = self._wanted.get(symbol)
        if wanted is not None:
            self._wanted[symbol] = (stop, *wanted[1:])
            self._desk.book.set_stop(symbol, stop)

    def _place(self, symbol: str, held: int, stop: Nanos, reason: str, parent_id: str) -> None:
        ticket = self._desk.ticket(
            symbol,
            closing_side(held),
            abs(held),
            OrderType.STOP_MARKET,
            Purpose.PROTECT,
            reason,
            stop=stop,
            parent_id=parent_id,
            reduces=True,
        )
        if self._desk.admit(ticket):
            self._working[symbol] = ticket
            self._desk.place(ticket)

    def _change(self, working: Ticket, quantity: int, stop: Nanos, reason: str) -> None:
        if working.quantity == quantity and working.stop == stop:
            return
        if working.stop != stop:
            working.reason = reason
        if working.disguised:
            self.replace(working.symbol)
            return
        working.quantity, working.stop = quantity, stop
        self._desk.verbs.modify(working.engine_id, quantity=quantity, stop=stop)

    def _remove(self, symbol: str) -> None:
        working = self._working.pop(symbol, None)
        if working is not None and working.open:
            self._desk.withdraw(working)

    def _exiting(self, symbol: str, held: int) -> bool:
        """Tell whether market exits that have arrived cover the whole position."""
        leaving = sum(
            ticket.leaves
            for ticket in self._desk.open_tickets(symbol)
            if ticket.purpose is Purpose.EXIT
            and ticket.type is OrderType.MARKET
            and ticket.arrived >= 0
        )
        return leaving >= abs(held)
