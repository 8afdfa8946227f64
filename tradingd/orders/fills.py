"""Executions: each booked once, journaled with what it changes in one transaction."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec

from tradingd.domain.broker_reports import BrokerFill
from tradingd.domain.journal import BookRow, FillRow, OrderState, Record, TripRow
from tradingd.domain.market import NANOSECONDS
from tradingd.domain.money import Nanos
from tradingd.domain.orders import Fill, OrderType, Purpose
from tradingd.domain.trading import Step
from tradingd.gate.trip import ClosedTrip
from tradingd.orders.desk import Desk
from tradingd.orders.ticket import Ticket

LOOK_BACK: Final = 3_600 * NANOSECONDS
"""How far before the last booked fill one that was missed is looked for, in broker time."""

FAR: Final = 48 * LOOK_BACK
"""The same when something is known to be missing; less than the journal recalls."""

BOOKED_LATE: Final = 7 * 24 * LOOK_BACK
"""How far before the last booked fill adjustments are looked for: a broker without events for them
books dividends and fees hours later, under the date for which they are, over a long weekend too."""

_REMEMBERED: Final = 40_000
"""Ids of fills before the old ones are forgotten, which no question reaches back to."""


class FollowsFills(Protocol):
    """Who changes the protection of a position after a fill."""

    def after_fill(self, ticket: Ticket, fill: Fill, before: int, after: int) -> list[Record]:
        """Return what a fill changes of what is wanted."""
        ...


class Fills:
    """Books executions.

    Parameters
    ----------
    desk : Desk
        Orders and book.
    """

    def __init__(self, desk: Desk) -> None:
        self.protection: FollowsFills
        self.look: Callable[[Ticket], None]
        self.count = 0
        self.unsaved = False
        self._desk = desk
        self._seen: dict[str, int] = {}
        self._last = 0
        self._keep = _REMEMBERED
        self._entered: dict[str, str] = {}

    def restore(
        self, *, count: int, seen: Iterable[str], last: int, entered: dict[str, str]
    ) -> None:
        """Take what the journal knows: number, ids and time of fills, why positions were opened."""
        self.count = count
        self._seen = dict.fromkeys(seen, last)
        self._last = last
        self._entered = dict(entered)

    def since(self, look_back: int = LOOK_BACK) -> int:
        """Return the broker time from which to look for missed fills, UTC ns."""
        return max(0, self._last - look_back)

    def known(self, fill_id: str) -> bool:
        """Tell whether a fill has been booked."""
        return fill_id in self._seen

    def apply(self, report: BrokerFill) -> bool:
        """Book an execution; False when it is known already, or not ours."""
        if report.fill_id in self._seen:
            return False
        ticket = self._desk.get(report.client_order_id)
        if ticket is None:
            return False
        self._remember(report)
        if ticket.state is OrderState.LOST:
            self._desk.revive(ticket, "was LOST, but it filled")
            self.look(ticket)
        self._book(ticket, report)
        return True

    def book_row(self) -> BookRow:
        """Return the book as it is now, to be journaled in a transaction of its own."""
        self.unsaved = False
        return BookRow(
            fills=self.count,
            state=msgspec.json.encode(self._desk.book.snapshot()),
            ts=self._desk.clock.now(),
            wall=self._desk.wall(),
        )

    # -- private ---------------------------------------------------------------------------------

    def _book(self, ticket: Ticket, report: BrokerFill) -> None:
        desk = self._desk
        late = "" if ticket.open else f"late, after {ticket.state}: "
        fill = Fill(
            order_id=ticket.order_id,
            strategy=ticket.strategy,
            symbol=ticket.symbol,
            side=ticket.side,
            quantity=report.quantity,
            price=report.price,
            commission=report.commission,
            slippage=_slippage(ticket, report),
            purpose=ticket.purpose,
            ts=report.ts,
        )
        before = desk.held(fill.symbol)
        trip = desk.book.fill(fill)
        after = desk.held(fill.symbol)
        self.count += 1
        self.unsaved = True
        _progress(ticket, fill)
        rows: list[Record] = [self._row(ticket, fill, report.fill_id, after)]
        rows += self._trip(ticket, trip, before, after)
        rows += self.protection.after_fill(ticket, fill, before, after)
        exactly = ticket.certain and ticket.filled == ticket.quantity
        if exactly:
            self._filled(ticket)
        text = f"{late}{fill.side} {fill.quantity} at {fill.price / 1e9:.4f}"
        desk.record(ticket, Step.FILL, text, *rows, fill=fill, fill_id=report.fill_id)
        if ticket.filled >= ticket.quantity and not exactly and not ticket.busy:
            # Its size was changed, or the broker gave too much: it says which.
            self.look(ticket)
        if ticket.open and ticket.ending is not None and ticket.filled >= ticket.ending[1]:
            state, _, reason = ticket.ending
            desk.close(ticket, state, reason)

    def _filled(self, ticket: Ticket) -> None:
        ticket.state = OrderState.FILLED
        ticket.ending = None
        ticket.closed_wall = self._desk.wall()
        self._desk.settled(ticket)

    def _remember(self, report: BrokerFill) -> None:
        self._seen[report.fill_id] = report.ts
        self._last = max(self._last, report.ts)
        if len(self._seen) > self._keep:
            since = self.since(FAR)
            self._seen = {key: ts for key, ts in self._seen.items() if ts >= since}
            self._keep = len(self._seen) + _REMEMBERED

    def _row(self, ticket: Ticket, fill: Fill, fill_id: str, after: int) -> FillRow:
        return FillRow(
            fill_id=fill_id,
            order_id=fill.order_id,
            run_id=self._desk.run_id,
            strategy=fill.strategy,
            symbol=fill.symbol,
            side=fill.side.value,
            quantity=fill.quantity,
            price=fill.price,
            commission=fill.commission,
            slippage=fill.slippage,
            purpose=fill.purpose.value,
            reason=ticket.reason,
            position_after=after,
            ts=fill.ts,
            wall=self._desk.wall(),
        )

    def _trip(
        self, ticket: Ticket, trip: ClosedTrip | None, before: int, after: int
    ) -> list[Record]:
        """Return the round trip a fill closed; remember why the next one began."""
        rows: list[Record] = []
        if trip is not None:
            entered = self._entered.pop(trip.symbol, "")
            rows.append(trip_row(trip, self._desk.run_id, entered, ticket.reason))
        if after and before * after <= 0:
            self._entered[ticket.symbol] = ticket.reason
        return rows


def trip_row(trip: ClosedTrip, run_id: str, entered: str, left: str) -> TripRow:
    """Return a round trip as the journal keeps it."""
    return TripRow(
        run_id=run_id,
        strategy=trip.strategy,
        symbol=trip.symbol,
        side=trip.side.value,
        quantity=trip.quantity,
        entry_price=trip.entry_price,
        exit_price=trip.exit_price,
        realised=trip.realised,
        commission=trip.commission,
        slippage=trip.slippage,
        entry_reason=entered,
        exit_reason=left,
        ts_opened=trip.ts_opened,
        ts_closed=trip.ts_closed,
    )


def _progress(ticket: Ticket, fill: Fill) -> None:
    ticket.filled += fill.quantity
    ticket.paid += fill.quantity * fill.price
    ticket.commission += fill.commission
    if ticket.state in (OrderState.INTENT, OrderState.UNKNOWN):
        ticket.state = OrderState.WORKING
        ticket.note = ""


def _slippage(ticket: Ticket, report: BrokerFill) -> Nanos:
    """Measure market orders against the mark when they were decided, stops against their price."""
    touch = ticket.stop if ticket.type is OrderType.STOP_MARKET else ticket.touch
    if not touch or ticket.limit is not None or ticket.purpose is Purpose.CORPORATE:
        return 0
    return (report.price - touch) * ticket.side.sign * report.quantity
