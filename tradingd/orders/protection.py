"""Stops and targets as real orders, kept in step with the position they guard."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tradingd.domain.broker import TimeInForce
from tradingd.domain.journal import GuardRow, MarkRow, OrderState, Record
from tradingd.domain.orders import Fill, OrderType, Purpose, Side, Verdict
from tradingd.domain.trading import Step
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.guard import Action, Cancel, Change, Guard, Leg, Place, leg_of, plan
from tradingd.orders.sending import Sender
from tradingd.orders.ticket import WAITING_ROOM, Ticket

SURPLUS: Final = "surplus:"
"""Begins the names of the journal's marks: shares of a symbol that nobody meant to hold."""

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 30.0
_TYPES: Final = {
    Leg.STOP: OrderType.STOP_MARKET,
    Leg.TARGET: OrderType.LIMIT,
    Leg.CLOSE: OrderType.MARKET,
}


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
    """

    def __init__(
        self,
        desk: Desk,
        sender: Sender,
        changes: Changes,
        doubt: Doubt,
        check: Callable[[Ticket], Verdict],
    ) -> None:
        self.ready: Callable[[], bool]
        self._desk = desk
        self._sender = sender
        self._changes = changes
        self._doubt = doubt
        self._check = check
        self._guards: dict[str, Guard] = {}
        self._legs: dict[str, dict[Leg, str]] = {}
        self._dirty: set[str] = set()
        self._failed: dict[tuple[str, Leg], int] = {}
        self._not_before: dict[tuple[str, Leg], float] = {}
        self._judged: set[str] = set()
        self._surplus: dict[str, int] = {}

    # -- what is wanted --------------------------------------------------------------------------

    def guard(self, symbol: str) -> Guard | None:
        """Return what guards a symbol."""
        return self._guards.get(symbol)

    def symbols(self) -> set[str]:
        """Return the symbols with a guard."""
        return set(self._guards)

    def restore(self, rows: Iterable[GuardRow], marks: Mapping[str, str]) -> None:
        """Take the guards that the journal has as active, and the shares that are too many."""
        named = {key.removeprefix(SURPLUS): key for key in marks if key.startswith(SURPLUS)}
        self._surplus = {symbol: int(marks[key]) for symbol, key in named.items()}
        for row in rows:
            if not row.active:
                continue
            guard = Guard(
                symbol=row.symbol,
                strategy=row.strategy,
                parent_id=row.parent_id,
                reason="",  # its orders know
                stop=row.stop,
                take_profit=row.take_profit,
            )
            self._guards[row.symbol] = guard
            self._legs[row.symbol] = {Leg.STOP: row.stop_order_id, Leg.TARGET: row.target_order_id}
            self._desk.book.set_stop(row.symbol, row.stop)

    def want(self, guard: Guard) -> GuardRow:
        """Set what guards a symbol from now on; return the row to be journaled with its cause."""
        self._guards[guard.symbol] = guard
        self._desk.book.set_stop(guard.symbol, guard.stop)
        self.sync(guard.symbol)
        return self._row(guard)

    def drop(self, symbol: str) -> list[GuardRow]:
        """Guard a symbol no longer; return the row that says so."""
        guard = self._guards.pop(symbol, None)
        if guard is None:
            return []
        self._desk.book.set_stop(symbol, None)
        self.sync(symbol)
        row = self._row(guard, active=False)
        self._legs.pop(symbol, None)
        return [row]

    def after_fill(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[Record]:
        """Return what a fill changes: the guard, and the shares that are too many.

        Later fills of the same entry leave the stop where it may have been moved since. A position
        that an exit opened or turned belongs to nobody and is closed; one that it enlarged (a stop
        that filled after an entry had turned the position) is closed as far as that goes.
        """
        self.sync(fill.symbol)
        return [
            *self._guarding(ticket, fill, before, after),
            *self._too_many(ticket, fill, before, after),
        ]

    def _too_many(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[Record]:
        known = self._surplus.get(fill.symbol, 0)
        added = abs(after) - abs(before)
        surplus = known
        if before * after <= 0:
            surplus = 0 if fill.purpose is Purpose.ENTRY else abs(after)
        elif added > 0 and fill.purpose is not Purpose.ENTRY:
            surplus += added
        elif leg_of(ticket) is Leg.CLOSE:
            surplus -= fill.quantity
        return [*self._set_surplus(fill.symbol, max(0, min(surplus, abs(after))))]

    def split(self, symbol: str, up: int, down: int) -> list[MarkRow]:
        """Restate what is too many by a split."""
        return self._set_surplus(symbol, self._surplus.get(symbol, 0) * up // down)

    def _set_surplus(self, symbol: str, shares: int) -> list[MarkRow]:
        if shares == self._surplus.get(symbol, 0):
            return []
        self._surplus[symbol] = shares
        return [MarkRow(key=f"{SURPLUS}{symbol}", value=str(shares))]

    def _guarding(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[GuardRow]:
        symbol = fill.symbol
        if not after:
            return self.drop(symbol)
        if fill.purpose is Purpose.ENTRY:
            return self._after_entry(ticket, fill, before, after)
        opened = before == 0 or before * after < 0
        if not opened:
            return []
        stray = Guard(
            symbol=symbol,
            strategy=fill.strategy,
            parent_id=fill.order_id,
            reason=f"{fill.order_id} took more than was held",
        )
        return [self.want(stray)]

    def _after_entry(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[GuardRow]:
        turned = before * after < 0
        if after * fill.side.sign < 0:
            return []
        current = None if turned else self._guards.get(fill.symbol)
        stands = fill.quantity < ticket.filled and current is not None and not current.stray
        wanted = ticket.protective_stop is not None or ticket.take_profit is not None
        if stands:
            return []
        if wanted:
            guard = Guard(
                symbol=fill.symbol,
                strategy=fill.strategy,
                parent_id=ticket.order_id,
                reason=_reason(ticket.order_id),
                stop=ticket.protective_stop,
                take_profit=ticket.take_profit,
            )
            return [self.want(guard)]
        return self.drop(fill.symbol) if turned else []

    # -- what is there ---------------------------------------------------------------------------

    def room(self, ticket: Ticket) -> bool:
        """Tell whether a market exit can leave: nothing that rests could sell its shares too.

        A leg that is being taken back still fills until that is confirmed, and its sibling beside
        it: an exit waits for both, also when the position has grown meanwhile. So does a leg that
        is on its way there: when the price is beyond it, it fills the moment it arrives.
        """
        cover = max(0, abs(self._desk.held(ticket.symbol)) - self._desk.leaving(ticket.symbol))
        return all(
            other.leaves <= cover and other.still
            for other in self._desk.open(ticket.symbol)
            if other.rests and other.side is ticket.side
        )

    def fits(self, ticket: Ticket) -> bool:
        """Tell whether a protective order is still what the position needs."""
        held = self._desk.held(ticket.symbol)
        cover = max(0, abs(held) - self._desk.claimed(ticket.symbol))
        return held * ticket.side.sign < 0 and ticket.leaves == cover

    def unprotected(self) -> list[str]:
        """Return the symbols whose wanted stop is not working for all shares, for reports."""
        return [
            symbol
            for symbol, guard in self._guards.items()
            if guard.stop is not None
            and abs(self._desk.held(symbol)) - self._desk.leaving(symbol) > self._stopped(symbol)
        ]

    def strays(self) -> list[str]:
        """Return the symbols with shares that nobody meant to hold and that are being closed."""
        return [
            symbol
            for symbol in self._desk.book.positions()
            if self._surplus.get(symbol, 0)
            or ((guard := self._guards.get(symbol)) is not None and guard.stray)
        ]

    # -- keeping in step -------------------------------------------------------------------------

    def changed(self, ticket: Ticket) -> None:
        """Look at a symbol again after a step of one of its orders."""
        leg = leg_of(ticket)
        if leg is not None:
            self._judge(ticket, leg)
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

    def _look(self, symbol: str) -> None:
        self._dirty.discard(symbol)
        if not self.ready():
            return
        tickets = self._desk.open(symbol)
        resting = [ticket for ticket in tickets if ticket.rests]
        actions = plan(
            self._desk.held(symbol),
            self._desk.claimed(symbol),
            self._guards.get(symbol),
            resting,
        )
        for action in actions:
            if not self._reaches(symbol, action):
                self._act(symbol, action)

        self._close_surplus(symbol)

    def _close_surplus(self, symbol: str) -> None:
        held, shares = self._desk.held(symbol), self._surplus.get(symbol, 0)
        shares = min(shares, self._doubt.backed(symbol) - self._desk.leaving(symbol))
        if shares > 0:
            side = Side.SELL if held > 0 else Side.BUY
            self._place(symbol, Place(Leg.CLOSE, side, shares, None))

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
                moved = (limit, stop) != (ticket.limit, ticket.stop)
                told = self._guards[symbol].reason if moved else ""
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
                self._place(symbol, action)

    def _place(self, symbol: str, wanted: Place) -> None:
        if wanted.leg is Leg.CLOSE and self._closing(symbol):
            return
        loop = asyncio.get_running_loop()
        wait = self._not_before.get((symbol, wanted.leg), 0.0) - loop.time()
        if wait > 0:
            loop.call_later(wait, self.sync, symbol)
            return
        guard = self._guards.get(symbol) or self._nobodys(symbol)
        ticket = self._ticket(guard, wanted)
        self._desk.add(ticket)
        verdict = self._check(ticket)
        if not verdict.allowed:
            why = "; ".join(denial.explanation for denial in verdict.denials)
            self._desk.close(ticket, OrderState.DENIED, why)
            return
        self._desk.book.order_opened(ticket.intent(self._desk.mark(symbol)))
        self._legs.setdefault(symbol, {})[wanted.leg] = ticket.order_id
        if ticket.leaving and not self.room(ticket):
            ticket.note = WAITING_ROOM
        rows = [self._row(guard)] if symbol in self._guards else []
        committed = self._desk.record(ticket, Step.INTENT, ticket.reason, *rows)
        self._sender.send(ticket, committed)

    def _closing(self, symbol: str) -> bool:
        """Tell whether what is too much is being closed: never by two orders at once."""
        return any(leg_of(ticket) is Leg.CLOSE for ticket in self._desk.open(symbol))

    @staticmethod
    def _nobodys(symbol: str) -> Guard:
        reason = "a protective order took more than was held"
        return Guard(symbol=symbol, strategy="", parent_id="", reason=reason)

    def _ticket(self, guard: Guard, wanted: Place) -> Ticket:
        resting = wanted.leg is not Leg.CLOSE
        return Ticket(
            order_id=self._desk.next_id(guard.strategy, wanted.leg.letter),
            run_id=self._desk.run_id,
            strategy=guard.strategy,
            symbol=guard.symbol,
            side=wanted.side,
            quantity=wanted.quantity,
            type=_TYPES[wanted.leg],
            purpose=Purpose.PROTECT,
            reason=guard.reason or _reason(guard.parent_id),
            ts=self._desk.clock.now(),
            limit=wanted.price if wanted.leg is Leg.TARGET else None,
            stop=wanted.price if wanted.leg is Leg.STOP else None,
            time_in_force=TimeInForce.GTC if resting else TimeInForce.DAY,
            parent_id=guard.parent_id,
            wall=self._desk.wall(),
            touch=self._desk.mark(guard.symbol),
        )

    def _judge(self, ticket: Ticket, leg: Leg) -> None:
        """Wait longer with every leg that came to nothing without our asking for it."""
        key = (ticket.symbol, leg)
        if ticket.state is OrderState.WORKING or ticket.state is OrderState.FILLED:
            self._failed.pop(key, None)
            self._not_before.pop(key, None)
            return
        came_to_nothing = not ticket.open and not ticket.cancel_asked and not ticket.filled
        if came_to_nothing and ticket.order_id not in self._judged:
            self._judged.add(ticket.order_id)
            count = self._failed[key] = self._failed.get(key, 0) + 1
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(count, 10))
            self._not_before[key] = asyncio.get_running_loop().time() + wait

    def _row(self, guard: Guard, *, active: bool = True) -> GuardRow:
        legs = self._legs.get(guard.symbol, {})
        return guard.row(
            self._desk.clock.now(),
            stop_id=legs.get(Leg.STOP, ""),
            target_id=legs.get(Leg.TARGET, ""),
            active=active,
        )


def _reason(parent_id: str) -> str:
    return f"protects the position of {parent_id}" if parent_id else "protects the position"
