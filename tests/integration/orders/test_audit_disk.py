"""A journal that stalls or fails must not cost the protection of a position."""

import asyncio
import contextlib
from pathlib import Path

from tests.crash.life import Process
from tests.integration.orders.shim_bench import (
    held,
    leave,
    opened,
    play,
    resting,
    stands,
    until,
    working,
)
from tradingd.kits.failure import Failure


def test_a_stop_stays_until_the_exit_that_needs_its_shares_is_on_disk(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        process.writer.hold(0.5)
        exit_id = process.shim.submit(leave(process)).order_id
        await asyncio.sleep(0.2)
        assert [order.broker_order_id for order in await working(process)] == [stop.broker_order_id]
        await until(lambda: process.shim.order(exit_id).state == "FILLED")
        assert held(process) == 0
        await stands(process, 0)

    play(folder, scene)


def test_a_journal_that_fails_under_an_exit_leaves_the_stop_working(folder: Path) -> None:
    async def scene() -> None:
        made = Process(folder, page_limit=90)
        await made.start()
        await opened(made)
        (stop,) = await working(made)
        made.shim.submit(leave(made, reason="x" * 2_000_000))
        await until(lambda: made.journal.failure is not None)
        await until(lambda: bool(made.states.snapshot()))
        await asyncio.sleep(0.2)
        assert [order.broker_order_id for order in await working(made)] == [stop.broker_order_id]
        with contextlib.suppress(Failure):
            await made.shim.stop()
        await made.client.close()
        with contextlib.suppress(Failure):
            made.writer.close()

    asyncio.run(scene())


def test_a_journal_that_fails_takes_entries_back(folder: Path) -> None:
    async def scene() -> None:
        made = Process(folder, page_limit=90)
        await made.start()
        await made.batch({})
        made.shim.submit(resting(made))
        await stands(made, 1)
        made.shim.submit(resting(made, reason="x" * 2_000_000))
        await until(lambda: made.journal.failure is not None)
        async with asyncio.timeout(30):
            while await working(made):  # noqa: ASYNC110 - the broker is asked
                await asyncio.sleep(0.02)
        with contextlib.suppress(Failure):
            await made.shim.stop()
        await made.client.close()
        with contextlib.suppress(Failure):
            made.writer.close()

    asyncio.run(scene())
