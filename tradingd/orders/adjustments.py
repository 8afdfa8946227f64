"""Splits, dividends and fees as the broker books them: each applied once."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from tradingd.domain.broker_reports import AdjustmentUpdate
from tradingd.domain.journal import AdjustmentRow, Record
from tradingd.domain.money import CENT, Nanos
from tradingd.domain.orders import Fill, Purpose, Side
from tradingd.gate.book import CashKind
from tradingd.orders.desk import Desk
from tradingd.orders.fills import Fills, trip_row
from tradingd.orders.protection import Protection
from tradingd.orders.ticket import Ticket
from tradingd.orders.truth import Truth

_CASH: Final = frozenset(CashKind)


class Adjustments:
    """Books what changed without a trade, rescales guards, and asks what the orders are now."""

    def __init__(
        self,
        desk: Desk,
        fills: Fills,
        protection: Protection,
        truth: Truth,
        flag: Callable[[str], None],
    ) -> None:
        self._desk = desk
        self._fills = fills
        self._protection = protection
        self._truth = truth
        self._flag = flag
        self._seen: set[str] = set()
        self.count = 0

    def restore(self, seen: Iterable[str]) -> None:
        """Take the ids of adjustments that were booked before."""
        self._seen = set(seen)

    def apply(self, update: AdjustmentUpdate) -> bool:
        """Book an adjustment; False when it is known already."""
        if update.adjustment_id in self._seen:
            return False
        self._seen.add(update.adjustment_id)
        self.count += 1
        rows: list[Record] = [self._row(update)]
        self._cash(update)
        if update.symbol:
            rows += self._shares(update)
            if update.numerator != update.denominator:
                rows += self._rescale(update)
            self._protection.sync(update.symbol)
        self._desk.write(*rows, self._fills.book_row())
        if update.shares and update.kind != "split":
            what = update.symbol or "no symbol"
            self._flag(f"{what}: {update.shares:+d} shares by {update.kind}, not by a trade")
        return True

    # -- private ---------------------------------------------------------------------------------

    def _cash(self, update: AdjustmentUpdate) -> None:
        """Book the cash; that of a split is for a fraction, and comes before the shares.

        A fee, interest, and whatever has no symbol belongs to no round trip: brokers charge
        regulatory fees once a day for all trades. A transfer is no gain and no loss.
        """
        if not update.cash:
            return
        if update.kind == "transfer":
            self._desk.book.transfer(update.cash)
        elif not update.symbol:
            self._desk.book.cash_movement("", update.cash, CashKind.DIVIDEND)
        elif update.kind == "split":
            self._desk.book.cash_movement(update.symbol, update.cash, CashKind.CASH_IN_LIEU)
        elif update.kind in _CASH:
            self._desk.book.cash_movement(update.symbol, update.cash, update.kind)
        else:
            # Of no symbol: it belongs to no round trip.
            self._desk.book.cash_movement("", update.cash, CashKind.DIVIDEND)

    def _shares(self, update: AdjustmentUpdate) -> list[Record]:
        if not update.shares:
            return []
        line = self._desk.book.position(update.symbol)
        owner = "" if line is None or line.trip is None else line.trip.strategy
        fill = Fill(
            order_id=update.adjustment_id,
            strategy=owner,
            symbol=update.symbol,
            side=Side.BUY if update.shares > 0 else Side.SELL,
            quantity=abs(update.shares),
            price=0,
            commission=0,
            slippage=0,
            purpose=Purpose.CORPORATE,
            ts=update.ts,
        )
        trip = self._desk.book.fill(fill)
        rows: list[Record] = []
        if trip is not None:
            rows.append(trip_row(trip, self._desk.run_id, "", update.kind))
        if not self._desk.held(update.symbol):
            rows += self._protection.drop(update.symbol)
        return rows

    def _rescale(self, update: AdjustmentUpdate) -> list[Record]:
        symbol, up, down = update.symbol, update.numerator, update.denominator
        self._desk.book.split(symbol, up, down)
        for ticket in self._desk.open(symbol):
            # What its fill will want, in new prices; the order itself the broker restates.
            ticket.protective_stop = _scaled(ticket.protective_stop, up, down)
            ticket.take_profit = _scaled(ticket.take_profit, up, down)
            if ticket.sent:
                self._truth.look(ticket)
            else:
                _restate(ticket, up, down)
        rows: list[Record] = [*self._protection.split(symbol, up, down)]
        guard = self._protection.guard(symbol)
        if guard is None:
            return rows
        changed = msgspec.structs.replace(
            guard,
            stop=_scaled(guard.stop, up, down),
            take_profit=_scaled(guard.take_profit, up, down),
        )
        return [*rows, self._protection.want(changed)]

    def _row(self, update: AdjustmentUpdate) -> AdjustmentRow:
        return AdjustmentRow(
            adjustment_id=update.adjustment_id,
            kind=update.kind,
            symbol=update.symbol,
            shares=update.shares,
            cash=update.cash,
            numerator=update.numerator,
            denominator=update.denominator,
            ts=update.ts,
            wall=self._desk.wall(),
        )


def _restate(ticket: Ticket, up: int, down: int) -> None:
    """Restate an order that waits here, as a broker does with those that work there."""
    ticket.quantity = max(1, ticket.quantity * up // down)
    ticket.limit = _scaled(ticket.limit, up, down)
    ticket.stop = _scaled(ticket.stop, up, down)


def _scaled(price: Nanos | None, up: int, down: int) -> Nanos | None:
    """Return a price after a split, to the cent (half up), never below one."""
    if price is None:
        return None
    return max(CENT, (2 * price * down + up * CENT) // (2 * up * CENT) * CENT)
