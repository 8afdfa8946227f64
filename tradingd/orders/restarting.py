"""Taking up what the journal has of an earlier process."""

from collections.abc import Callable, Mapping, Sequence

from tradingd.domain.recall import Recalled
from tradingd.gate.book import Book
from tradingd.orders import recovery
from tradingd.orders.adjustments import Adjustments
from tradingd.orders.desk import Desk
from tradingd.orders.fills import Fills
from tradingd.orders.protection import Protection
from tradingd.orders.reconcile import Reconciler, settle_unsent
from tradingd.orders.ticket import WAITING_APPROVAL, Ticket
from tradingd.orders.waiting import Approval, Expiry


class Restart:
    """Rebuilds book, orders and guards; goes on with what was open."""

    def __init__(
        self,
        desk: Desk,
        book: Book,
        *,
        fills: Fills,
        adjustments: Adjustments,
        protection: Protection,
        reconciler: Reconciler,
        approval: Approval,
        expiry: Expiry,
        flag: Callable[[str], None],
    ) -> None:
        self.owners: Mapping[str, str] = {}
        self._desk = desk
        self._book = book
        self._fills = fills
        self._adjustments = adjustments
        self._protection = protection
        self._reconciler = reconciler
        self._approval = approval
        self._expiry = expiry
        self._flag = flag

    def restore(self, recalled: Recalled) -> list[Ticket]:
        """Bring everything to the last journaled fill; return the orders that are remembered."""
        tickets = recovery.tickets_of(recalled)
        recovery.rebuild(self._book, recalled, tickets)
        for ticket in tickets:
            self._desk.add(ticket)
        saved = 0 if recalled.book is None else recalled.book.fills
        self._fills.restore(
            count=saved + len(recalled.fills_after_book),
            seen=recalled.fill_ids,
            last=recalled.last_fill_ts,
            entered=recovery.entry_reasons(tickets),
        )
        self._adjustments.restore(recalled.adjustment_ids)
        self._protection.restore(recalled.guards, recalled.marks)
        self.owners = recalled.owners
        held = {symbol: line.quantity for symbol, line in self._book.positions().items()}
        for text in recovery.journal_differences(recalled, held):
            self._flag(text)
        # An account that held something before its first start is halted before its cash is taken
        # over: a book without any fill that was kept then is as good as none.
        booked = saved or self._book.positions() or recalled.fill_ids or recalled.adjustment_ids
        self._reconciler.fresh = not booked
        return tickets

    def resume(self, tickets: Sequence[Ticket]) -> None:
        """Go on with the orders an earlier process left, after the first comparison."""
        for ticket in tickets:
            if not ticket.open:
                continue
            if ticket.note == WAITING_APPROVAL:
                self._approval.hold(ticket)
            elif not ticket.sent and not ticket.watched:
                settle_unsent(self._desk, ticket)
            self._expiry.watch(ticket)
