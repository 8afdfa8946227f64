"""The kill switch against a broker that keeps its book in memory and misbehaves as told."""

import asyncio
from collections.abc import Sequence

import pytest

from tradingd.app.killing.closing import Closed, Closing, Patience
from tradingd.domain.broker import Accepted, BrokerUnavailable, Outcome, Rejected, Unknown
from tradingd.domain.broker_reports import BrokerAccount, BrokerOrder, BrokerPosition, BrokerStatus
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.orders import OrderType, Side
from tradingd.kits.failure import ExitCode, Failure

QUICK = Patience(
    deadline=2.0, cancels=0.05, closes=0.05, absent=0.05, settle=0.02, again=0.01, poll=0.001
)


class Book:
    """The account, shared by every connection to it."""

    def __init__(self, **positions: int) -> None:
        self.positions = dict(positions)
        self.fractions: dict[str, int] = {}
        self.orders: dict[str, BrokerOrder] = {}
        self.by_client: dict[str, BrokerOrder] = {}
        self.connections = 0
        self.refuse_connections = 0
        self.ignore_cancels = 0
        self.lose_answers = 0
        self.lose_orders = 0
        self.reject_orders = 0
        self.hold_orders = 0
        self.late: list[tuple[float, str, int]] = []
        self.sent: list[OrderRequest] = []

    def work(self, order_id: str, symbol: str, side: Side = Side.BUY, quantity: int = 10) -> None:
        self.orders[order_id] = BrokerOrder(
            client_order_id="", broker_order_id=order_id, symbol=symbol, side=side,
            quantity=quantity, type=OrderType.LIMIT, status=BrokerStatus.WORKING,
        )  # fmt: skip

    def fill(self, symbol: str, signed: int) -> None:
        self.positions[symbol] = self.positions.get(symbol, 0) + signed


class Peer:
    def __init__(self, book: Book, account: str = "SIM-1") -> None:
        self._book = book
        self._account = account

    async def connect(self) -> BrokerAccount:
        self._book.connections += 1
        if self._book.refuse_connections:
            self._book.refuse_connections -= 1
            raise Failure("nobody listens", code=ExitCode.BROKER)
        return BrokerAccount(account_id=self._account, cash=0, equity=0)

    async def close(self) -> None:
        return

    async def submit(self, order: OrderRequest) -> Outcome:
        book = self._book
        book.sent.append(order)
        if book.reject_orders:
            book.reject_orders -= 1
            self._keep(order, BrokerStatus.REJECTED)
            return Rejected(reason="not now")
        if book.lose_orders:
            book.lose_orders -= 1
            return Unknown(why="lost")
        if book.hold_orders:
            book.hold_orders -= 1
            self._keep(order, BrokerStatus.WORKING)
            return Accepted(broker_order_id=order.client_order_id)
        self._keep(order, BrokerStatus.FILLED)
        book.fill(order.symbol, order.side.sign * order.quantity)
        if book.lose_answers:
            book.lose_answers -= 1
            return Unknown(why="no answer")
        return Accepted(broker_order_id=order.client_order_id)

    def _keep(self, order: OrderRequest, status: BrokerStatus) -> None:
        kept = BrokerOrder(
            client_order_id=order.client_order_id, broker_order_id=order.client_order_id,
            symbol=order.symbol, side=order.side, quantity=order.quantity, type=order.type,
            status=status,
        )  # fmt: skip
        self._book.by_client[order.client_order_id] = kept
        if not status.final:
            self._book.orders[order.client_order_id] = kept

    async def cancel_at_broker(self, broker_order_id: str) -> Outcome:
        if self._book.ignore_cancels:
            self._book.ignore_cancels -= 1
            return Unknown(why="no answer")
        self._book.orders.pop(broker_order_id, None)
        return Accepted(broker_order_id=broker_order_id)

    async def order(self, client_order_id: str) -> BrokerOrder | None:
        return self._book.by_client.get(client_order_id)

    async def open_orders(self) -> Sequence[BrokerOrder]:
        now = asyncio.get_running_loop().time()
        due = [one for one in self._book.late if one[0] <= now]
        self._book.late = [one for one in self._book.late if one[0] > now]
        for _, symbol, signed in due:
            self._book.fill(symbol, signed)
        return list(self._book.orders.values())

    async def positions(self) -> Sequence[BrokerPosition]:
        held = self._book.positions.items()
        whole = [BrokerPosition(symbol=symbol, quantity=q) for symbol, q in held if q]
        parts = self._book.fractions.items()
        return [*whole, *(BrokerPosition(symbol=s, quantity=0, fraction=f) for s, f in parts)]


def close_out(book: Book, patience: Patience = QUICK, account: str = "SIM-1") -> Closed:
    closing = Closing(lambda: Peer(book), account=account, prefix="KILL-t-1", patience=patience)
    return asyncio.run(closing.run())


def held(book: Book) -> dict[str, int]:
    return {symbol: quantity for symbol, quantity in book.positions.items() if quantity}


def test_long_and_short_positions_and_every_order_are_gone_at_the_end() -> None:
    book = Book(SPY=100, QQQ=-40)
    book.work("O1", "SPY")
    book.work("O2", "IWM", Side.SELL)
    closed = close_out(book)
    assert closed.flat
    assert held(book) == {}
    assert book.orders == {}
    assert sorted(closed.closed) == ["BUY 40 QQQ", "SELL 100 SPY"]
    assert len(closed.canceled) == 2


def test_a_flat_account_is_left_alone_and_proven_over_a_second_connection() -> None:
    book = Book()
    assert close_out(book).flat
    assert book.sent == []
    assert book.connections == 2


def test_a_cancel_that_is_ignored_is_asked_for_again() -> None:
    book = Book()
    book.work("O1", "SPY")
    book.ignore_cancels = 2
    assert close_out(book).flat
    assert book.orders == {}


def test_a_close_whose_answer_is_lost_is_not_sent_twice() -> None:
    book = Book(SPY=100)
    book.lose_answers = 1
    assert close_out(book).flat
    assert [order.quantity for order in book.sent] == [100]


def test_a_close_that_never_arrived_is_sent_again_once_it_is_proven_absent() -> None:
    book = Book(SPY=100)
    book.lose_orders = 1
    assert close_out(book).flat
    assert [order.quantity for order in book.sent] == [100, 100]
    assert len({order.client_order_id for order in book.sent}) == 2


def test_a_close_that_keeps_working_is_cancelled_before_a_new_one_is_sent() -> None:
    book = Book(SPY=100)
    book.hold_orders = 1
    assert close_out(book).flat
    assert held(book) == {}


def test_a_fill_that_comes_late_is_closed_too() -> None:
    book = Book(SPY=100)

    async def run() -> Closed:
        book.late = [(asyncio.get_running_loop().time() + 0.05, "SPY", 30)]
        patience = Patience(deadline=2, cancels=0.1, closes=0.1, absent=0.1, settle=0.2, poll=0.005)
        closing = Closing(lambda: Peer(book), account="SIM-1", prefix="K", patience=patience)
        return await closing.run()

    assert asyncio.run(run()).flat
    assert held(book) == {}
    assert [order.quantity for order in book.sent] == [100, 30]


def test_a_position_that_was_turned_is_closed_again() -> None:
    book = Book(SPY=100)
    book.late = [(0.0, "SPY", -150)]  # somebody else's sale arrives at the same moment
    assert close_out(book).flat
    assert held(book) == {}


def test_a_broker_that_is_away_for_a_while_is_waited_for() -> None:
    book = Book(SPY=1)
    book.refuse_connections = 5
    assert close_out(book).flat


def test_a_broker_that_stays_away_leaves_nothing_proven() -> None:
    book = Book(SPY=1)
    book.refuse_connections = 10**9
    closed = close_out(book, Patience(deadline=0.05, poll=0.001))
    assert not closed.flat
    assert "nobody listens" in closed.troubles[0]


def test_a_broker_that_rejects_for_ever_is_asked_at_a_walking_pace_and_told_of() -> None:
    book = Book(SPY=7)
    book.reject_orders = 10**9
    closed = close_out(book, Patience(deadline=0.3, settle=0.01, again=0.1, poll=0.001))
    assert not closed.flat
    assert closed.positions_left == ("+7 SPY",)
    assert closed.closed == ()
    assert any("not now" in trouble for trouble in closed.troubles)
    assert len(book.sent) <= 4


def test_a_part_of_a_share_is_told_and_never_ordered() -> None:
    book = Book(SPY=7)
    book.fractions["AAPL"] = 500_000_000
    closed = close_out(book, Patience(deadline=0.2, settle=0.01, again=0.05, poll=0.001))
    assert not closed.flat
    assert closed.positions_left == ("+0.5 AAPL",)
    assert [one.quantity for one in book.sent] == [7]
    assert closed.troubles == ("+0.5 AAPL: no order closes a part of a share",)


def test_another_account_is_not_touched() -> None:
    book = Book(SPY=7)
    with pytest.raises(Failure) as refused:
        close_out(book, account="U1234567")
    assert refused.value.code is ExitCode.NOT_FLAT
    assert held(book) == {"SPY": 7}


def test_a_question_that_gets_no_answer_does_not_end_the_attempt() -> None:
    book = Book(SPY=7)

    class Forgetful(Peer):
        mute = 3

        async def positions(self) -> Sequence[BrokerPosition]:
            if Forgetful.mute:
                Forgetful.mute -= 1
                raise BrokerUnavailable("no answer")
            return await super().positions()

    closing = Closing(lambda: Forgetful(book), account="", prefix="K", patience=QUICK)
    closed = asyncio.run(closing.run())
    assert closed.flat
    assert closed.account == "SIM-1"
