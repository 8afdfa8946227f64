"""Taking over what the journal does not have, when a person asks for it: its only way in.

Orders of others (by hand, by the kill switch), and orders of ours whose journal was lost or put
back from an earlier day: those tell their strategy and leg by their ids.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from tradingd.domain.broker import Broker
from tradingd.domain.broker_reports import BrokerFill, BrokerOrder
from tradingd.domain.journal import AuditRow, OrderState
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.trading import Step
from tradingd.orders.desk import Desk
from tradingd.orders.fills import FAR, Fills
from tradingd.orders.guard import Guard, Leg, leg_of
from tradingd.orders.protection import Protection
from tradingd.orders.ticket import Ticket
from tradingd.orders.truth import Truth

EXTERNAL: Final = "external"
"""Strategy of positions that nobody here opened."""


class Adoption:
    """Books executions of orders that the journal lacks, and follows those of ours that work.

    Parameters
    ----------
    desk, broker, fills, protection, truth
        Parts of the same shim.
    strategies : Callable
        Names of the strategies that ids may stand for.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        fills: Fills,
        protection: Protection,
        truth: Truth,
        *,
        strategies: Callable[[], Iterable[str]],
    ) -> None:
        self._desk = desk
        self._broker = broker
        self._fills = fills
        self._protection = protection
        self._truth = truth
        self._strategies = strategies

    async def run(self, *, reason: str, author: str) -> list[str]:
        """Take over every execution of the last days, and every working order of ours.

        Working orders of others stay theirs. Returns what was adopted as sentences.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer; nothing is booked then.
        """
        found = await self._broker.fills(self._fills.since(FAR))
        orders = await self._ours(found)
        # From here on nothing waits: no fill may come between two of these.
        executed: dict[str, list[BrokerFill]] = defaultdict(list)
        for fill in found:
            if not self._fills.known(fill.fill_id) and self._missing(fill.client_order_id):
                executed[fill.broker_order_id].append(fill)
        why = f"adopted by {author}: {reason}"
        told = []
        for fills in executed.values():
            order = orders.get(fills[0].client_order_id)
            ticket = self._foreign(fills, why) if order is None else self._own(order, why)
            told.append(self._adopt(ticket, fills, reason, author))
        for order in orders.values():
            if self._missing(order.client_order_id):
                told.append(self._adopt(self._own(order, why), (), reason, author))
            self._truth.apply(order, asked=True)
        return told

    # -- private ---------------------------------------------------------------------------------

    async def _ours(self, fills: Sequence[BrokerFill]) -> Mapping[str, BrokerOrder]:
        """Return the orders that are ours by their ids and not in the journal, by those ids."""
        orders = {
            order.client_order_id: order
            for order in await self._broker.open_orders()
            if self._lost(order.client_order_id)
        }
        for key in dict.fromkeys(fill.client_order_id for fill in fills):
            if key not in orders and self._lost(key):
                order = await self._broker.order(key)
                if order is not None:
                    orders[key] = order
        return orders

    def _missing(self, client_order_id: str) -> bool:
        return self._desk.get(client_order_id) is None

    def _lost(self, client_order_id: str) -> bool:
        return self._desk.ours(client_order_id) and self._missing(client_order_id)

    def _adopt(self, ticket: Ticket, fills: Sequence[BrokerFill], reason: str, author: str) -> str:
        text = f"{ticket.purpose} {ticket.side} {ticket.quantity} {ticket.symbol}"
        if self._desk.ours(ticket.order_id):
            text += f" of {ticket.strategy}"
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
        if ticket.open:
            self._guarded(ticket)
        return f"{text} ({ticket.order_id})"

    def _guarded(self, ticket: Ticket) -> None:
        """Let a stop or target that works be wanted: it is what the position is guarded by."""
        leg, held = leg_of(ticket), self._desk.held(ticket.symbol)
        if leg not in (Leg.STOP, Leg.TARGET) or held * ticket.side.sign >= 0:
            return
        before = self._protection.guard(ticket.symbol)
        guard = before or Guard(
            symbol=ticket.symbol, strategy=ticket.strategy, parent_id="", reason=ticket.reason
        )
        field, price = ("stop", ticket.stop) if leg is Leg.STOP else ("take_profit", ticket.limit)
        self._desk.write(self._protection.want(msgspec.structs.replace(guard, **{field: price})))

    def _own(self, order: BrokerOrder, reason: str) -> Ticket:
        """Return an order of ours as the broker has it; its id says whose it is."""
        known = (ticket.strategy for ticket in self._desk.known())
        strategy, letter = self._desk.sender(order.client_order_id, (*self._strategies(), *known))
        purpose = letter.purpose or self._purpose(order.symbol, order.side, order.quantity)
        owner = strategy or self._owner(order.symbol)
        return Ticket(
            order_id=order.client_order_id,
            run_id=self._desk.run_id,
            strategy=owner,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            type=order.type,
            purpose=purpose,
            reason=reason,
            ts=order.ts,
            limit=order.limit,
            stop=order.stop,
            time_in_force=order.time_in_force,
            state=OrderState.WORKING,
            broker_order_id=order.broker_order_id,
            wall=self._desk.wall(),
            on_disk=True,
            sent=True,
        )

    def _foreign(self, fills: Sequence[BrokerFill], reason: str) -> Ticket:
        """Return an order as the executions tell it: an exit as far as it only takes away."""
        first, shares = fills[0], sum(fill.quantity for fill in fills)
        purpose = self._purpose(first.symbol, first.side, shares)
        return Ticket(
            order_id=first.client_order_id or first.broker_order_id,
            run_id=self._desk.run_id,
            strategy=self._owner(first.symbol) if purpose is Purpose.EXIT else EXTERNAL,
            symbol=first.symbol,
            side=first.side,
            quantity=shares,
            type=OrderType.MARKET,
            purpose=purpose,
            reason=reason,
            ts=first.ts,
            state=OrderState.WORKING,
            broker_order_id=first.broker_order_id,
            wall=self._desk.wall(),
            on_disk=True,
            sent=True,
        )

    def _purpose(self, symbol: str, side: Side, shares: int) -> Purpose:
        held = self._desk.held(symbol)
        reduces = held * side.sign < 0 and shares <= abs(held)
        return Purpose.EXIT if reduces else Purpose.ENTRY

    def _owner(self, symbol: str) -> str:
        line = self._desk.book.position(symbol)
        return EXTERNAL if line is None or line.trip is None else line.trip.strategy
