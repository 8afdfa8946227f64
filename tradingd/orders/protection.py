"""Stops and targets as real orders, kept in step with the position they guard."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from tradingd.domain.journal import GuardRow, MarkRow, OrderState, Record
from tradingd.domain.orders import Fill, Purpose, Side, Verdict
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.guard import Action, Cancel, Change, Guard, Leg, Place, leg_of, plan
from tradingd.orders.opposing import Opposing
from tradingd.orders.placing import Placing
from tradingd.orders.sending import Sender
from tradingd.orders.shadow import Shadow
from tradingd.orders.surplus import Surplus
from tradingd.orders.ticket import Ticket
from tradingd.orders.wanted import Wanted
from tradingd.orders.yielding import Yielding


class Protection:
    """Knows which position must have which stop, and sees to it.

    Every step of an order and every fill leads to one look at the symbol (`guard.plan`) on the
    loop's next turn. What is wanted is journaled with the fill that makes it necessary.

    Parameters
    ----------
    desk, sender, changes, doubt : Desk, Sender, Changes, Doubt
        Parts of the same shim.
    check : Callable
        The gate's verdict on a protective order.
    opposing : Opposing
        Which entries are in the way of a stop or an exit.
    apart : bool
        The broker lets no two exits rest over the same shares: the stop alone is an order.
    shadow : Shadow or None
        In shadow mode, what has been written down.
    """

    def __init__(
        self,
        desk: Desk,
        sender: Sender,
        changes: Changes,
        doubt: Doubt,
        check: Callable[[Ticket], Verdict],
        *,
        opposing: Opposing,
        apart: bool = False,
        shadow: Shadow | None = None,
    ) -> None:
        self.ready: Callable[[], bool]
        self._desk = desk
        self._changes = changes
        self._doubt = doubt
        self._opposing = opposing
        self._apart = apart
        self._wanted = Wanted(desk, self.sync)
        self._surplus = Surplus()
        self._placing = Placing(
            desk,
            sender,
            self._wanted,
            check=check,
            sync=self.sync,
            room=self.room,
            shadow=shadow,
        )
        self._yielding = Yielding(desk, opposing, changes, bare=self.bare, sync=self.sync)
        self._dirty: set[str] = set()

    # -- what is wanted --------------------------------------------------------------------------

    def guard(self, symbol: str) -> Guard | None:
        """Return what guards a symbol."""
        return self._wanted.guard(symbol)

    def symbols(self) -> set[str]:
        """Return the symbols with a guard."""
        return set(self._wanted.guards())

    def restore(self, rows: Iterable[GuardRow], marks: Mapping[str, str]) -> None:
        """Take the guards that the journal has as active, and the shares that are too many."""
        self._surplus.restore(marks)
        self._wanted.restore(rows)

    def want(self, guard: Guard) -> GuardRow:
        """Set what guards a symbol from now on; return the row to be journaled with its cause."""
        return self._wanted.want(guard)

    def drop(self, symbol: str) -> list[GuardRow]:
        """Guard a symbol no longer; return the row that says so."""
        return self._wanted.drop(symbol)

    def after_fill(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[Record]:
        """Return what a fill changes: the guard, and the shares that are too many."""
        self.sync(fill.symbol)
        return [
            *self._wanted.after_fill(ticket, fill, before, after),
            *self._surplus.after_fill(ticket, fill, before, after),
        ]

    def split(self, symbol: str, up: int, down: int) -> list[MarkRow]:
        """Restate what is too many by a split."""
        return self._surplus.split(symbol, up, down)

    # -- what is there ---------------------------------------------------------------------------

    def room(self, ticket: Ticket) -> bool:
        """Tell whether a market exit can leave: nothing that rests could sell its shares too.

        A leg that is being taken back still fills until that is confirmed, and its sibling beside
        it: an exit waits for both, also when the position has grown meanwhile. So does a leg that
        is on its way there: when the price is beyond it, it fills the moment it arrives.
        """
        if not self.alone(ticket):
            return False
        cover = max(0, abs(self._desk.held(ticket.symbol)) - self._desk.leaving(ticket.symbol))
        others = self._beside(ticket)
        if not all(other.leaves <= cover and other.still for other in others):
            return False
        return not self._apart or sum(other.leaves for other in others) <= cover

    def alone(self, ticket: Ticket) -> bool:
        """Tell whether an exit can leave: nothing works on the other side that it could trade with.

        The stop of a position waits for that in `plan`, and not for ever.
        """
        return leg_of(ticket) is Leg.STOP or not self._opposing.against(ticket)

    def fits(self, ticket: Ticket) -> bool:
        """Tell whether a protective order is still what the position needs."""
        held = self._desk.held(ticket.symbol)
        cover = max(0, abs(held) - self._desk.claimed(ticket.symbol))
        if self._apart and any(other.sent for other in self._beside(ticket)):
            return False
        return held * ticket.side.sign < 0 and ticket.leaves == cover

    def unprotected(self) -> list[str]:
        """Return the symbols whose wanted stop is not working for all shares, for reports."""
        return [
            symbol
            for symbol, guard in self._wanted.guards().items()
            if guard.stop is not None
            and abs(self._desk.held(symbol)) - self._desk.leaving(symbol) > self._stopped(symbol)
        ]

    def stopped(self, symbol: str) -> bool:
        """Tell whether the position of a symbol must have a stop."""
        guard = self.guard(symbol)
        return guard is not None and guard.stop is not None

    def bare(self, symbol: str) -> bool:
        """Tell whether a position must have a stop and the broker has refused it."""
        return self.stopped(symbol) and self._placing.refused(symbol)

    def strays(self) -> list[str]:
        """Return the symbols with shares that nobody meant to hold and that are being closed."""
        return [
            symbol
            for symbol in self._desk.book.positions()
            if self._surplus.of(symbol)
            or ((guard := self.guard(symbol)) is not None and guard.stray)
        ]

    # -- keeping in step -------------------------------------------------------------------------

    def changed(self, ticket: Ticket) -> None:
        """Look at a symbol again after a step of one of its orders."""
        leg = leg_of(ticket)
        if leg is not None:
            self._placing.judge(ticket, leg)
        self._opposing.forget(ticket)
        if ticket.purpose is Purpose.ENTRY and not ticket.open:
            self._placing.again(ticket.symbol)
        self.sync(ticket.symbol)

    def sync(self, symbol: str) -> None:
        """Bring the orders of a symbol in step with its position, on the loop's next turn."""
        if symbol not in self._dirty:
            self._dirty.add(symbol)
            asyncio.get_running_loop().call_soon(self._look, symbol)

    def sync_all(self) -> None:
        """Look at every symbol with a position, a guard or an order."""
        for symbol in self.symbols() | self._desk.symbols():
            self.sync(symbol)

    def close(self, symbol: str, shares: int, *, leg: Leg, reason: str) -> None:
        """Close shares at the market, as far as the broker has them and none are leaving.

        `leg` is whose price was reached. If it comes to nothing, the stop grows back.
        """
        shares = min(shares, self._doubt.backed(symbol) - self._desk.leaving(symbol))
        if shares > 0:
            side = Side.SELL if self._desk.held(symbol) > 0 else Side.BUY
            wanted = Place(Leg.CLOSE, side, shares, None)
            self._placing.place(symbol, wanted, letter=leg.letter, reason=reason)

    # -- private ---------------------------------------------------------------------------------

    def _look(self, symbol: str) -> None:
        self._dirty.discard(symbol)
        if not self.ready():
            return
        self._yielding.look(symbol)
        actions = plan(
            self._desk.held(symbol),
            self._desk.claimed(symbol),
            self.guard(symbol),
            self._resting(symbol),
            apart=self._apart,
        )
        for action in actions:
            if not self._yielding.postpones(symbol, action) and not self._reaches(symbol, action):
                self._act(symbol, action)
        self.close(symbol, self._surplus.of(symbol), leg=Leg.CLOSE, reason="")

    def _resting(self, symbol: str) -> list[Ticket]:
        side = Side.SELL if self._desk.held(symbol) > 0 else Side.BUY
        return [
            ticket
            for ticket in self._desk.open(symbol)
            if ticket.rests
            or (self._apart and ticket.purpose is Purpose.ENTRY and ticket.side is side)
        ]

    def _beside(self, ticket: Ticket) -> list[Ticket]:
        """Return the orders that rest on the same side at the broker, or are on their way."""
        return [
            other
            for other in self._desk.open(ticket.symbol)
            if other is not ticket
            and other.side is ticket.side
            and not other.watched
            and (other.rests or (self._apart and other.purpose is Purpose.ENTRY))
        ]

    def _stopped(self, symbol: str) -> int:
        """Return the most shares that one working stop would sell."""
        stops = (
            ticket.leaves
            for ticket in self._desk.open(symbol)
            if leg_of(ticket) is Leg.STOP and ticket.state is OrderState.WORKING
        )
        return max(stops, default=0)

    def _reaches(self, symbol: str, action: Action) -> bool:
        """Tell whether an action would sell more than the broker is known to hold."""
        match action:
            case Place(quantity=quantity):
                return quantity > self._doubt.backed(symbol)
            case Change(ticket, quantity):
                more = quantity > ticket.quantity
                return more and quantity - ticket.filled > self._doubt.backed(symbol)
        return False

    def _act(self, symbol: str, action: Action) -> None:
        match action:
            case Cancel(ticket, why):
                self._changes.cancel(ticket, why)
            case Change(ticket, quantity, limit, stop):
                guard = self.guard(symbol)
                moved = (limit, stop) != (ticket.limit, ticket.stop)
                told = guard.reason if moved and guard is not None else ""
                # Its fill tells why it stands where it does, as in a backtest.
                ticket.reason = told or ticket.reason
                self._changes.replace(
                    ticket,
                    quantity=quantity,
                    limit=limit,
                    stop=stop,
                    reason=told or "follows the position",
                )
            case Place():
                self._placing.place(symbol, action)
