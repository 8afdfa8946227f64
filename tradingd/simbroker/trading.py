"""Commands: submit, replace, cancel, and what an order does when it arrives."""

from collections.abc import Mapping

from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.arrival import arrive
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.legs import read_legs
from tradingd.simbroker.orders import (
    AUCTIONS,
    CANCELED,
    REJECTED,
    TRAILING_STOP,
    WITH_LIMIT,
    WITH_STOP,
    Order,
    objection,
    price_field,
    read,
    text_field,
    whole_field,
)
from tradingd.simbroker.trailing import stop_from

type Message = Mapping[str, object]
type Reply = dict[str, object]


class Trading:
    """Carries out commands on the desk.

    Parameters
    ----------
    desk : Desk
        The broker's state.
    unique_ids : bool
        Reject a client order id that was used before.
    """

    def __init__(self, desk: Desk, *, unique_ids: bool) -> None:
        self._desk = desk
        self._unique_ids = unique_ids

    def submit(self, message: Message, *, pieces: int, injected: str) -> Reply:
        """Take an order; `pieces` > 1 fills it in that many parts, `injected` rejects it."""
        order = read(message)
        legs, tie_objection = read_legs(order, message)
        reason = injected or tie_objection or self._objection(order, *legs)
        if reason:
            self._desk.refuse(order, REJECTED, reason)
            return rejected(reason)
        if pieces > 1:
            order.slice = -(-order.quantity // pieces)
        for opened in (order, *legs):
            self._desk.open(opened)
        for opened in (order, *legs):
            arrive(self._desk, opened)
        return accepted(order) | ({"legs": [leg.broker_order_id for leg in legs]} if legs else {})

    def _objection(self, *orders: Order) -> str:
        for order in orders:
            reason = objection(order) or self._repeated(order)
            if reason:
                return reason
            if order.time_in_force in AUCTIONS and self._desk.hours is None:
                return f"this market has no auctions for a {order.time_in_force} order"
        return ""

    def _repeated(self, order: Order) -> str:
        if self._unique_ids and order.client_order_id and self.named(order.client_order_id):
            return f"client order id {order.client_order_id} was used before"
        return ""

    def replace(self, message: Message, *, injected: str) -> Reply:
        """Change a working order in place; it keeps its ids and what is filled."""
        found = self._addressed(message)
        working = [order for order in found if order.open]
        if injected or not working:
            return rejected(injected or _why_not(found))
        order = working[0]
        quantity = whole_field(message, "quantity", default=order.quantity)
        limit, stop = price_field(message, "limit"), price_field(message, "stop")
        trail, rate = price_field(message, "trail"), price_field(message, "trail_rate")
        reason = _change_objection(order, quantity, limit, stop) or _trail_objection(
            order, trail, rate
        )
        if reason:
            return rejected(reason)
        order.quantity = quantity
        order.limit_price = order.limit_price if limit is None else limit
        order.stop_price = order.stop_price if stop is None else stop
        _set_trail(order, trail, rate)
        self._desk.changed(order)
        arrive(self._desk, order)
        return accepted(order)

    def cancel(self, message: Message, *, injected: str) -> Reply:
        """Cancel every working order of a client order id, or one by the broker's id."""
        found = self._addressed(message)
        working = [order for order in found if order.open]
        if injected or not working:
            return rejected(injected or _why_not(found))
        for order in working:
            self._end(order, "canceled by client")
        return accepted(working[0])

    def _end(self, order: Order, reason: str) -> None:
        if order.open:  # not when it was tied to one before it
            self._desk.finish(order, CANCELED, reason)

    def cancel_all(self) -> Reply:
        """Cancel every working order of the account."""
        working = [*self._desk.working(), *self._desk.held_orders()]
        for order in working:
            self._end(order, "canceled by client, with all others")
        return {"canceled": [order.broker_order_id for order in working]}

    def named(self, client_order_id: str) -> list[Order]:
        """Return every order that came with a client order id, oldest first."""
        return self._desk.store.orders("client_order_id = ?", (client_order_id,))

    def _addressed(self, message: Message) -> list[Order]:
        """Return the orders a message speaks of; working ones as the objects that work."""
        broker_id = text_field(message, "broker_order_id", default="")
        client_id = text_field(message, "client_order_id", default="")
        if not broker_id and not client_id:
            raise BadRequest("client_order_id or broker_order_id is needed")
        if broker_id:
            found = self._desk.store.orders("broker_order_id = ?", (broker_id,))
        else:
            found = self.named(client_id)
        return [self._desk.present(order) for order in found]


def accepted(order: Order) -> Reply:
    """Return the reply of a command that was carried out."""
    return {"outcome": "accepted", "broker_order_id": order.broker_order_id}


def rejected(reason: str) -> Reply:
    """Return the reply of a command that was not."""
    return {"outcome": "rejected", "reason": reason}


def _why_not(found: list[Order]) -> str:
    return f"order is {found[-1].status}" if found else "no such order"


def _change_objection(order: Order, quantity: int, limit: int | None, stop: int | None) -> str:
    if quantity <= order.filled:
        return f"{order.filled} shares are filled; a new total must be larger, not {quantity}"
    if limit is not None and (order.type not in WITH_LIMIT or limit <= 0):
        return f"limit {limit} does not suit a {order.type} order"
    if stop is not None and (order.type not in WITH_STOP or stop <= 0):
        return f"stop {stop} does not suit a {order.type} order"
    if stop is not None and order.triggered and stop != order.stop_price:
        return "the stop has been elected already"
    return ""


def _trail_objection(order: Order, trail: int | None, rate: int | None) -> str:
    if trail is None and rate is None:
        return ""
    if order.type != TRAILING_STOP or (order.trail is None) != (trail is None):
        return f"a trail of this kind does not suit the {order.type} order"
    if (trail or rate or 0) <= 0:
        return "a trail must be above zero"
    return "the stop has been elected already" if order.triggered else ""


def _set_trail(order: Order, trail: int | None, rate: int | None) -> None:
    """Change how far a trailing stop follows; the best price so far stays."""
    if trail is None and rate is None:
        return
    order.trail, order.trail_rate = trail, rate
    if order.mark is not None:
        order.stop_price = stop_from(order, order.mark)
