"""The engine's own order verbs, judged by the gate and recorded like ours."""

from decimal import Decimal
from typing import Any

from nautilus_trader.model import OrderSide, OrderStatus, PositionSide, TriggerType

from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, OrderType, Purpose
from tradingd.engine.desk import Desk
from tradingd.engine.fills import trigger_of
from tradingd.engine.orders import (
    limit_of,
    purpose_of,
    reason_of,
    side_of,
    type_of,
)
from tradingd.engine.stops import Stops
from tradingd.engine.ticket import Stage, Ticket
from tradingd.engine.units import SIDES, nanos_of


class NativeVerbs:
    """Leads engine orders, changes and cancels through the desk."""

    def __init__(self, desk: Desk, stops: Stops) -> None:
        self._desk = desk
        self._stops = stops
        self._by_id: dict[str, Ticket] = {}

    def submit(self, order: Any, **options: Any) -> None:
        """Gate and send one engine order."""
        ticket = self._ticket(order, options)
        denials = self._sent_before(ticket) or _unheld(ticket) or self._desk.judge(ticket).denials
        denials = denials or _unplaceable(order)
        if denials:
            self._desk.refuse(ticket, denials)
        else:
            self._desk.register(ticket)
            self._desk.wire.order(ticket.symbol, lambda: self._desk.arrive(ticket))

    def submit_list(self, order_list: Any, **options: Any) -> None:
        """Gate and send a list: the first order that is denied takes the others with it."""
        orders = orders_of(order_list)
        stop = next((trigger_of(order) for order in orders if trigger_of(order) is not None), None)
        tickets = [self._ticket(order, options) for order in orders]
        tickets[0].protective_stop = stop
        for ticket in tickets:
            guards = 0 if ticket is tickets[0] else tickets[0].quantity
            denials = _unheld(ticket) or self._desk.judge(ticket, guards).denials
            if denials:
                for refused in tickets:
                    self._desk.refuse(refused, denials)
                return
            # Registered at once, so that the next order of the list is judged beside this one.
            ticket.parent_id = "" if ticket is tickets[0] else tickets[0].order_id
            self._desk.register(ticket)
        # A protective stop of ours beside the bracket's own would close the position twice.
        tickets[0].protective_stop = None
        self._desk.wire.order(
            tickets[0].symbol, lambda: self._place_list(order_list, tickets, options)
        )

    def modify(self, order_id: str, quantity: Any, price: Any, trigger: Any) -> None:
        """Change an order; a changed entry is judged like a new one."""
        ticket = self._find(order_id)
        if ticket is None:
            return
        changed = {
            "quantity": None if quantity is None else int(quantity),
            "limit": None if price is None else nanos_of(price),
            "stop": None if trigger is None else nanos_of(trigger),
        }
        if ticket.purpose is Purpose.PROTECT:
            allowed = changed["stop"] is None or self._may_stop_at(ticket, changed["stop"])
        else:
            allowed = self._allowed(ticket, changed)
        if not allowed:
            return
        # A limit may become marketable: then it needs a bar to trade in, as a new one does.
        if ticket.limit is None:
            self._desk.wire.message(lambda: self._change(ticket, changed))
        else:
            self._desk.wire.order(ticket.symbol, lambda: self._change(ticket, changed))

    def cancel(self, order_id: str) -> None:
        """Cancel an order by our id or the engine's."""
        ticket = self._find(order_id)
        if ticket is not None:
            self._desk.cancel(ticket)

    def cancel_all(self, symbol: str, side: Any) -> None:
        """Cancel the open orders of a symbol, of one side where given."""
        for ticket in self._desk.open_tickets(symbol):
            if side is None or SIDES[ticket.side] == side or side == OrderSide.NO_ORDER_SIDE:
                self._desk.cancel(ticket)

    def market_exit(self) -> None:
        """Cancel what is not an exit, close every position."""
        for ticket in self._desk.all_open():
            if ticket.purpose is Purpose.ENTRY:
                self._desk.cancel(ticket)
        for symbol in sorted(self._desk.book.positions()):
            self._desk.exit(symbol, reason="market exit", quantity=None)

    def close(self, symbol: str, reason: str, quantity: int | None) -> str | None:
        """Close a position at the market, or a part of it."""
        return self._desk.exit(symbol, reason=reason, quantity=quantity)

    def purge(self) -> None:
        """Forget closed orders."""
        self._by_id = {key: ticket for key, ticket in self._by_id.items() if ticket.open}

    def move_stop(self, symbol: str, stop: float | Decimal, reason: str) -> None:
        """Set the protective stop of a position, or of the entry that is on its way."""
        price = self._desk.rounded(symbol, stop)
        if price is None or not reason.strip():
            raise ValueError(f"moving the stop of {symbol} needs a price and a reason")
        self._desk.wire.message(lambda: self._move(symbol, price, reason))

    def on_side(self, held: int, side: Any) -> bool:
        """Tell whether a position is on an engine position side."""
        return on_side(held, side)

    def _move(self, symbol: str, stop: Nanos, reason: str) -> None:
        if self._desk.position(symbol):
            denials = self._desk.judge_stop(symbol, stop).denials
            if denials:
                self._stops.keep(symbol, denials)
            else:
                self._stops.want(symbol, stop, reason, "")
            return
        for ticket in self._desk.open_tickets(symbol):
            if ticket.purpose is Purpose.ENTRY:
                self._allowed(ticket, {"protective_stop": stop})

    def _may_stop_at(self, ticket: Ticket, stop: Nanos) -> bool:
        """Judge a stop that is about to move by what is held, or by the entry it waits for."""
        if self._desk.position(ticket.symbol):
            denials = self._desk.judge_stop(ticket.symbol, stop, ticket.stop).denials
            for denial in denials:
                self._desk.ledger.denial(ticket, denial, self._desk.now())
            return not denials
        entry = self._find(ticket.parent_id) if ticket.parent_id else None
        if entry is None:
            return True
        allowed = self._allowed(entry, {"protective_stop": stop})
        # The bracket's own leg guards the position; a stop of ours would close it twice.
        entry.protective_stop = None
        return allowed

    def _allowed(self, ticket: Ticket, changed: dict[str, Any]) -> bool:
        """Judge an order as it would be after a change; leave it as it was when that is denied."""
        before = {field: getattr(ticket, field) for field in changed}
        self._take(ticket, changed)
        self._desk.book.order_closed(ticket.order_id)
        verdict = self._desk.judge(ticket)
        if not verdict.allowed:
            for denial in verdict.denials:
                self._desk.ledger.denial(ticket, denial, self._desk.now())
            for field, value in before.items():
                setattr(ticket, field, value)
        self._desk.book.order_opened(ticket.intent(self._desk.mark(ticket.symbol)))
        return verdict.allowed

    def _change(self, ticket: Ticket, changed: dict[str, Any]) -> None:
        if ticket.purpose is Purpose.PROTECT and ticket.native is None:
            # Its keeper sizes our stop and would put an unknown price back at the next fill.
            if changed["stop"] is not None:
                self._stops.want(ticket.symbol, changed["stop"], ticket.reason, ticket.parent_id)
            return
        self._take(ticket, changed)
        if ticket.stage is Stage.WORKING:
            if ticket.limit is not None:
                ticket.arrived = self._desk.now()
            self._desk.verbs.modify(ticket.engine_id, **changed)

    def _take(self, ticket: Ticket, changed: dict[str, Any]) -> None:
        for field, value in changed.items():
            if value is not None:
                setattr(ticket, field, value)

    def _place_list(self, order_list: Any, tickets: list[Ticket], options: Any) -> None:
        if not tickets[0].open:
            return
        now = self._desk.now()
        for ticket in tickets:
            ticket.engine_ids = 1
            ticket.engine_id = ticket.native.client_order_id.value
            ticket.stage = Stage.WORKING
            ticket.arrived = now
            self._desk.tickets[ticket.engine_id] = ticket
        self._desk.verbs.submit_list(order_list, **options)

    def _ticket(self, order: Any, options: dict[str, Any]) -> Ticket:
        symbol = order.instrument_id.symbol.value
        purpose = purpose_of(order, self._desk.position(symbol))
        ticket = self._desk.ticket(
            symbol,
            side_of(order),
            int(order.quantity),
            type_of(order),
            purpose,
            reason_of(order),
            limit=limit_of(order),
            stop=trigger_of(order),
            reduces=bool(order.is_reduce_only)
            or (purpose is Purpose.EXIT and type_of(order) is OrderType.MARKET),
            native=order,
            native_options=options,
        )
        self._by_id.setdefault(order.client_order_id.value, ticket)
        return ticket

    def _sent_before(self, ticket: Ticket) -> tuple[Denial, ...]:
        """Deny an order object that is under way or done; its own ticket goes on undisturbed."""
        order = ticket.native
        known = self._by_id.get(order.client_order_id.value) is not ticket
        if not known and order.status == OrderStatus.INITIALIZED:
            return ()
        ticket.native = None
        return _refusal("an order object that was sent before", "a new order for every send")

    def _find(self, order_id: str) -> Ticket | None:
        native = self._by_id.get(order_id)
        if native is not None:
            return native if native.open else None
        return next((t for t in self._desk.all_open() if t.order_id == order_id), None)


def _unheld(ticket: Ticket) -> tuple[Denial, ...]:
    """Deny an exit that would rest without being tied to the position.

    Alone it reduces, but two of them, or one that outlives the position, would turn it. The
    engine holds a reduce-only order to the position; market exits are cut to it on arrival.
    """
    if ticket.purpose is Purpose.ENTRY or ticket.reduces:
        return ()
    return (
        Denial(
            limit="reduce_only",
            observed="an exit that rests and is not reduce-only",
            allowed="reduce_only=True",
            explanation=f"A resting exit of {ticket.symbol} could outlive or exceed the position.",
        ),
    )


def _unplaceable(order: Any) -> tuple[Denial, ...]:
    """Deny what nobody in a backtest would place: it would rest unseen until the end."""
    trigger = order.emulation_trigger
    if trigger is not None and trigger != TriggerType.DEFAULT:
        return _refusal("an emulated order", "orders the venue itself holds")
    if order.exec_algorithm_id is not None:
        return _refusal("an order for an execution algorithm", "orders without one")
    return ()


def _refusal(observed: str, allowed: str) -> tuple[Denial, ...]:
    explanation = f"The simulated venue does not take {observed}."
    return (Denial(limit="engine", observed=observed, allowed=allowed, explanation=explanation),)


def on_side(held: int, side: Any) -> bool:
    """Tell whether signed shares are on an engine position side."""
    wanted = {PositionSide.LONG: 1, PositionSide.SHORT: -1}.get(side)
    return wanted is None or held * wanted > 0


def orders_of(order_list: Any) -> list[Any]:
    """Return the orders of a list, however the engine wraps them."""
    orders = getattr(order_list, "orders", order_list)
    return list(orders() if callable(orders) else orders)
