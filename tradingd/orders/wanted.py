"""Which position must have which stop and target, on disk with what makes it necessary."""

from collections.abc import Callable, Iterable, Mapping

from tradingd.domain.journal import GuardRow
from tradingd.domain.orders import Fill, Purpose
from tradingd.orders.desk import Desk
from tradingd.orders.guard import Guard, Leg
from tradingd.orders.ticket import Ticket


class Wanted:
    """The guards by symbol.

    Parameters
    ----------
    desk : Desk
        Book and journal.
    sync : Callable
        Told of every symbol whose guard has changed.
    """

    def __init__(self, desk: Desk, sync: Callable[[str], None]) -> None:
        self._desk = desk
        self._sync = sync
        self._guards: dict[str, Guard] = {}
        self._legs: dict[str, dict[Leg, str]] = {}

    def guard(self, symbol: str) -> Guard | None:
        """Return what guards a symbol."""
        return self._guards.get(symbol)

    def guards(self) -> Mapping[str, Guard]:
        """Return all guards by symbol."""
        return self._guards

    def restore(self, rows: Iterable[GuardRow]) -> None:
        """Take the guards that the journal has as active."""
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
        self._sync(guard.symbol)
        return self.row(guard)

    def drop(self, symbol: str) -> list[GuardRow]:
        """Guard a symbol no longer; return the row that says so."""
        guard = self._guards.pop(symbol, None)
        if guard is None:
            return []
        self._desk.book.set_stop(symbol, None)
        self._sync(symbol)
        row = self.row(guard, active=False)
        self._legs.pop(symbol, None)
        return [row]

    def placed(self, symbol: str, leg: Leg, order_id: str) -> list[GuardRow]:
        """Note which order a leg is; return the guard's row, where there is a guard."""
        self._legs.setdefault(symbol, {})[leg] = order_id
        guard = self._guards.get(symbol)
        return [] if guard is None else [self.row(guard)]

    def after_fill(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[GuardRow]:
        """Return what a fill changes.

        Later fills of the same entry leave the stop where it may have been moved since. A position
        that an exit opened or turned belongs to nobody: a guard without prices, to be closed.
        """
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

    def row(self, guard: Guard, *, active: bool = True) -> GuardRow:
        """Return a guard with its legs as the journal keeps it."""
        legs = self._legs.get(guard.symbol, {})
        return guard.row(
            self._desk.clock.now(),
            stop_id=legs.get(Leg.STOP, ""),
            target_id=legs.get(Leg.TARGET, ""),
            active=active,
        )

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
                reason=protects(ticket.order_id),
                stop=ticket.protective_stop,
                take_profit=ticket.take_profit,
            )
            return [self.want(guard)]
        return self.drop(fill.symbol) if turned else []


def protects(parent_id: str) -> str:
    """Return why a protective order is there."""
    return f"protects the position of {parent_id}" if parent_id else "protects the position"
