"""What the broker says of an order, applied to what we know of it."""

import asyncio
from collections.abc import Callable
from typing import Final

from tradingd.domain.broker import Broker, BrokerUnavailable
from tradingd.domain.broker_reports import BrokerOrder, BrokerStatus
from tradingd.domain.journal import OrderState
from tradingd.domain.orders import Purpose
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.errors import BrokerErrors
from tradingd.orders.fills import Fills
from tradingd.orders.ticket import Ticket

_UNPROVEN: Final = (OrderState.INTENT, OrderState.UNKNOWN)


class Truth:
    """Takes order reports, asks for them, and fetches fills that a report proves to exist.

    Parameters
    ----------
    desk, broker, fills, errors : Desk, Broker, Fills, BrokerErrors
        Parts of the same shim.
    """

    def __init__(self, desk: Desk, broker: Broker, fills: Fills, errors: BrokerErrors) -> None:
        self.cancel: Callable[[Ticket, str], object]
        self.mismatch: Callable[[str], None]
        self._desk = desk
        self._broker = broker
        self._fills = fills
        self._errors = errors
        self._fetching: asyncio.Task[None] | None = None
        self._again = False
        self._flagged: set[str] = set()
        fills.look = self.look

    async def ask(self, ticket: Ticket) -> BrokerOrder | None:
        """Ask the broker for one order and apply the answer; None proves that it is not there.

        Raises
        ------
        BrokerUnavailable
            When there is no answer.
        """
        try:
            found = await self._broker.order(ticket.order_id)
        except BrokerUnavailable:
            self._errors.note()
            raise
        if found is not None:
            self.apply(found, asked=True)
        return found

    def look(self, ticket: Ticket) -> None:
        """Ask for an order in a task of its own, until there is an answer."""
        self._desk.spawn(f"ask {ticket.order_id}", self._look(ticket))

    def apply(self, order: BrokerOrder, *, asked: bool) -> bool:
        """Apply a report; `asked` marks the answer to a question, which is never out of date.

        Returns False for an order that is not ours.
        """
        ticket = self._desk.get(order.client_order_id)
        if ticket is None:
            return False
        ticket.broker_order_id = order.broker_order_id or ticket.broker_order_id
        if asked:
            ticket.inherited = False
            self._overfilled(ticket, order)
        if order.status is BrokerStatus.WORKING:
            self._working(ticket, order, asked)
            if order.filled > ticket.filled:
                self.fetch_fills()
        else:
            self._over(ticket, order)
        return True

    def fetch_fills(self) -> None:
        """Fetch fills that must exist and have not been told."""
        if self._fetching is not None and not self._fetching.done():
            self._again = True
            return
        self._fetching = self._desk.spawn("fetch fills", self._fetch())

    # -- private ---------------------------------------------------------------------------------

    def _overfilled(self, ticket: Ticket, order: BrokerOrder) -> None:
        if ticket.filled > order.quantity and ticket.order_id not in self._flagged:
            self._flagged.add(ticket.order_id)
            self.mismatch(
                f"{ticket.order_id} {ticket.symbol}: {ticket.filled} shares filled of an order for"
                f" {order.quantity}"
            )

    def _working(self, ticket: Ticket, order: BrokerOrder, asked: bool) -> None:
        if ticket.open:
            self._take(ticket, order, asked)
        elif ticket.state is OrderState.LOST or asked:
            was = ticket.state
            self._desk.revive(ticket, f"was {was}, but the broker has it")
            self._take(ticket, order, True)
            if ticket.purpose is Purpose.ENTRY:
                self.cancel(ticket, f"it appeared after it had been {was}")

    def _take(self, ticket: Ticket, order: BrokerOrder, asked: bool) -> None:
        """Take the broker's numbers: when it proves an unknown order, and when it was asked."""
        unproven = ticket.state in _UNPROVEN
        numbers = (order.quantity, order.limit, order.stop)
        differs = numbers != (ticket.quantity, ticket.limit, ticket.stop)
        if differs and (asked or unproven) and not ticket.busy:
            ticket.quantity, ticket.limit, ticket.stop = numbers
            if ticket.leaves:
                self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        elif not unproven:
            if differs and not ticket.busy:
                # Out of date, or a change of ours that arrived late: the broker says which.
                self.look(ticket)
            return
        if not unproven:
            self._desk.record(ticket, Step.REPLACED, "as the broker has it")
            return
        ticket.state = OrderState.WORKING
        ticket.note = ""
        self._desk.record(ticket, Step.ACCEPTED, "found at the broker" if asked else "")

    def _over(self, ticket: Ticket, order: BrokerOrder) -> None:
        state = OrderState(order.status.value)
        ticket.quantity = order.quantity
        if order.filled > ticket.filled:
            ticket.ending = (state, order.filled, _reason(ticket, order))
            self.fetch_fills()
        elif ticket.open or ticket.state is OrderState.LOST:
            self._desk.close(ticket, state, _reason(ticket, order))

    async def _fetch(self) -> None:
        wait = 0.1
        while True:
            self._again = False
            try:
                for fill in await self._broker.fills(self._fills.since()):
                    self._fills.apply(fill)
            except BrokerUnavailable:
                self._errors.note()
                self._again = True
                await asyncio.sleep(wait)
                wait = min(2 * wait, 5.0)
            if not self._again:
                return

    async def _look(self, ticket: Ticket) -> None:
        wait = 0.1
        while True:
            try:
                await self.ask(ticket)
                return
            except BrokerUnavailable:
                await asyncio.sleep(wait)
                wait = min(2 * wait, 5.0)


def _reason(ticket: Ticket, order: BrokerOrder) -> str:
    """Return why an order is over: whoever cancelled it knows better than the broker."""
    ours = ticket.note if ticket.cancel_asked and order.status is BrokerStatus.CANCELED else ""
    return ours or order.reason or ticket.note
