import msgspec
import pytest

from tradingd.domain.broker_reports import BrokerOrder, BrokerPosition, BrokerStatus
from tradingd.domain.journal import BookRow, FillRow, OrderRow, OrderState
from tradingd.domain.orders import Fill, OrderType, Purpose, Side
from tradingd.domain.recall import Recalled
from tradingd.gate.book import Book
from tradingd.orders import recovery
from tradingd.orders.ticket import WAITING_APPROVAL, WAITING_ROOM, Ticket, recalled


def row(order_id: str = "o", state: OrderState = OrderState.WORKING, **changes: object) -> OrderRow:
    fields: dict[str, object] = {
        "order_id": order_id,
        "run_id": "run",
        "strategy": "s",
        "symbol": "A",
        "side": "BUY",
        "quantity": 100,
        "type": "LIMIT",
        "purpose": "ENTRY",
        "reason": "because",
        "state": state.value,
        "limit": 10,
        "protective_stop": 8,
        "ts": 1,
    }
    return OrderRow(**(fields | changes))  # type: ignore[arg-type]


def fill(number: int, order_id: str = "o", quantity: int = 40, side: str = "BUY") -> FillRow:
    return FillRow(
        fill_id=f"f{number}",
        order_id=order_id,
        run_id="run",
        strategy="s",
        symbol="A",
        side=side,
        quantity=quantity,
        price=10,
        commission=1,
        slippage=0,
        purpose="ENTRY" if side == "BUY" else "EXIT",
        reason="r",
        position_after=0,
        ts=number,
        wall=0,
    )


def snapshot(book: Book, fills: int) -> BookRow:
    return BookRow(fills=fills, state=msgspec.json.encode(book.snapshot()), ts=0, wall=0)


def intent_of(order: OrderRow, filled: int = 0) -> Ticket:
    return msgspec.structs.replace(recalled(order), filled=filled)


@pytest.mark.parametrize("saved_after", [0, 1, 2], ids=lambda n: f"snapshot after {n} fills")
def test_the_book_is_the_same_whenever_its_last_snapshot_was_taken(saved_after: int) -> None:
    straight = Book(10_000)
    fills = [fill(1), fill(2, quantity=30)]
    saved = None
    straight.order_opened(intent_of(row()).intent(0))
    for number, one in enumerate(fills):
        if number == saved_after:
            saved = snapshot(straight, number)
        straight.fill(recovery.fill_of(one))
    saved = saved or snapshot(straight, len(fills))
    known = Recalled(
        open_orders=(row(filled=70),), book=saved, fills_after_book=tuple(fills[saved_after:])
    )
    book = Book(0)
    recovery.rebuild(book, known, recovery.tickets_of(known))
    assert book.snapshot() == straight.snapshot()


def test_an_order_that_the_snapshot_does_not_know_is_counted_from_its_row() -> None:
    known = Recalled(
        open_orders=(row(filled=40),),
        book=snapshot(Book(10_000), 0),
        fills_after_book=(fill(1),),
    )
    book = Book(0)
    recovery.rebuild(book, known, recovery.tickets_of(known))
    line = book.position("A")
    assert line is not None
    assert (line.quantity, line.stop, book.trades_today, book.pending_long) == (40, 8, 1, 600)


def test_an_order_that_ended_after_the_snapshot_claims_nothing() -> None:
    before = Book(10_000)
    before.order_opened(intent_of(row()).intent(0))
    known = Recalled(recent_orders=(row(state=OrderState.CANCELED),), book=snapshot(before, 0))
    book = Book(0)
    recovery.rebuild(book, known, recovery.tickets_of(known))
    assert (book.pending_long, book.unfilled_entries) == (0, 0)


def test_a_new_instance_starts_with_the_book_it_was_given() -> None:
    book = Book(500)
    recovery.rebuild(book, Recalled(), [])
    assert book.cash == 500


@pytest.mark.parametrize(
    ("state", "note", "sent"),
    [
        (OrderState.INTENT, "", True),
        (OrderState.INTENT, WAITING_APPROVAL, False),
        (OrderState.INTENT, WAITING_ROOM, False),
        (OrderState.UNKNOWN, WAITING_ROOM, True),
        (OrderState.WORKING, "", True),
    ],
)
def test_only_a_note_proves_that_an_intent_was_never_sent(
    state: OrderState, note: str, sent: bool
) -> None:
    assert recalled(row(state=state, note=note)).sent is sent


def test_a_row_comes_back_as_it_was() -> None:
    written = row(expires=5, take_profit=12, filled=3, paid=30, note="n", broker_order_id="b")
    assert recalled(written).row() == written


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"A": 5}, {"A": 5}, ()),
        ({}, {"A": 0}, ()),
        ({"A": 5}, {"A": 4}, ("A: the broker has 4, the book 5",)),
        ({"A": 5}, {}, ("A: the broker has 0, the book 5",)),
        ({}, {"B": -3}, ("B: the broker has -3, the book 0",)),
    ],
)
def test_positions_that_differ_are_named(
    ours: dict[str, int], theirs: dict[str, int], expected: tuple[str, ...]
) -> None:
    positions = [BrokerPosition(symbol=name, quantity=size) for name, size in theirs.items()]
    assert recovery.differences(ours, positions) == expected


def test_a_book_that_contradicts_its_fills_is_named() -> None:
    known = Recalled(positions={"A": 5})
    assert recovery.journal_differences(known, {"A": 5}) == ()
    assert recovery.journal_differences(known, {"A": 6}) == ("A: the fills say 5, the book 6",)


def test_working_orders_that_the_broker_does_not_list_are_found() -> None:
    tickets = [
        recalled(row("there")),
        recalled(row("gone")),
        recalled(row("unknown", OrderState.UNKNOWN)),
    ]
    listed = BrokerOrder(
        client_order_id="there",
        broker_order_id="1",
        symbol="A",
        side=Side.BUY,
        quantity=100,
        type=OrderType.LIMIT,
        status=BrokerStatus.WORKING,
    )
    assert [ticket.order_id for ticket in recovery.vanished(tickets, [listed])] == ["gone"]


def test_why_a_position_was_opened_is_known_from_its_entry() -> None:
    tickets = [recalled(row(filled=1)), recalled(row("x", purpose="EXIT", filled=1, reason="no"))]
    assert recovery.entry_reasons(tickets) == {"A": "because"}


def test_a_journaled_fill_is_the_fill_that_was_booked() -> None:
    assert recovery.fill_of(fill(1)) == Fill(
        order_id="o",
        strategy="s",
        symbol="A",
        side=Side.BUY,
        quantity=40,
        price=10,
        commission=1,
        slippage=0,
        purpose=Purpose.ENTRY,
        ts=1,
    )
