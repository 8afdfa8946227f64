"""Orders that wait for a person, and orders that end at a time."""

from typing import Final

from tradingd.domain.journal import OrderState
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.orders import Purpose
from tradingd.domain.trading import Step
from tradingd.orders.admission import Admission
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.sending import Sender
from tradingd.orders.ticket import WAITING_APPROVAL, Ticket
from tradingd.session.clock import Timer

_MINUTE: Final = 60 * NANOSECONDS


class Approval:
    """Holds entries until somebody approves them; exits never wait.

    Parameters
    ----------
    manual : bool
        False lets everything pass.
    minutes : int
        Data time after which an entry that nobody approved is dropped.
    """

    def __init__(
        self, desk: Desk, sender: Sender, admission: Admission, *, manual: bool, minutes: int
    ) -> None:
        self._desk = desk
        self._sender = sender
        self._admission = admission
        self._manual = manual
        self._minutes = minutes

    def needed(self, ticket: Ticket) -> bool:
        """Tell whether an order has to wait for a person."""
        return self._manual and ticket.purpose is Purpose.ENTRY

    def waiting(self) -> list[Ticket]:
        """Return the orders that wait, oldest first."""
        return [ticket for ticket in self._desk.open() if _waits(ticket)]

    def hold(self, ticket: Ticket) -> None:
        """Drop the order unless it is approved in time."""
        due = ticket.ts + self._minutes * _MINUTE
        self._desk.clock.call_at(due, f"approval of {ticket.order_id}", lambda: self._late(ticket))

    def approve(self, order_id: str) -> bool:
        """Send an order that waits; the limits are asked again, as prices have moved.

        False when nothing waits under that id, or the limits deny it now (it is then over).
        """
        ticket = self._desk.get(order_id)
        if ticket is None or not _waits(ticket):
            return False
        self._desk.book.order_closed(order_id)
        denials = self._admission.judge(ticket)
        if denials:
            why = "; ".join(denial.explanation for denial in denials)
            rows = self._admission.decisions(ticket, denials)
            self._desk.close(ticket, OrderState.CANCELED, f"denied when approved: {why}", *rows)
            return False
        self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        ticket.note = ""
        self._sender.send(ticket, self._desk.record(ticket, Step.INTENT, "approved"))
        return True

    def reject(self, order_id: str) -> bool:
        """Drop an order that waits; False when nothing waits under that id."""
        ticket = self._desk.get(order_id)
        if ticket is None or not _waits(ticket):
            return False
        self._desk.close(ticket, OrderState.CANCELED, "not approved")
        return True

    def _late(self, ticket: Ticket) -> None:
        if _waits(ticket):
            self._desk.close(ticket, OrderState.CANCELED, "nobody approved it in time")


class Expiry:
    """Cancels orders whose time is over, across restarts."""

    def __init__(self, desk: Desk, changes: Changes) -> None:
        self._desk = desk
        self._changes = changes
        self._timers: dict[str, Timer] = {}

    def watch(self, ticket: Ticket) -> None:
        """Cancel an order when data time passes its `expires`."""
        if ticket.expires is not None and ticket.open:
            self._timers[ticket.order_id] = self._desk.clock.call_at(
                ticket.expires, f"expiry of {ticket.order_id}", lambda: self._over(ticket)
            )

    def changed(self, ticket: Ticket) -> None:
        """Forget the timer of an order that is over."""
        if not ticket.open and (timer := self._timers.pop(ticket.order_id, None)) is not None:
            timer.cancel()

    def _over(self, ticket: Ticket) -> None:
        self._timers.pop(ticket.order_id, None)
        self._changes.cancel(ticket, "its time is over")


def _waits(ticket: Ticket) -> bool:
    return ticket.open and not ticket.sent and ticket.note == WAITING_APPROVAL
