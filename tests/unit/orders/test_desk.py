import asyncio
from pathlib import Path

import pytest

from tradingd.domain.journal import OrderState
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.trading import OrderEvent, Step
from tradingd.gate.book import Book
from tradingd.journal.writer import SqliteJournal
from tradingd.orders.desk import Desk
from tradingd.orders.errors import MINUTE, BrokerErrors
from tradingd.orders.ticket import Ticket
from tradingd.session.clock import ReplayClock


def desk(journal: SqliteJournal, instance: str = "paper", run_id: str = "run-1") -> Desk:
    return Desk(
        instance=instance,
        run_id=run_id,
        journal=journal,
        book=Book(0),
        clock=ReplayClock(),
        wall=lambda: 7,
        first_seq=12,
    )


def ticket(order_id: str) -> Ticket:
    return Ticket(
        order_id=order_id,
        run_id="run-1",
        strategy="s",
        symbol="A",
        side=Side.BUY,
        quantity=10,
        type=OrderType.LIMIT,
        purpose=Purpose.ENTRY,
        reason="r",
        ts=1,
        limit=10,
    )


def test_ids_are_short_number_on_and_differ_between_runs(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.sqlite")
    one, two = desk(journal, "a-long-instance-name"), desk(journal, "a-long-instance-name", "run-2")
    ids = [one.next_id(), one.next_id(), two.next_id()]
    assert len(set(ids)) == 3
    assert [order_id.rsplit("-", 1)[1] for order_id in ids] == ["000012", "000013", "000012"]
    assert all(len(order_id) <= 48 for order_id in ids)
    assert all(one.ours(order_id) for order_id in ids)


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "x",
        "paper-2-0000abc-000001",
        "paper-000001",
        "paper-2.swing.E.0000abc-000001",
        "paper.swing.E.0000abc-000001~2",
        "paper.swing.Q.0000abc-000001",
        "paper.swing.E.0000abc-1",
    ],
)
def test_ids_of_others_are_not_ours(tmp_path: Path, foreign: str) -> None:
    assert not desk(SqliteJournal(tmp_path / "j.sqlite")).ours(foreign)


def test_steps_are_told_in_order_and_a_listener_that_fails_stops_nothing(tmp_path: Path) -> None:
    heard: list[Step] = []
    faults: list[str] = []

    def broken(_event: OrderEvent) -> None:
        raise RuntimeError("a bug")

    async def scene() -> None:
        journal = SqliteJournal(tmp_path / "j.sqlite")
        journal.start()
        made = desk(journal)
        made.fault = lambda what, _error: faults.append(what)
        made.listen(broken)
        made.listen(lambda event: heard.append(event.step))
        order = ticket(made.next_id())
        made.add(order)
        await made.record(order, Step.INTENT)
        await made.close(order, OrderState.LOST, "never there")
        assert made.open() == []
        assert made.get(order.order_id) is order
        journal.close()

    asyncio.run(scene())
    assert heard == [Step.INTENT, Step.LOST]
    assert len(faults) == 2


def test_waiting_ends_with_the_condition_or_the_time(tmp_path: Path) -> None:
    async def scene() -> tuple[bool, bool]:
        made = desk(SqliteJournal(tmp_path / "j.sqlite"))
        done: list[int] = []
        waiting = asyncio.create_task(made.until(lambda: bool(done), 5))
        await asyncio.sleep(0)
        done.append(1)
        made.wake()
        return await waiting, await made.until(lambda: False, 0.01)

    assert asyncio.run(scene()) == (True, False)


def test_broker_errors_count_for_a_minute() -> None:
    now = [0]
    errors = BrokerErrors(lambda: now[0])
    errors.note()
    now[0] = MINUTE // 2
    errors.note()
    assert errors.count(MINUTE // 2) == 2
    assert errors.count(MINUTE) == 1
    assert errors.count(2 * MINUTE) == 0
