"""Commands: submit, replace, cancel, and what an order does when it arrives."""

from collections.abc import Mapping

from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.desk import Desk
from tradingd.simbroker.matching import reaches_stop, touch_price, within_limit
from tradingd.simbroker.orders import (
    BUY,
    CANCELED,
    REJECTED,
    WITH_LIMIT,
    WITH_STOP,
    WORKING,
    Order,
    objection,
    price_field,
    read,
    text_field,
    whole_field,
)

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
        reason = injected or objection(order) or self._repeated(order)
        if reason:
            self._desk.refuse(order, REJECTED, reason)
            return rejected(reason)
        if pieces > 1:
            order.slice = -(-order.quantity // pieces)
        self._desk.open(order)
        self._arrive(order)
        return accepted(order)

    def _repeated(self, order: Order) -> str:
        if self._unique_ids and order.client_order_id and self.named(order.client_order_id):
            return f"client order id {order.client_order_id} was used before"
        return ""

    def replace(self, message: Message, *, injected: str) -> Reply:
        """Change a working order in place; it keeps its ids and what is filled."""
        found = self._addressed(message)
        working = [order for order in found if order.status == WORKING]
        if injected or not working:
            return rejected(injected or _why_not(found))
        order = working[0]
        quantity = whole_field(message, "quantity", default=order.quantity)
        limit, stop = price_field(message, "limit"), price_field(message, "stop")
        reason = _change_objection(order, quantity, limit, stop)
        if reason:
            return rejected(reason)
        order.quantity = quantity
        order.limit_price = order.limit_price if limit is None else limit
        order.stop_price = order.stop_price if stop is None else stop
        self._desk.changed(order)
        self._arrive(order)
        return accepted(order)

    def cancel(self, message: Message, *, injected: str) -> Reply:
        """Cancel every working order of a client order id, or one by the broker's id."""
        found = self._addressed(message)
        working = [order for order in found if order.status == WORKING]
        if injected or not working:
            return rejected(injected or _why_not(found))
        for order in working:
            self._desk.finish(order, CANCELED, "canceled by client")
        return accepted(working[0])

    def cancel_all(self) -> Reply:
        """Cancel every working order of the account."""
        working = self._desk.working()
        for order in working:
            self._desk.finish(order, CANCELED, "canceled by client, with all others")
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

    def _arrive(self, order: Order) -> None:
        """Trade at once what can trade at the present bid and ask."""
        touch = self._desk.touch(order.symbol)
        if touch is None or self._desk.keeps_waiting(order.symbol):
            return
        if order.waits_for_stop:
            quote = self._desk.quotes.get(order.symbol)
            if quote is not None:
                reference = quote.ask if order.side == BUY else quote.bid
            else:
                reference = self._desk.last[order.symbol]
            if not reaches_stop(order, reference):
                return
            order.triggered = 1
        price = touch_price(order, touch)
        if order.takes_any_price or within_limit(order, price):
            self._desk.execute(order, price)
        elif order.triggered:
            self._desk.changed(order)


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
