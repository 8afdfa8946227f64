"""An order's way out: on disk, permitted once more, sent once, its outcome proven."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import (
    Accepted,
    Broker,
    BrokerUnavailable,
    Outcome,
    Rejected,
    Unknown,
    Withdrawn,
)
from tradingd.domain.journal import OrderState
from tradingd.domain.orders import Purpose
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.errors import BrokerErrors
from tradingd.orders.shadow import described
from tradingd.orders.ticket import WAITING_ROOM, WAITS, Ticket
from tradingd.orders.truth import Truth

PROOFS: Final = 3
"""Answers "not here" that it takes, besides the time, to prove an order lost."""

NEVER_SENT: Final = "never sent: the process ended before"
"""Note of an order that waited for its turn when the process ended."""

_FIRST_AGAIN: Final = 0.5
_LONGEST_AGAIN: Final = 5.0
_FIRST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 2.0


class Sender:
    """Sends orders and settles what is not proven.

    Parameters
    ----------
    desk, broker, truth, errors : Desk, Broker, Truth, BrokerErrors
        Parts of the same shim.
    settings : SupervisionConfig
        `settle_seconds`.
    shadow : bool
        Write down what would have been sent, and send nothing.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        truth: Truth,
        errors: BrokerErrors,
        settings: SupervisionConfig,
        *,
        shadow: bool = False,
    ) -> None:
        self.refusal: Callable[[Ticket], str]
        self.room: Callable[[Ticket], bool]
        self.fits: Callable[[Ticket], bool]
        self.alone: Callable[[Ticket], bool]
        self.backed: Callable[[str], int]
        self._desk = desk
        self._broker = broker
        self._truth = truth
        self._errors = errors
        self._settings = settings
        self._shadow = shadow
        self._sending: set[str] = set()
        self._settling: set[str] = set()

    def send(self, ticket: Ticket, committed: Awaitable[None]) -> None:
        """Send an order once its intent is on disk."""
        self._sending.add(ticket.order_id)
        self._desk.spawn(f"send {ticket.order_id}", self._send(ticket, committed))

    def settle(self, ticket: Ticket) -> None:
        """Find out what became of an order that may have been sent."""
        key = ticket.order_id
        if key not in self._settling and key not in self._sending:
            self._settling.add(key)
            self._desk.spawn(f"settle {key}", self._settle(ticket))

    # -- sending ---------------------------------------------------------------------------------

    async def _send(self, ticket: Ticket, committed: Awaitable[None]) -> None:
        try:
            wait = _FIRST_AGAIN
            while await self._ready(ticket, committed):
                if self._shadow:
                    self._desk.close(ticket, OrderState.SHADOW, described(ticket.request()))
                    return
                ticket.sent = True
                self._desk.record(ticket, Step.SENT)
                outcome = await self._submitted(ticket)
                if not self._held_up(ticket, outcome):
                    self._outcome(ticket, outcome)
                    break
                await self._desk.until(lambda: not self._waits(ticket), wait)
                wait = min(2 * wait, _LONGEST_AGAIN)
        except asyncio.CancelledError as ended:
            ticket.sent = ticket.sent and not isinstance(ended, Withdrawn)
            # What waits with a note is taken up by that.
            if ticket.state is OrderState.INTENT and not ticket.sent and ticket.note not in WAITS:
                self._desk.close(ticket, OrderState.CANCELED, NEVER_SENT)
            raise
        finally:
            self._sending.discard(ticket.order_id)
        if ticket.state is OrderState.UNKNOWN:
            self.settle(ticket)

    def _held_up(self, ticket: Ticket, outcome: Outcome) -> bool:
        """Tell whether an order that reduces risk is to be sent again, as it never got there.

        The rate limit stood in front of it: a stop is not refused by that, and an exit not over.
        Entries are: what decided on them may decide again.
        """
        passing = isinstance(outcome, Rejected) and outcome.passing
        if not passing or ticket.purpose is Purpose.ENTRY or ticket.state is not OrderState.INTENT:
            return False
        assert isinstance(outcome, Rejected)
        self._errors.note()
        ticket.sent = False
        if ticket.cancel_asked:
            self._desk.close(ticket, OrderState.CANCELED, f"{ticket.note}; it was never sent")
        else:
            self._desk.record(ticket, Step.INTENT, f"not taken yet: {outcome.reason}")
        return True

    def _waits(self, ticket: Ticket) -> bool:
        """Tell whether an order that was held up is still to be sent."""
        leg = ticket.rests and ticket.purpose is Purpose.PROTECT
        return ticket.open and (not leg or self.fits(ticket))

    async def _ready(self, ticket: Ticket, committed: Awaitable[None]) -> bool:
        """Wait for the commit and for protection to let go; False when it must not leave."""
        try:
            await committed
            ticket.on_disk = True
            if ticket.leaving:
                self._desk.changed(ticket)
            # In shadow mode nothing at the broker ever lets go.
            while not self._shadow and await self._prepared(ticket):
                pass
        except Exception as error:  # noqa: BLE001 - whatever the journal says, nothing is sent
            if self._desk.journal.failure is None:
                self._desk.fault(f"{ticket.order_id} stays here", error)
            if ticket.open:
                self._desk.close(ticket, OrderState.CANCELED, "the journal did not take it")
            return False
        if not ticket.open:
            return False
        refusal = self.refusal(ticket)
        if refusal:
            self._desk.close(ticket, OrderState.CANCELED, f"halted before sending: {refusal}")
        return ticket.open

    async def _prepared(self, ticket: Ticket) -> bool:
        """Do one thing an order still needs before it leaves; False when it needs none."""
        if not ticket.open:
            return False
        if ticket.rests and ticket.purpose is Purpose.PROTECT and not self.fits(ticket):
            self._desk.close(ticket, OrderState.CANCELED, "the position changed before sending")
            return False
        if ticket.purpose is Purpose.ENTRY:
            return False
        if ticket.rests:
            return await self._cleared(ticket)
        if not self.room(ticket):
            await self._desk.until(lambda: not ticket.open or self.room(ticket))
            return True
        cut = self._cut(ticket)
        if not ticket.open or (not cut and ticket.note != WAITING_ROOM):
            return False
        # From here on a restart must take it for sent: that is committed first.
        ticket.note = ""
        await self._desk.record(ticket, Step.INTENT, "protection has let go")
        return True

    async def _cleared(self, ticket: Ticket) -> bool:
        """Wait until what it could trade with has gone; True when that took time."""
        if self.alone(ticket):
            if ticket.note != WAITING_ROOM:
                return False
            ticket.note = ""
            await self._desk.record(ticket, Step.INTENT, "entries have given way")
            return True
        self._desk.changed(ticket)
        await self._desk.until(lambda: not ticket.open or self.alone(ticket))
        return True

    def _cut(self, ticket: Ticket) -> bool:
        """Cut a market exit to what is held and not leaving already; True when that changed it."""
        held = self._desk.held(ticket.symbol)
        others = self._desk.leaving(ticket.symbol) - ticket.leaving
        free = self.backed(ticket.symbol) - others if held * ticket.side.sign < 0 else 0
        if free <= 0:
            self._desk.close(ticket, OrderState.CANCELED, "nothing left to exit")
            return False
        if ticket.quantity <= free:
            return False
        ticket.quantity = free
        self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        return True

    async def _submitted(self, ticket: Ticket) -> Outcome:
        try:
            return await self._broker.submit(ticket.request())
        except Exception as error:  # noqa: BLE001 - after a send nothing but proof counts
            self._desk.fault(f"the broker's client failed while sending {ticket.order_id}", error)
            return Unknown(f"{type(error).__name__}: {error}")

    def _outcome(self, ticket: Ticket, outcome: Outcome) -> None:
        unproven = ticket.state is OrderState.INTENT
        match outcome:
            case Accepted(broker_order_id):
                ticket.broker_order_id = broker_order_id or ticket.broker_order_id
                if unproven:
                    ticket.state = OrderState.WORKING
                    self._desk.record(ticket, Step.ACCEPTED)
            case Rejected(reason):
                self._errors.note()
                if unproven:
                    self._desk.close(ticket, OrderState.REJECTED, reason)
            case Unknown(why):
                self._errors.note()
                if unproven:
                    ticket.state = OrderState.UNKNOWN
                    ticket.note = why
                    self._desk.record(ticket, Step.UNKNOWN, why)

    # -- settling --------------------------------------------------------------------------------

    async def _settle(self, ticket: Ticket) -> None:
        """Ask until the order is proven to be there, or absent for `settle_seconds` on end."""
        loop = asyncio.get_running_loop()
        absent_since, proofs, wait = None, 0, _FIRST_WAIT
        try:
            while _unproven(ticket):
                try:
                    found = await self._truth.ask(ticket)
                except BrokerUnavailable:
                    absent_since, proofs = None, 0
                else:
                    if found is not None:
                        return
                    now = loop.time()
                    proofs += 1
                    absent_since = now if absent_since is None else absent_since
                    if proofs >= PROOFS and now - absent_since >= self._settings.settle_seconds:
                        self._lost(ticket)
                        return
                await self._desk.until(lambda: not _unproven(ticket), wait)
                wait = min(2 * wait, _LONGEST_WAIT, max(0.05, self._settings.settle_seconds / 3))
        finally:
            self._settling.discard(ticket.order_id)

    def _lost(self, ticket: Ticket) -> None:
        if _unproven(ticket):
            self._desk.close(ticket, OrderState.LOST, "the broker has never had it")


def _unproven(ticket: Ticket) -> bool:
    return ticket.state in (OrderState.INTENT, OrderState.UNKNOWN)
