"""What a restart knows and what it finds: pure, so that every case is a table.

Rebuilding brings the book to the last journaled fill; comparing says where the broker's truth
differs from it. Acting on that is `reconcile`'s.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tradingd.domain.broker_reports import BrokerOrder, BrokerPosition
from tradingd.domain.journal import FillRow, OrderState
from tradingd.domain.money import Nanos, dollars
from tradingd.domain.orders import Fill, Purpose, Side
from tradingd.domain.recall import Recalled
from tradingd.gate.book import Book, BookState
from tradingd.orders.ticket import Ticket
from tradingd.orders.ticket import recalled as recalled_ticket


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The last comparison with the broker.

    `foreign` are working orders at the broker that are not ours, `mismatches` differences that
    nobody may adopt silently, `notes` what was corrected. `wall` is when it ended (UTC ns), 0
    before the first.
    """

    complete: bool = False
    foreign: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    recovered_fills: int = 0
    wall: int = 0

    @property
    def clean(self) -> bool:
        """True when it was complete and nothing differs."""
        return self.complete and not self.mismatches and not self.foreign


def tickets_of(recalled: Recalled) -> list[Ticket]:
    """Return the orders a restart goes on with, oldest first."""
    return [recalled_ticket(row) for row in (*recalled.recent_orders, *recalled.open_orders)]


def rebuild(book: Book, recalled: Recalled, tickets: Sequence[Ticket]) -> None:
    """Bring the book from its last snapshot to the last journaled fill."""
    if recalled.book is not None:
        book.load(msgspec.json.decode(recalled.book.state, type=BookState))
    later = _later_fills(recalled.fills_after_book)
    counted = {order.order_id for order in book.snapshot().working}
    for ticket in tickets:
        before = ticket.filled - later[ticket.order_id]
        matters = ticket.open or later[ticket.order_id]
        if ticket.order_id not in counted and matters and ticket.quantity > before:
            line = book.line(ticket.symbol)
            book.order_opened(_as_of(ticket, before).intent(0 if line is None else line.mark))
    for row in recalled.fills_after_book:
        book.fill(fill_of(row))
    alive = {ticket.order_id for ticket in tickets if ticket.open}
    for order in book.snapshot().working:
        if order.order_id not in alive:
            book.order_closed(order.order_id)


def entry_reasons(tickets: Iterable[Ticket]) -> dict[str, str]:
    """Return why the position of each symbol was opened, as far as recent orders tell."""
    return {
        ticket.symbol: ticket.reason
        for ticket in tickets
        if ticket.purpose is Purpose.ENTRY and ticket.filled
    }


def fill_of(row: FillRow) -> Fill:
    """Return a journaled execution as the book takes it."""
    return Fill(
        order_id=row.order_id,
        strategy=row.strategy,
        symbol=row.symbol,
        side=Side(row.side),
        quantity=row.quantity,
        price=row.price,
        commission=row.commission,
        slippage=row.slippage,
        purpose=Purpose(row.purpose),
        ts=row.ts,
    )


def differences(
    ours: Mapping[str, int], theirs: Iterable[BrokerPosition], whose: str = "the book"
) -> tuple[str, ...]:
    """Return the positions that differ, as sentences."""
    broker = {position.symbol: position.quantity for position in theirs if position.quantity}
    return tuple(
        f"{symbol}: the broker has {broker.get(symbol, 0)}, {whose} {ours.get(symbol, 0)}"
        for symbol in sorted(broker.keys() | ours.keys())
        if broker.get(symbol, 0) != ours.get(symbol, 0)
    )


def journal_differences(recalled: Recalled, held: Mapping[str, int]) -> tuple[str, ...]:
    """Return where the rebuilt book contradicts the sum of the journal's fills."""
    fills = (
        BrokerPosition(symbol=symbol, quantity=quantity)
        for symbol, quantity in recalled.positions.items()
    )
    return tuple(
        text.replace("the broker has", "the fills say") for text in differences(held, fills)
    )


def cash_note(ours: Nanos, theirs: Nanos) -> str:
    """Return the sentence about a corrected cash balance."""
    return f"cash corrected from {dollars(ours)} to the broker's {dollars(theirs)}"


def vanished(tickets: Iterable[Ticket], working: Iterable[BrokerOrder]) -> list[Ticket]:
    """Return our sent orders that should be working at the broker and are not listed there."""
    listed = {order.client_order_id for order in working}
    return [
        ticket
        for ticket in tickets
        if ticket.sent and ticket.state is OrderState.WORKING and ticket.order_id not in listed
    ]


def _later_fills(rows: Iterable[FillRow]) -> defaultdict[str, int]:
    later: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        later[row.order_id] += row.quantity
    return later


def _as_of(ticket: Ticket, filled: int) -> Ticket:
    return msgspec.structs.replace(ticket, filled=filled)
