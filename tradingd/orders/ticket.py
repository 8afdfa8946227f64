"""One order as the shim follows it, from the wish to its last fill."""

import msgspec

from tradingd.domain.broker_requests import OrderRequest, TimeInForce
from tradingd.domain.journal import OrderRow, OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.orders import OrderIntent, OrderType, Purpose, Side

WAITING_APPROVAL = "waiting for approval"
WAITING_ROOM = "waiting until protection lets go"
WAITING_PRICE = "waiting for its price"
"""Notes of an INTENT that has certainly not been sent: it was journaled before it might leave."""

WAITS = (WAITING_APPROVAL, WAITING_ROOM, WAITING_PRICE)


class Ticket(msgspec.Struct, kw_only=True):
    """An order of ours. Mutable on purpose: it changes with every event of its life.

    The second group of fields belongs to this process alone. `on_disk` is set once its intent is.
    `sent` is set before the broker's client is called, and for everything an earlier process may
    have sent. `own` orders are the shim's flattening, which passes every state. `busy` while a
    change is under way, `stubborn` once the broker has refused one. `inherited` until the broker
    was asked: an earlier process may have been changing the order, so its size is not certain.
    `ending` is a final state that the broker told before the fills that belong to it, with the
    number of shares filled by then.
    """

    order_id: str
    run_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: int
    type: OrderType
    purpose: Purpose
    reason: str
    ts: int
    limit: Nanos | None = None
    stop: Nanos | None = None
    protective_stop: Nanos | None = None
    take_profit: Nanos | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    expires: int | None = None
    parent_id: str = ""
    state: OrderState = OrderState.INTENT
    broker_order_id: str = ""
    filled: int = 0
    paid: Nanos = 0
    commission: Nanos = 0
    cancel_asked: bool = False
    note: str = ""
    wall: int = 0
    closed_wall: int | None = None
    trail: Nanos | None = None
    trail_bps: int | None = None
    extended_hours: bool = False

    on_disk: bool = False
    sent: bool = False
    own: bool = False
    busy: bool = False
    stubborn: bool = False
    inherited: bool = False
    touch: Nanos = 0
    ending: tuple[OrderState, int, str] | None = None

    @property
    def leaves(self) -> int:
        """Shares not filled yet; never negative."""
        return max(0, self.quantity - self.filled)

    @property
    def open(self) -> bool:
        """True until the order has its final state."""
        return not self.state.final

    @property
    def certain(self) -> bool:
        """True when the size of the order at the broker is what we believe."""
        return not self.busy and not self.inherited

    @property
    def immediate(self) -> bool:
        """True when the order does not stay: market orders out of the auctions, IOC and FOK."""
        if self.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            return True
        auction = self.time_in_force in (TimeInForce.OPG, TimeInForce.CLS)
        return self.type is OrderType.MARKET and not auction

    @property
    def leaving(self) -> int:
        """Shares that are on their way out now."""
        takes = self.immediate and self.purpose is not Purpose.ENTRY
        return self.leaves if takes and self.open else 0

    @property
    def rests(self) -> bool:
        """True for stops, targets and resting exits: orders that may sell what is held, later."""
        return self.purpose is not Purpose.ENTRY and not self.immediate

    @property
    def watched(self) -> bool:
        """True for a resting exit that is kept here until its price is reached."""
        return not self.sent and self.note == WAITING_PRICE

    @property
    def still(self) -> bool:
        """True when the order works at the broker and nothing about it is under way."""
        return self.state is OrderState.WORKING and not self.busy and not self.cancel_asked

    @property
    def unproven(self) -> bool:
        """True when it is not known what the order is, or when it can leave."""
        if not self.sent:
            return self.note == WAITING_ROOM
        return self.state is not OrderState.WORKING or self.ending is not None

    @property
    def in_flight(self) -> bool:
        """True when an answer of the broker decides the order now."""
        waits = self.note in WAITS
        unproven = self.state in (OrderState.INTENT, OrderState.UNKNOWN) and not waits
        return unproven or self.cancel_asked

    def intent(self, mark: Nanos) -> OrderIntent:
        """Return what the gate judges: what is left, a market order at the last mark."""
        price = self.limit if self.limit is not None else self.stop
        return OrderIntent(
            order_id=self.order_id,
            strategy=self.strategy,
            symbol=self.symbol,
            side=self.side,
            quantity=self.leaves,
            type=self.type,
            price=mark if price is None else price,
            purpose=self.purpose,
            reason=self.reason,
            ts=self.ts,
            protective_stop=self.protective_stop,
        )

    def request(self) -> OrderRequest:
        """Return the order as it is sent, once."""
        return OrderRequest(
            client_order_id=self.order_id,
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            type=self.type,
            limit=self.limit,
            stop=self.stop,
            time_in_force=self.time_in_force,
            trail=self.trail,
            trail_bps=self.trail_bps,
            extended_hours=self.extended_hours,
            urgent=self.purpose is not Purpose.ENTRY,
        )

    def row(self) -> OrderRow:
        """Return the order as the journal keeps it."""
        return OrderRow(
            order_id=self.order_id,
            run_id=self.run_id,
            strategy=self.strategy,
            symbol=self.symbol,
            side=self.side.value,
            quantity=self.quantity,
            type=self.type.value,
            purpose=self.purpose.value,
            reason=self.reason,
            state=self.state.value,
            limit=self.limit,
            stop=self.stop,
            protective_stop=self.protective_stop,
            take_profit=self.take_profit,
            time_in_force=self.time_in_force.value,
            expires=self.expires,
            parent_id=self.parent_id,
            broker_order_id=self.broker_order_id,
            filled=self.filled,
            paid=self.paid,
            commission=self.commission,
            cancel_asked=self.cancel_asked,
            note=self.note,
            ts=self.ts,
            wall=self.wall,
            closed_wall=self.closed_wall,
            trail=self.trail,
            trail_bps=self.trail_bps,
            extended_hours=self.extended_hours,
        )


def recalled(row: OrderRow) -> Ticket:
    """Return a journaled order; it counts as sent unless its note proves that it was not."""
    held = row.state == OrderState.INTENT and row.note in WAITS
    fields = msgspec.structs.asdict(row)
    return msgspec.convert(
        {**fields, "on_disk": True, "sent": not held, "inherited": not held}, Ticket
    )
