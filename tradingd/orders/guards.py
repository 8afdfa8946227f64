"""Changes that somebody asks for: of a guard, and of a working order; judged before they act."""

import msgspec

from tradingd.domain.journal import OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Denial, Verdict
from tradingd.domain.states import TradingState
from tradingd.domain.trading import Step
from tradingd.gate.gate import Gate
from tradingd.orders.admission import Admission
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.guard import Guard, Leg, leg_of
from tradingd.orders.protection import Protection
from tradingd.orders.ticket import Ticket

_ALLOWED = Verdict()


class Guards:
    """Sets, moves and removes guards; changes working orders."""

    def __init__(
        self, desk: Desk, protection: Protection, gate: Gate, admission: Admission
    ) -> None:
        self._desk = desk
        self._protection = protection
        self._gate = gate
        self._admission = admission

    def set(
        self, symbol: str, *, stop: Nanos | None, take_profit: Nanos | None, reason: str
    ) -> Verdict:
        """Set or move the protection of a position; None `stop` removes all of it."""
        held = self._desk.held(symbol)
        if not held:
            return _denied("position", "flat", "a position", f"nothing is held of {symbol}")
        current = self._protection.guard(symbol)
        if stop is None:
            return self._remove(symbol)
        verdict = self._gate.check_stop(symbol, stop)
        if not verdict.allowed:
            self._record(symbol, verdict.denials)
            return verdict
        target = None if current is None else current.take_profit
        guard = Guard(
            symbol=symbol,
            strategy=self._owner(symbol),
            parent_id="" if current is None else current.parent_id,
            reason=reason,
            stop=stop,
            take_profit=take_profit if take_profit is not None else target,
        )
        self._desk.write(self._protection.want(guard))
        return _ALLOWED

    def forget(self, leg: Ticket) -> None:
        """Want a leg no longer that somebody cancels: the position stays without it."""
        guard = self._protection.guard(leg.symbol)
        kind = leg_of(leg)
        if guard is None or kind is None or guard.stray:
            return
        field = "stop" if kind is Leg.STOP else "take_profit"
        left = msgspec.structs.replace(guard, **{field: None})
        if left.stray:
            self._desk.write(*self._protection.drop(leg.symbol))
        else:
            self._desk.write(self._protection.want(left))

    def replace(
        self,
        ticket: Ticket | None,
        changes: Changes,
        *,
        quantity: int | None,
        limit: Nanos | None,
        stop: Nanos | None,
        reason: str,
    ) -> Verdict:
        """Change a working order of a strategy, or one that is kept here until its price."""
        if ticket is None or not (ticket.state is OrderState.WORKING or ticket.watched):
            return _denied("order", "not working", "a working order", "it cannot be changed now")
        if ticket.busy or ticket.cancel_asked:
            return _denied("order", "changing", "an order at rest", "a change is under way")
        total = ticket.quantity if quantity is None else quantity
        if total <= ticket.filled:
            return _denied("order", str(total), f"more than {ticket.filled}", "so much is filled")
        wanted = msgspec.structs.replace(
            ticket,
            quantity=total,
            limit=ticket.limit if limit is None else limit,
            stop=ticket.stop if stop is None else stop,
        )
        denials = self._judge(ticket, wanted)
        if denials:
            self._desk.write(*self._admission.decisions(wanted, denials))
            return Verdict(denials)
        if ticket.watched:
            ticket.quantity, ticket.limit = total, wanted.limit
            self._desk.record(ticket, Step.REPLACED, reason)
            return _ALLOWED
        changes.replace(ticket, quantity=total, limit=wanted.limit, stop=wanted.stop, reason=reason)
        return _ALLOWED

    # -- private ---------------------------------------------------------------------------------

    def _judge(self, ticket: Ticket, wanted: Ticket) -> tuple[Denial, ...]:
        """Judge the order as it would be, in place of what the book counts for it now."""
        found = self._admission.standing(wanted)
        if found or not _enlarges(ticket, wanted):
            return found
        self._desk.book.order_closed(ticket.order_id)
        denials = self._admission.limits(wanted)
        claim = ticket if denials else wanted
        self._desk.book.order_opened(claim.intent(self._desk.mark(ticket.symbol)))
        return denials

    def _remove(self, symbol: str) -> Verdict:
        record = self._admission.state_of(self._owner(symbol), symbol)
        if record in (TradingState.HALTED, TradingState.FLATTENING):
            return _denied("state", record, "tighter stops", "protection stays while it is halted")
        self._desk.write(*self._protection.drop(symbol))
        return _ALLOWED

    def _owner(self, symbol: str) -> str:
        line = self._desk.book.position(symbol)
        return "" if line is None or line.trip is None else line.trip.strategy

    def _record(self, symbol: str, denials: tuple[Denial, ...]) -> None:
        """Leave the stop where it stands and record the limits that denied its move."""
        for ticket in self._desk.open(symbol):
            if leg_of(ticket) is Leg.STOP:
                self._desk.write(*self._admission.decisions(ticket, denials))


def _enlarges(now: Ticket, wanted: Ticket) -> bool:
    """Tell whether a change may cost more: more shares, or another price."""
    priced = (now.limit, now.stop) != (wanted.limit, wanted.stop)
    return priced or wanted.quantity > now.quantity


def _denied(limit: str, observed: str, allowed: str, explanation: str) -> Verdict:
    return Verdict(
        (Denial(limit=limit, observed=observed, allowed=allowed, explanation=explanation),)
    )
