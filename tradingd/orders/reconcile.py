"""Brings what we know in step with the broker: at start, after a reconnect, and every minute."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.broker import Broker, BrokerUnavailable
from tradingd.domain.broker_reports import AdjustmentUpdate, BrokerFill, BrokerOrder, BrokerPosition
from tradingd.domain.journal import OrderState
from tradingd.domain.money import Nanos
from tradingd.domain.trading import Step
from tradingd.gate.book import Book, CashKind
from tradingd.gate.day import Day
from tradingd.orders.adjustments import Adjustments
from tradingd.orders.changes import Changes
from tradingd.orders.desk import Desk
from tradingd.orders.doubt import Doubt
from tradingd.orders.errors import BrokerErrors
from tradingd.orders.fills import BOOKED_LATE, FAR, LOOK_BACK, Fills
from tradingd.orders.protection import Protection
from tradingd.orders.recovery import Reconciliation, cash_note, differences, vanished
from tradingd.orders.sending import NEVER_SENT, Sender
from tradingd.orders.ticket import Ticket
from tradingd.orders.truth import Truth

log = logging.getLogger(__name__)

_PASSES: Final = 6
_PAUSE: Final = 0.1


class Reconciler:
    """Reads the broker's truth, books what was missed, settles orders, compares positions.

    Nothing that differs is adopted: it is named, and the account is halted.
    """

    def __init__(
        self,
        desk: Desk,
        broker: Broker,
        *,
        fills: Fills,
        truth: Truth,
        sender: Sender,
        changes: Changes,
        protection: Protection,
        doubt: Doubt,
        errors: BrokerErrors,
        settings: SupervisionConfig,
        halt: Callable[[str], None],
    ) -> None:
        self.last = Reconciliation()
        self._flags: list[tuple[str, str]] = []
        self.fresh = False
        self.adjustments: Adjustments
        self._desk = desk
        self._broker = broker
        self._fills = fills
        self._truth = truth
        self._sender = sender
        self._changes = changes
        self._protection = protection
        self._doubt = doubt
        self._errors = errors
        self._settings = settings
        self._halt = halt
        self._lock = asyncio.Lock()

    def flag(self, what: str) -> None:
        """Raise a mismatch that a comparison would not find; the account is halted for it."""
        self._flag(what, "")

    def foreign(self, fill: BrokerFill) -> None:
        """Raise an execution that is not ours, unless it is adopted before the next comparison."""
        order = fill.client_order_id or fill.broker_order_id
        what = f"{fill.symbol}: {fill.side} {fill.quantity} of order {order}, which is not ours"
        self._flag(what, fill.fill_id)

    async def run(self) -> Reconciliation:
        """Compare once.

        Raises
        ------
        BrokerUnavailable
            When the broker does not answer; `last` is then incomplete.
        """
        async with self._lock:
            try:
                self.last = await self._run()
            except BrokerUnavailable:
                self._errors.note()
                self.last = Reconciliation(
                    mismatches=self.last.mismatches, foreign=self.last.foreign, wall=self.last.wall
                )
                raise
        self._consequences(self.last)
        self._protection.sync_all()
        return self.last

    # -- private ---------------------------------------------------------------------------------

    async def _run(self) -> Reconciliation:
        """Read until two readings agree: events may come between the questions of one reading."""
        booked, look_back, still = 0, LOOK_BACK, False
        notes: list[str] = []
        mismatches: tuple[str, ...] = ()
        orders: Sequence[BrokerOrder] = ()
        for reading in range(_PASSES):
            before = self._fills.count + self.adjustments.count
            positions = await self._broker.positions()
            account = await self._broker.account()
            since = self._fills.since(look_back)
            missed = self._book(
                await self._broker.adjustments(self._fills.since(BOOKED_LATE)),
                await self._broker.fills(since),
            )
            booked += missed
            orders = await self._broker.open_orders()
            await self._orders(orders)
            mismatches = self._compare(positions)
            still = not missed and self._fills.count + self.adjustments.count == before
            if not mismatches and still:
                self._doubt.compared(self._held(), positions)
                notes += self._cash(account.cash)
                break
            if mismatches and still:
                look_back = FAR
                if reading:
                    await asyncio.sleep(_PAUSE)
        if mismatches and still:
            self._doubt.compared(self._held(), positions)
        if not still:
            # Fills came with every reading: two moments were compared, which proves nothing.
            mismatches = ()
            notes.append("the account was moving; positions are compared next time")
        self._unproven()
        flags = self._raised()
        return Reconciliation(
            complete=True,
            foreign=self._foreign(orders),
            mismatches=(*mismatches, *flags),
            notes=tuple(notes),
            recovered_fills=booked,
            wall=self._desk.wall(),
        )

    def _flag(self, what: str, fill_id: str) -> None:
        log.error("mismatch: %s", what)
        self._flags.append((what, fill_id))
        self._halt(what)

    def _raised(self) -> tuple[str, ...]:
        """Return what was raised since the last comparison, but for fills that are ours by now."""
        raised, self._flags = self._flags, []
        return tuple(what for what, fill_id in raised if not self._fills.known(fill_id))

    def _book(self, adjustments: Sequence[AdjustmentUpdate], fills: Sequence[BrokerFill]) -> int:
        """Book what was missed in the order it happened; adjustments come before the bars."""
        booked = 0
        happened: list[tuple[int, int, AdjustmentUpdate | BrokerFill]] = [
            *((adjustment.ts, 0, adjustment) for adjustment in adjustments),
            *((fill.ts, 1, fill) for fill in fills),
        ]
        for _, _, one in sorted(happened, key=lambda item: item[:2]):
            if isinstance(one, AdjustmentUpdate):
                booked += self.adjustments.apply(one)
            else:
                booked += self._fills.apply(one)
        return booked

    async def _orders(self, working: Sequence[BrokerOrder]) -> None:
        """Take every order the broker lists; ask for those of ours that it does not list."""
        for order in working:
            ticket = self._desk.get(order.client_order_id)
            if ticket is None:
                continue
            if ticket.open:
                self._truth.apply(order, asked=not ticket.busy)
            else:
                await self._truth.ask(ticket)
        for ticket in self._desk.known():
            if ticket.inherited and ticket.state is OrderState.LOST:
                # Its message may have arrived while nobody listened; once is enough.
                await self._truth.ask(ticket)
                ticket.inherited = False
        for ticket in vanished(self._desk.open(), working):
            found = await self._truth.ask(ticket)
            if found is None and ticket.state is OrderState.WORKING:
                ticket.state = OrderState.UNKNOWN
                ticket.note = "the broker does not list it any more"
                self._desk.record(ticket, Step.UNKNOWN, ticket.note)

    def _unproven(self) -> None:
        for ticket in self._desk.open():
            if not ticket.sent:
                continue
            if ticket.state in (OrderState.INTENT, OrderState.UNKNOWN):
                self._sender.settle(ticket)
            if ticket.ending is not None:
                self._truth.fetch_fills()
            if ticket.cancel_asked:
                self._changes.pursue(ticket)

    def _compare(self, positions: Sequence[BrokerPosition]) -> tuple[str, ...]:
        return differences(self._held(), positions)

    def _held(self) -> dict[str, int]:
        book = self._desk.book.positions()
        return {symbol: line.quantity for symbol, line in book.items()}

    def _cash(self, cash: Nanos) -> list[str]:
        ours = self._desk.book.cash
        if ours == cash:
            self.fresh = False
            return []
        if self.fresh:
            # The account begins with what the broker says.
            self.fresh = False
            _begin(self._desk.book, cash)
        else:
            self._desk.book.cash_movement("", cash - ours, CashKind.DIVIDEND)
        self._desk.write(self._fills.book_row())
        return [cash_note(ours, cash)]

    def _foreign(self, orders: Sequence[BrokerOrder]) -> tuple[str, ...]:
        return tuple(
            f"{order.broker_order_id} {order.side} {order.quantity} {order.symbol}"
            + (" (ours by its id, but not in the journal)" * self._desk.ours(order.client_order_id))
            for order in orders
            if self._desk.get(order.client_order_id) is None
        )

    def _consequences(self, found: Reconciliation) -> None:
        reasons = list(found.mismatches)
        if found.foreign and self._settings.foreign_orders == "halt":
            reasons.append(f"orders at the broker that are not ours: {', '.join(found.foreign)}")
        if reasons:
            self._halt("; ".join(reasons))


def settle_unsent(desk: Desk, ticket: Ticket) -> None:
    """End an order that an earlier process journaled and certainly did not send."""
    desk.close(ticket, OrderState.CANCELED, NEVER_SENT)


def _begin(book: Book, cash: Nanos) -> None:
    """Let a book begin with this cash: its day, too; positions that were adopted stay."""
    book.load(msgspec.structs.replace(book.snapshot(), cash=cash))
    begun, day = book.snapshot(), Day(start_equity=book.equity)
    book.load(msgspec.structs.replace(begun, peak=book.equity, instant=-1, day=day))
