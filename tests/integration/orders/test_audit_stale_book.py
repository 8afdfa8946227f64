"""What others traded is not in our book: nothing we do by the book may make it worse."""

import asyncio
from pathlib import Path

import msgspec

from tests.crash.life import SETTINGS, Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    held,
    opened,
    play,
    stands,
    until,
    working,
)
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.orders import OrderType, Side
from tradingd.domain.states import Scope

BRIEF = msgspec.structs.replace(SETTINGS, stop_grace_seconds=0.8, command_seconds=1.0)


async def by_hand(folder: Path, side: Side, quantity: int) -> None:
    client = SimulatedBroker(folder / "b.sock", timeout=1)
    await client.connect()
    order = OrderRequest(
        client_order_id="", symbol=SYMBOL, side=side, quantity=quantity, type=OrderType.MARKET
    )
    await client.submit(order)
    await client.close()


async def at_broker(process: Process) -> int:
    return sum(one.quantity for one in await process.client.positions())


def test_flatten_does_not_sell_what_somebody_sold_already(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await by_hand(folder, Side.SELL, 100)
        await until(lambda: bool(process.states.snapshot()))
        assert not await process.shim.flatten(Scope(), reason="panic", author="op")
        await process.client.ping()
        assert await at_broker(process) == 0

    play(folder, scene, settings=BRIEF)


def test_flatten_sells_what_is_left_after_somebody_sold_a_part(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await by_hand(folder, Side.SELL, 60)
        await until(lambda: bool(process.states.snapshot()))
        await process.shim.flatten(Scope(), reason="panic", author="op")
        assert await at_broker(process) == 0

    play(folder, scene, settings=BRIEF)


def test_no_new_stop_for_a_position_that_somebody_closed(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        await by_hand(folder, Side.SELL, 100)
        await until(lambda: bool(process.states.snapshot()))
        await process.client.cancel_at_broker(stop.broker_order_id)
        await until(lambda: process.shim.order(stop.client_order_id).state == "CANCELED")
        await asyncio.sleep(0.1)
        await process.reconcile()
        await asyncio.sleep(0.1)
        assert await working(process) == []

        await process.shim.adopt(reason="sold by hand", author="op")
        assert held(process) == 0

    play(folder, scene)


def test_a_stop_is_sent_again_while_the_broker_has_the_shares(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        await by_hand(folder, Side.BUY, 50)
        await until(lambda: bool(process.states.snapshot()))
        await process.client.cancel_at_broker(stop.broker_order_id)
        await until(lambda: process.shim.order(stop.client_order_id).state == "CANCELED")
        (again,) = await stands(process, 1)
        assert (again.quantity, again.stop) == (100, 98 * DOLLAR)

    play(folder, scene)


def test_what_a_new_journal_adopts_stays_in_the_book(folder: Path) -> None:
    async def feed(process: Process) -> None:
        await process.batch({})

    async def scene(process: Process) -> None:
        assert not process.shim.reconciliation.clean
        await process.shim.adopt(reason="bought before", author="op")
        assert held(process) == 100
        assert process.book.cash == (await process.client.account()).cash
        assert process.book.day_peak == process.book.equity == process.book.session_start_equity
        await process.reconcile()
        assert process.shim.reconciliation.clean

    play(folder, feed)
    (folder / "journal.sqlite").unlink()
    for rest in folder.glob("journal.sqlite*"):
        rest.unlink()
    asyncio.run(by_hand(folder, Side.BUY, 100))
    play(folder, scene)


def test_what_was_held_before_the_first_start_is_no_gain_when_it_is_adopted_after_a_restart(
    folder: Path,
) -> None:
    async def feed(process: Process) -> None:
        await process.batch({})

    async def halted(process: Process) -> None:
        assert not process.shim.reconciliation.clean
        # What a daemon of mode paper begins with, whatever the account has.
        process.book.load(msgspec.structs.replace(process.book.snapshot(), cash=5 * DOLLAR))
        process.shim.save_book()

    async def scene(process: Process) -> None:
        assert not process.shim.reconciliation.clean
        await process.shim.adopt(reason="bought before", author="op")
        assert process.shim.reconciliation.clean
        assert process.book.cash == (await process.client.account()).cash
        assert process.book.day_peak == process.book.equity == process.book.session_start_equity

    play(folder, feed)
    for rest in folder.glob("journal.sqlite*"):
        rest.unlink()
    asyncio.run(by_hand(folder, Side.BUY, 100))
    play(folder, halted)
    play(folder, scene)


def test_a_new_journal_takes_no_old_fill_for_its_own(folder: Path) -> None:
    async def first(process: Process) -> str:
        order_id = await opened(process)
        await process.shim.flatten(Scope(), reason="a test", author="op")
        return order_id

    async def second(process: Process) -> str:
        order_id = await opened(process)
        await process.reconcile()
        assert held(process) == 100
        assert process.shim.reconciliation.clean
        return order_id

    before = play(folder, first)
    for rest in folder.glob("journal.sqlite*"):
        rest.unlink()
    for rest in folder.glob("audit*"):
        rest.unlink()
    assert play(folder, second) != before
