"""A wish on its way in: judged at once, written down, sent or kept."""

from tradingd.domain.journal import OrderState
from tradingd.domain.orders import Denial, Purpose, Verdict
from tradingd.domain.trading import Admission as Admitted
from tradingd.domain.trading import Step, Wish
from tradingd.orders.admission import Admission
from tradingd.orders.desk import Desk
from tradingd.orders.naming import leg_letter
from tradingd.orders.protection import Protection
from tradingd.orders.sending import Sender
from tradingd.orders.ticket import WAITING_APPROVAL, WAITING_ROOM, Ticket
from tradingd.orders.waiting import Approval, Expiry
from tradingd.orders.watching import Watching


class Intake:
    """Takes wishes; the parameters are parts of the same shim."""

    def __init__(
        self,
        desk: Desk,
        *,
        admission: Admission,
        approval: Approval,
        expiry: Expiry,
        protection: Protection,
        sender: Sender,
        watching: Watching,
    ) -> None:
        self._desk = desk
        self._admission = admission
        self._approval = approval
        self._expiry = expiry
        self._protection = protection
        self._sender = sender
        self._watching = watching

    def submit(self, wish: Wish, order_id: str | None) -> Admitted:
        """Judge a wish; write it down and send it, or record why not.

        Raises
        ------
        ValueError
            When the wish makes no sense, or the id was used before.
        """
        if order_id is not None and self._desk.get(order_id) is not None:
            raise ValueError(f"order id {order_id} was used before")
        fresh = order_id or self.next_id(wish.strategy, wish.purpose)
        ticket = self._admission.ticket(wish, fresh)
        denials = self._denials(ticket)
        if denials:
            return self._deny(ticket, denials)
        self._desk.add(ticket)
        self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        held_back = self._approval.needed(ticket)
        if held_back:
            ticket.note = WAITING_APPROVAL
        elif self._watching.needed(ticket):
            self._watching.keep(ticket)
        elif self._blocked(ticket):
            ticket.note = WAITING_ROOM
        signal = self._admission.signal(ticket)
        committed = self._desk.record(ticket, Step.INTENT, ticket.note, signal)
        self._expiry.watch(ticket)
        if held_back:
            self._approval.hold(ticket)
        elif ticket.watched:
            self._watching.kept(ticket)
        else:
            self._sender.send(ticket, committed)
        return Admitted(ticket.order_id, Verdict())

    def next_id(self, strategy: str, purpose: Purpose | None) -> str:
        """Return an order id that has never been used; it names its owner (`naming`)."""
        return self._desk.next_id(strategy, leg_letter(purpose))

    def _blocked(self, ticket: Ticket) -> bool:
        if ticket.purpose is Purpose.ENTRY:
            return False
        fits = self._protection.room if ticket.leaving else self._protection.alone
        return not fits(ticket)

    def _denials(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Ask first what the broker takes at all; only the rest is put to the gate."""
        unable = self._admission.unable(ticket) or self._watching.denial(ticket)
        return self._admission.judge(ticket) if unable is None else (unable,)

    def _deny(self, ticket: Ticket, denials: tuple[Denial, ...]) -> Admitted:
        self._desk.add(ticket)
        limits = ", ".join(denial.limit for denial in denials)
        self._desk.close(
            ticket,
            OrderState.DENIED,
            limits,
            *self._admission.decisions(ticket, denials),
            self._admission.signal(ticket),
        )
        return Admitted(ticket.order_id, Verdict(denials))
