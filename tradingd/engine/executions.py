"""What the venue reports: fills into the book and the records, ends of orders into the ledger."""

from collections.abc import Callable
from typing import Any, Final

from nautilus_trader.model import (
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)

from tradingd.domain.orders import Denial, Fill, Purpose
from tradingd.engine.desk import Desk
from tradingd.engine.fees import VenueFees
from tradingd.engine.stops import Stops
from tradingd.engine.tape import Prices
from tradingd.engine.ticket import Stage, Ticket
from tradingd.engine.units import nanos_of

NO_LIQUIDITY: Final = "No market"
"""How the engine begins the rejection of an order that met an empty book."""

NOTHING_TO_REDUCE: Final = "Reduce-only order"
"""How it begins the rejection of a reducing order whose position has gone."""

HANDLERS: Final = (
    "on_order_filled",
    "on_order_canceled",
    "on_order_expired",
    "on_order_rejected",
    "on_order_denied",
    "on_order_updated",
    "on_order_modify_rejected",
)
"""The engine's handlers that hear of what changes a ticket; the others are never called."""


class Executions:
    """Applies the engine's order events.

    Parameters
    ----------
    desk, stops, fees, tape : Desk, Stops, VenueFees, Prices
        Parts of the same run.
    on_filled : Callable, optional
        The strategy's handler; called after book, records and stops are up to date.
    """

    def __init__(
        self,
        desk: Desk,
        stops: Stops,
        fees: VenueFees,
        tape: Prices,
        on_filled: Callable[[Fill], None] | None,
    ) -> None:
        self._desk = desk
        self._stops = stops
        self._fees = fees
        self._tape = tape
        self._on_filled = on_filled
        self._entered: dict[str, tuple[str, int]] = {}
        self._handlers: dict[type, Callable[[Ticket, Any], None]] = {
            OrderFilled: self._filled,
            OrderCanceled: self._canceled,
            OrderExpired: self._expired,
            OrderRejected: self._rejected,
            OrderDenied: self._denied,
            OrderUpdated: self._updated,
            OrderModifyRejected: self._modify_rejected,
        }

    def apply(self, event: Any) -> None:
        """Take an order event that came to one of the `HANDLERS`."""
        engine_id = event.client_order_id.value
        ticket = self._desk.tickets.get(engine_id)
        if ticket is not None and ticket.engine_id == engine_id:
            self._handlers[type(event)](ticket, event)

    def _filled(self, ticket: Ticket, event: Any) -> None:
        quantity, price = int(event.last_qty), nanos_of(event.last_px)
        fees = self._fees.pop(ticket.engine_id)
        fill = Fill(
            order_id=ticket.order_id,
            strategy=ticket.strategy,
            symbol=ticket.symbol,
            side=ticket.side,
            quantity=quantity,
            price=price,
            commission=fees.total,
            slippage=(price - ticket.touch) * ticket.side.sign * quantity,
            purpose=ticket.purpose,
            ts=event.ts_event,
        )
        ticket.filled += quantity
        ticket.paid += price * quantity
        after = self._book(ticket, fill)
        self._desk.ledger.fill(ticket, fill, fees, after)
        self._desk.on_filled(ticket, quantity)
        if not ticket.leaves:
            self._desk.close(ticket, "FILLED")
            self._cancel_siblings(ticket)
        elif ticket.takes:
            self._go_on(ticket)
        if ticket.purpose is Purpose.CORPORATE:
            return
        self._guard(ticket, fill, after)
        if self._on_filled is not None:
            self._on_filled(fill)

    def _book(self, ticket: Ticket, fill: Fill) -> int:
        """Book a fill, record the round trip it closed; return the position after it."""
        symbol = fill.symbol
        before = self._desk.position(symbol)
        trip = self._desk.book.fill(fill)
        after = self._desk.position(symbol)
        bars = self._tape.ordinal(symbol, fill.ts)
        if trip is not None:
            reason, since = self._entered.pop(symbol, (ticket.reason, bars))
            self._desk.ledger.trip(trip, reason, ticket.reason, bars - since)
        if after and before * after <= 0:
            self._entered[symbol] = (ticket.reason, bars)
            if before:
                self._stops.forget(symbol)
        return after

    def _guard(self, ticket: Ticket, fill: Fill, after: int) -> None:
        """Set the entry's stop, or bring the one that stands in step.

        Later fills of the same entry leave the stop where the strategy may have moved it since.
        """
        stands = fill.quantity < ticket.filled and self._stops.price(ticket.symbol) is not None
        if ticket.protective_stop is not None and after * ticket.side.sign > 0 and not stands:
            self._stops.want(
                ticket.symbol,
                ticket.protective_stop,
                f"protective stop of {ticket.order_id}",
                ticket.order_id,
            )
        else:
            self._stops.sync(ticket.symbol)

    def _cancel_siblings(self, ticket: Ticket) -> None:
        """Cancel the other legs of a bracket; the engine does, unless a split renewed them."""
        if ticket.native is None or not ticket.parent_id:
            return
        for other in self._desk.open_tickets(ticket.symbol):
            if other.native is not None and other.parent_id == ticket.parent_id:
                self._desk.withdraw(other)

    def _go_on(self, ticket: Ticket) -> None:
        """Take what a bar's volume could not give to the symbol's next bar, at market."""
        self._desk.go_on(ticket, lambda: self._on_next_bar(ticket))

    def _on_next_bar(self, ticket: Ticket) -> None:
        ticket.disguised = False
        self._desk.wire.next_bar(ticket.symbol, lambda: self._desk.arrive(ticket))

    def _starved(self, ticket: Ticket) -> None:
        """Keep an order that wanted to trade and found nothing: the engine has ended it.

        A stop that only a stale price set off, while its bar is open, stays at the venue in
        disguise until the bar ends. Everything else waits for the next bar.
        """
        ticket.stage = Stage.CONTINUING
        ticket.engine_id = ""
        ticket.starved = False
        waits = ticket.stop is not None and not ticket.elected
        if waits and self._tape.spans(ticket.symbol, self._desk.now()):
            self._disguise(ticket)
        else:
            self._on_next_bar(ticket)
        if ticket.purpose is Purpose.PROTECT:
            self._stops.sync(ticket.symbol)

    def _disguise(self, ticket: Ticket) -> None:
        ticket.disguised = True
        self._desk.arrive(ticket)
        engine_id = ticket.engine_id
        self._desk.wire.bar_end(ticket.symbol, lambda: self._undisguise(ticket, engine_id))

    def _undisguise(self, ticket: Ticket, engine_id: str) -> None:
        """Place a stop again as what it is, now that the engine's price is its bar's close."""
        if ticket.stage is not Stage.WORKING or ticket.engine_id != engine_id:
            return
        self._desk.recall(ticket)
        if ticket.elected:
            self._on_next_bar(ticket)
        else:
            ticket.disguised = False
            self._desk.arrive(ticket)

    def _canceled(self, ticket: Ticket, _event: Any) -> None:
        if ticket.takes and ticket.starved:
            self._starved(ticket)
            return
        self._stops.dropped(ticket)
        self._ended(ticket, "CANCELED")

    def _expired(self, ticket: Ticket, _event: Any) -> None:
        self._ended(ticket, "EXPIRED")

    def _ended(self, ticket: Ticket, status: str) -> None:
        self._desk.close(ticket, status)
        if ticket.purpose is not Purpose.PROTECT:
            self._stops.sync(ticket.symbol)

    def _rejected(self, ticket: Ticket, event: Any) -> None:
        """Record a refusal of the venue; what found no liquidity tries the next bar."""
        if ticket.takes and event.reason.startswith(NO_LIQUIDITY):
            self._starved(ticket)
        elif ticket.reduces and event.reason.startswith(NOTHING_TO_REDUCE):
            # An order of the same instant closed or turned the position first: as at `arrive`.
            self._desk.close(ticket, "CANCELED")
            self._stops.sync(ticket.symbol)
        else:
            self._refused(ticket, event.reason, "REJECTED")

    def _denied(self, ticket: Ticket, event: Any) -> None:
        self._refused(ticket, event.reason, "DENIED")

    def _refused(self, ticket: Ticket, reason: str, status: str) -> None:
        if ticket.purpose is Purpose.CORPORATE:
            # Seen when cash is far below zero. Without its shares every later number is wrong.
            raise RuntimeError(f"the engine refused to book a split of {ticket.symbol}: {reason}")
        denial = Denial(
            limit="engine",
            observed=f"{ticket.side} {ticket.quantity} {ticket.symbol} {ticket.type}",
            allowed="what the simulated venue accepts",
            explanation=reason,
        )
        self._desk.refuse(ticket, (denial,), status)
        if ticket.purpose is not Purpose.PROTECT:
            self._stops.sync(ticket.symbol)

    def _updated(self, ticket: Ticket, event: Any) -> None:
        """Take over quantity and prices that the engine changed (brackets, trailing stops)."""
        ticket.quantity = int(event.quantity)
        if event.price is not None:
            ticket.limit = nanos_of(event.price)
        if event.trigger_price is not None:
            ticket.stop = nanos_of(event.trigger_price)

    def _modify_rejected(self, ticket: Ticket, _event: Any) -> None:
        """Replace a stop that may not be changed where it stands: its size must be right."""
        if ticket.purpose is Purpose.PROTECT and ticket.stage is Stage.WORKING:
            self._stops.replace(ticket.symbol)
