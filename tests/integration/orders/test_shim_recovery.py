import asyncio
import itertools
from pathlib import Path

import msgspec
import pytest

from tests.crash.life import HASTY, SETTINGS, Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    MINUTE,
    SYMBOL,
    held,
    leave,
    opened,
    play,
    process,
    resting,
    rows,
    stands,
    until,
    wish,
    working,
)
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.broker_reports import BrokerFill, FillUpdate
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.orders import OrderType, Side
from tradingd.domain.states import TradingState
from tradingd.kits.failure import Failure


async def by_hand(folder: Path, order: OrderRequest) -> None:
    """Trade at the broker past us, as a person with the broker's own program does."""
    client = SimulatedBroker(folder / "b.sock", timeout=1)
    await client.connect()
    await client.submit(order)
    await client.close()


def manual(quantity: int = 10, limit: int | None = None) -> OrderRequest:
    return OrderRequest(
        client_order_id="",
        symbol=SYMBOL,
        side=Side.BUY,
        quantity=quantity,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit=limit,
    )


def test_a_restart_goes_on_with_positions_owners_stops_and_ids(folder: Path) -> None:
    async def first(process: Process) -> tuple[str, int, int]:
        order_id = await opened(process, take_profit=103 * DOLLAR)
        return order_id, process.book.cash, process.book.trades_today

    async def second(process: Process) -> str:
        assert held(process) == 100
        assert process.shim.owners() == {SYMBOL: "swing"}
        assert process.shim.stop_price(SYMBOL) == 98 * DOLLAR
        assert len(await stands(process, 2)) == 2
        assert process.shim.reconciliation.clean
        assert (process.book.cash, process.book.trades_today) == (cash, trades)
        assert process.shim.order(order_id).state == "FILLED"
        return str(process.shim.next_id())

    order_id, cash, trades = play(folder, first)
    assert play(folder, second) not in {
        row[0] for row in rows(folder, "SELECT order_id FROM orders")
    }
    assert rows(folder, "SELECT count(*) FROM orders") == [(3,)]


def test_the_days_peak_and_losses_survive_a_restart(folder: Path) -> None:
    seconds = itertools.count()

    async def first(process: Process) -> tuple[int, int, int]:
        await opened(process)
        await process.batch({SYMBOL: (0, 500, 500)})
        process.shim.submit(leave(process, 50))
        await until(lambda: held(process) == 50)
        await stands(process, 1)
        await process.batch({SYMBOL: (-600, 0, -600)})
        book = process.book
        return book.day_peak, book.realised_today, book.session_start_equity

    async def second(process: Process) -> tuple[int, int, int]:
        book = process.book
        return book.day_peak, book.realised_today, book.session_start_equity

    # A wall clock on which a second passes with every look: each batch is journaled.
    before = play(folder, first, wall=lambda: next(seconds) * 1_000_000_000)
    assert play(folder, second) == before
    assert before[0] > before[2]


def test_what_filled_while_nobody_was_there_is_booked_and_protected(folder: Path) -> None:
    async def first(process: Process) -> None:
        await process.batch({})
        process.shim.submit(resting(process, 99, protective_stop=95 * DOLLAR))
        await stands(process, 1)

    async def market(process: Process) -> None:
        await process.client.connect()
        process.clock.advance(process.client.market_ts)
        process.shim = type("Nobody", (), {"on_batch": lambda _self, _batch: None})()
        await process.batch({SYMBOL: (-300, 0, -200)})
        await process.client.close()

    async def second(process: Process) -> None:
        assert held(process) == 100
        (stop,) = await stands(process, 1)
        assert stop.stop == 95 * DOLLAR
        assert process.shim.reconciliation.recovered_fills == 1

    play(folder, first)
    asyncio.run(market(Process(folder)))
    play(folder, second)
    assert rows(folder, "SELECT count(*) FROM fills") == [(1,)]


def test_an_approval_and_an_expiry_survive_a_restart(folder: Path) -> None:
    async def first(process: Process) -> str:
        await process.batch({})
        due = process.clock.now() + 2 * MINUTE
        return str(process.shim.submit(resting(process, expires=due)).order_id)

    async def second(process: Process) -> None:
        assert [row.order_id for row in process.shim.waiting_for_approval()] == [order_id]
        await process.batch({})
        assert process.shim.approve(order_id)
        await stands(process, 1)
        for _ in range(2):
            await process.batch({})
        await until(lambda: process.shim.order(order_id).state == "CANCELED")

    order_id = play(folder, first, approval="manual")
    play(folder, second, approval="manual")


def test_a_cancel_that_was_asked_is_asked_again_after_a_restart(folder: Path) -> None:
    async def first(process: Process) -> str:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        await stands(process, 1)
        await process.client.misbehave({"ops": ["cancel"], "probabilities": {"drop_request": 1}})
        process.shim.cancel(order_id, reason="a test")
        await until(lambda: rows(folder, "SELECT cancel_asked FROM orders") == [(1,)])
        return str(order_id)

    async def second(process: Process) -> None:
        await until(lambda: process.shim.order(order_id).state == "CANCELED")
        assert await working(process) == []

    order_id = play(folder, first)
    play(folder, second)


def test_a_position_nobody_here_opened_halts_the_account_and_is_not_adopted(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await by_hand(folder, manual())
        await until(lambda: bool(process.states.snapshot()))
        (state,) = process.states.snapshot()
        assert (state.state, state.author) == (TradingState.HALTED, "reconciliation")
        await process.reconcile()
        assert "AAA: the broker has 110, the book 100" in process.shim.reconciliation.mismatches
        assert held(process) == 100

    async def after_restart(process: Process) -> None:
        assert process.shim.reconciliation.mismatches == ("AAA: the broker has 110, the book 100",)
        assert process.states.effective("any", "any", 1) is not None

    play(folder, scene)
    assert rows(folder, "SELECT state, author FROM states") == [("HALTED", "reconciliation")]
    play(folder, after_restart)


def test_what_others_traded_enters_the_book_when_a_person_adopts_it(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await by_hand(folder, msgspec.structs.replace(manual(100), side=Side.SELL))
        await by_hand(folder, msgspec.structs.replace(manual(5), symbol="BBB"))
        await until(lambda: bool(process.states.snapshot()))
        adopted = await process.shim.adopt(reason="the kill switch closed it", author="op")
        assert [text.split(" (")[0] for text in adopted] == ["EXIT SELL 100 AAA", "ENTRY BUY 5 BBB"]
        assert (held(process), held(process, "BBB")) == (0, 5)
        assert process.shim.reconciliation.clean
        assert process.shim.owners() == {"BBB": "external"}
        await stands(process, 0)
        await process.reconcile()
        assert process.shim.reconciliation.clean
        assert await process.shim.adopt(reason="again", author="op") == []

    async def after_restart(process: Process) -> None:
        assert process.shim.reconciliation.clean
        assert held(process, "BBB") == 5

    play(folder, scene)
    assert rows(folder, "SELECT strategy, quantity FROM trips") == [("swing", 100)]
    assert rows(folder, "SELECT count(*) FROM audit WHERE action = 'adopt'") == [(2,)]
    play(folder, after_restart)


@pytest.mark.parametrize("rule", ["halt", "leave"])
def test_a_foreign_order_is_listed_and_left_alone(folder: Path, rule: str) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        await by_hand(folder, manual(limit=90 * DOLLAR))
        await process.reconcile()
        found = process.shim.reconciliation
        assert len(found.foreign) == 1
        assert not found.clean
        assert bool(process.states.snapshot()) is (rule == "halt")
        assert len(await working(process)) == 1

    settings = msgspec.structs.replace(SETTINGS, foreign_orders=rule)
    play(folder, scene, settings=settings)


def test_cash_that_differs_is_corrected_with_a_note(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        process.book.cash_movement("", 7 * DOLLAR, "dividend")
        await process.reconcile()
        (note,) = process.notes
        assert note.startswith("cash corrected from")
        assert process.book.cash == (await process.client.account()).cash
        assert process.states.snapshot() == ()

    play(folder, scene)


def test_a_fill_is_booked_once_however_often_it_is_told(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        (fill,) = await process.client.fills(0)
        cash = process.book.cash
        for _ in range(3):
            await process.shim._parts.following._take(FillUpdate(fill))
        assert (held(process), process.book.cash) == (100, cash)

    play(folder, scene)
    assert rows(folder, "SELECT count(*) FROM fills") == [(1,)]


def test_a_fill_after_the_cancel_is_booked_and_an_overfill_is_flagged(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.batch({})
        order_id = process.shim.submit(resting(process)).order_id
        (there,) = await stands(process, 1)
        process.shim.cancel(order_id, reason="a test")
        await until(lambda: process.shim.order(order_id).state == "CANCELED")
        late = BrokerFill(
            fill_id="late",
            client_order_id=order_id,
            broker_order_id=there.broker_order_id,
            symbol=SYMBOL,
            side=Side.BUY,
            quantity=60,
            price=90 * DOLLAR,
            commission=0,
            ts=process.clock.now(),
        )
        await process.shim._parts.following._take(FillUpdate(late))
        assert held(process) == 60
        assert process.shim.order(order_id).filled == 60
        await process.shim._parts.following._take(
            FillUpdate(msgspec.structs.replace(late, fill_id="more"))
        )
        await until(lambda: bool(process.states.snapshot()))
        (state,) = process.states.snapshot()
        assert "120 shares filled of an order for 100" in state.reason

    play(folder, scene)


def test_while_the_broker_is_away_wishes_are_refused_and_then_it_goes_on(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await process.client.misbehave({"disconnect_now": True, "refuse_seconds": 0.3})
        await until(lambda: not process.shim.ready)
        admission = process.shim.submit(wish(process))
        assert [denial.limit for denial in admission.verdict.denials] == ["broker"]
        await until(lambda: bool(process.shim.ready))
        assert process.shim.submit(leave(process)).allowed
        await until(lambda: held(process) == 0)
        await stands(process, 0)

    play(folder, scene)


def test_a_start_without_a_broker_that_answers_is_a_failure_of_its_own(folder: Path) -> None:
    async def scene() -> Failure:
        async with process(folder) as made:
            await made.client.misbehave(
                {"ops": ["positions"], "probabilities": {"drop_request": 1}}
            )
            await made.shim.stop()
            with pytest.raises(Failure) as caught:
                await made.shim.start(made.recalled)
            return caught.value

    failure = asyncio.run(scene())
    assert failure.code.name == "BROKER"


def test_a_journal_that_fails_stops_sending_and_halts(folder: Path) -> None:
    async def scene() -> None:
        made = Process(folder, page_limit=90)
        await made.start()
        await made.batch({})
        for _ in range(400):
            made.shim.submit(resting(made, reason="x" * 4_000))
            await asyncio.sleep(0)
            if made.journal.failure is not None:
                break
        await until(lambda: made.journal.failure is not None)
        sent = len(await made.client.all_orders())
        admission = made.shim.submit(resting(made))
        assert admission.verdict.denials[0].limit == "journal"
        await until(lambda: bool(made.states.snapshot()))
        assert len(await made.client.all_orders()) == sent
        made.shim._parts.fills.unsaved = False
        await made.shim.stop()
        await made.client.close()
        with pytest.raises(Failure):
            made.writer.close()

    asyncio.run(scene())


def test_what_became_of_a_lost_order_while_nobody_listened_is_asked(folder: Path) -> None:
    async def before(process: Process) -> str:
        await process.batch({})
        late = {"fault": "delay", "seconds": 0.6}
        await process.client.misbehave({"script": {"submit": [late]}})
        order_id = str(process.shim.submit(resting(process)).order_id)
        await until(lambda: process.shim.order(order_id).state == "LOST")
        return order_id

    async def meanwhile(order_id: str) -> None:
        client = SimulatedBroker(folder / "b.sock", timeout=1)
        await client.connect()
        async with asyncio.timeout(30):
            while await client.order(order_id) is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        await client.cancel(order_id)
        await client.close()

    async def after(process: Process) -> None:
        assert process.shim.order(lost).state == "CANCELED"

    lost = play(folder, before, settings=HASTY)
    asyncio.run(meanwhile(lost))
    play(folder, after)
