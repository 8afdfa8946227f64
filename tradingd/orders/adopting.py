"""Taking over what others traded, when a person asks for it: the only way it enters the book."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from tradingd.domain.broker import Broker, BrokerFill
from tradingd.domain.journal import AuditRow, OrderState
from tradingd.domain.orders import OrderType, Purpose
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.fills import FAR, Fills
from tradingd.orders.ticket import Ticket

EXTERNAL: Final = "external"
"""Strategy of positions that nobody here opened."""


class Adoption:
    """Books executions of orders that are not ours (by hand, by the kill switch)."""

    def __init__(self, desk: Desk, broker: Broker, fills: Fills) -> None:
        self._desk = desk
        self._broker = broker
        self._fills = fills

    async def run(self, *, reason: str, author: str) -> list[str]:
        """Book every execution of the last days that is not ours; return them as sentences.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer; nothing is booked then.
        """
        orders: dict[str, list[BrokerFill]] = defaultdict(list)
        for fill in await self._broker.fills(self._fills.since(FAR)):
            if not self._fills.known(fill.fill_id) and self._foreign(fill):
                orders[fill.broker_order_id].append(fill)
        return [self._adopt(fills, reason, author) for fills in orders.values()]

    def _foreign(self, fill: BrokerFill) -> bool:
        """Tell whether it is of nobody here; what is ours by its id is never booked by hand."""
        ours = self._desk.ours(fill.client_order_id)
        return not ours and self._desk.get(fill.client_order_id) is None

    def _adopt(self, fills: Sequence[BrokerFill], reason: str, author: str) -> str:
        ticket = self._ticket(fills, f"adopted by {author}: {reason}")
        text = f"{ticket.purpose} {ticket.side} {ticket.quantity} {ticket.symbol}"
        self._desk.add(ticket)
        self._desk.write(
            AuditRow(
                actor=author,
                action="adopt",
                subject=ticket.order_id,
                detail=f"{text}: {reason}",
                wall=self._desk.wall(),
            )
        )
        self._desk.record(ticket, Step.RECOVERED, ticket.reason)
        for fill in fills:
            self._fills.apply(msgspec.structs.replace(fill, client_order_id=ticket.order_id))
        return f"{text} ({ticket.order_id})"

    def _ticket(self, fills: Sequence[BrokerFill], reason: str) -> Ticket:
        """Return an order as the executions tell it: an exit as far as it only takes away."""
        first, shares = fills[0], sum(fill.quantity for fill in fills)
        held = self._desk.held(first.symbol)
        reduces = held * first.side.sign < 0 and shares <= abs(held)
        line = self._desk.book.position(first.symbol)
        owner = EXTERNAL if line is None or line.trip is None else line.trip.strategy
        return Ticket(
            order_id=first.client_order_id or first.broker_order_id,
            run_id=self._desk.run_id,
            strategy=owner if reduces else EXTERNAL,
            symbol=first.symbol,
            side=first.side,
            quantity=shares,
            type=OrderType.MARKET,
            purpose=Purpose.EXIT if reduces else Purpose.ENTRY,
            reason=reason,
            ts=first.ts,
            state=OrderState.WORKING,
            broker_order_id=first.broker_order_id,
            wall=self._desk.wall(),
            sent=True,
        )
