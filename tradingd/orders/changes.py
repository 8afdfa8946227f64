"""Cancels, pursued until the order is over, and changes, followed until they are proven."""

import asyncio
from typing import Final

from tradingd.domain.broker import Accepted, Broker, BrokerUnavailable, Outcome, Rejected, Unknown
from tradingd.domain.journal import OrderEventRow, OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.errors import BrokerErrors
from tradingd.orders.shadow import Shadow, changed
from tradingd.orders.ticket import Ticket
from tradingd.orders.truth import Truth

_FIRST_WAIT: Final = 0.1
_PATIENCE: Final = 1.0
_LONGEST_WAIT: Final = 5.0
_PASSING: Final = 0.5
"""Seconds after a change that the broker never saw."""


class Changes:
    """Takes orders back and changes them.

    A cancel is idempotent at the broker, so it is asked again until the order is over. A change
    whose outcome is unknown is settled by asking what the order is now. With a `shadow` both are
    written down there and not asked for.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        truth: Truth,
        errors: BrokerErrors,
        shadow: Shadow | None = None,
    ) -> None:
        self._desk = desk
        self._broker = broker
        self._truth = truth
        self._errors = errors
        self._shadow = shadow
        self._pursued: set[str] = set()

    def cancel(self, ticket: Ticket, reason: str) -> bool:
        """Take an order back; False when it is over already."""
        if not ticket.open:
            return False
        if not ticket.sent:
            self._desk.close(ticket, OrderState.CANCELED, f"{reason}; it was never sent")
            return True
        if self._shadow is not None:
            self._shadow.would(ticket, f"would have cancelled it: {reason}")
            return False
        if not ticket.cancel_asked:
            ticket.cancel_asked = True
            ticket.note = reason
            self._desk.record(ticket, Step.CANCEL_ASKED, reason)
        self.pursue(ticket)
        return True

    def pursue(self, ticket: Ticket) -> None:
        """Ask for a cancel until the order is over."""
        if self._shadow is None and ticket.order_id not in self._pursued:
            self._pursued.add(ticket.order_id)
            self._desk.spawn(f"cancel {ticket.order_id}", self._pursue(ticket))

    def again(self, ticket: Ticket) -> None:
        """Go on with the cancel of an order that was thought to be over and is not."""
        if ticket.cancel_asked and ticket.open:
            self.pursue(ticket)

    def replace(
        self, ticket: Ticket, *, quantity: int, limit: Nanos | None, stop: Nanos | None, reason: str
    ) -> None:
        """Change a working order where it stands."""
        if self._shadow is not None:
            self._shadow.would(ticket, changed(quantity, limit, stop))
            return
        ticket.busy = True
        self._desk.spawn(
            f"replace {ticket.order_id}", self._replace(ticket, quantity, limit, stop, reason)
        )

    # -- private ---------------------------------------------------------------------------------

    async def _pursue(self, ticket: Ticket) -> None:
        wait = _FIRST_WAIT
        try:
            while ticket.open:
                outcome = await self._asked(ticket)
                passing = isinstance(outcome, Rejected) and outcome.passing
                patience = _PATIENCE if isinstance(outcome, Accepted) else wait
                if await self._desk.until(lambda: not ticket.open, patience):
                    return
                if not passing:
                    await self._look(ticket)
                wait = min(2 * wait, _LONGEST_WAIT)
        finally:
            self._pursued.discard(ticket.order_id)

    async def _asked(self, ticket: Ticket) -> Outcome:
        try:
            outcome = await self._broker.cancel(ticket.order_id)
        except Exception as error:  # noqa: BLE001 - asked again, whatever it was
            self._desk.fault(f"the broker's client failed cancelling {ticket.order_id}", error)
            outcome = Unknown(str(error))
        if isinstance(outcome, Unknown):
            self._errors.note()
        return outcome

    async def _look(self, ticket: Ticket) -> bool:
        """Ask what an order is now; False without an answer."""
        try:
            await self._truth.ask(ticket)
        except BrokerUnavailable:
            return False
        return True

    async def _replace(
        self, ticket: Ticket, quantity: int, limit: Nanos | None, stop: Nanos | None, reason: str
    ) -> None:
        outcome: Outcome
        try:
            try:
                outcome = await self._broker.replace(
                    ticket.order_id, quantity=quantity, limit=limit, stop=stop
                )
            except Exception as error:  # noqa: BLE001 - settled by asking, whatever it was
                self._desk.fault(f"the broker's client failed changing {ticket.order_id}", error)
                outcome = Unknown(str(error))
        finally:
            ticket.busy = False
        if not isinstance(outcome, Accepted):
            await self._refused(ticket, outcome)
        elif ticket.open:
            ticket.quantity, ticket.limit, ticket.stop = quantity, limit, stop
            self._claim(ticket)
            self._desk.record(ticket, Step.REPLACED, reason)
            if not ticket.leaves:
                self._truth.look(ticket)

    async def _refused(self, ticket: Ticket, outcome: Outcome) -> None:
        """Take what the order is now; a broker that refused once is not asked to change it again.

        After an unknown outcome the order is not touched until the broker has answered; after one
        that never reached it, for a moment.
        """
        self._errors.note()
        passing = isinstance(outcome, Rejected) and outcome.passing
        ticket.stubborn = isinstance(outcome, Rejected) and not passing and self._broker.connected
        ticket.busy = True
        wait = _FIRST_WAIT
        try:
            if passing:
                await asyncio.sleep(_PASSING)
            while not passing and ticket.open and not await self._answered(ticket):
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
        finally:
            ticket.busy = False
        self._claim(ticket)
        now = self._desk.clock.now()
        self._desk.write(
            OrderEventRow(
                order_id=ticket.order_id,
                step="replace_refused" if ticket.stubborn or passing else "replace_unknown",
                detail=str(outcome),
                ts=now,
                wall=self._desk.wall(),
            )
        )
        self._desk.changed(ticket)
        self._desk.wake()

    async def _answered(self, ticket: Ticket) -> bool:
        ticket.busy = False  # the answer's numbers are to be taken
        try:
            return await self._look(ticket)
        finally:
            ticket.busy = True

    def _claim(self, ticket: Ticket) -> None:
        """Let the book count what is left of the order as it is now."""
        if ticket.open and ticket.leaves:
            self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
