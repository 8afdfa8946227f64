"""What the shim itself halts for, and what must not go on then."""

import asyncio
import contextlib
from pathlib import Path

import msgspec

from tests.crash.life import SETTINGS, Process
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
from tradingd.domain.states import Scope, TradingState
from tradingd.domain.trading import OrderEvent

BRIEF = msgspec.structs.replace(SETTINGS, stop_grace_seconds=0.5)


def test_a_halt_by_the_shim_takes_entries_back_and_is_told(folder: Path) -> None:
    told: list[TradingState] = []

    def raises(event: OrderEvent) -> None:
        if event.order.reason == "bad":
            raise RuntimeError("a bug of a listener")

    async def scene(process: Process) -> None:
        await process.batch({})
        process.shim.submit(resting(process))
        await stands(process, 1)
        process.shim.listen(raises)
        process.shim.submit(resting(process, reason="bad"))
        await until(lambda: not process.shim.open_orders())
        assert await working(process) == []
        (state,) = process.states.snapshot()
        assert state.author == "shim"
        assert told == [TradingState.HALTED]

    play(folder, scene, halted=lambda record, before: told.append(record.state))


def test_flatten_asks_a_broker_that_is_away_a_few_times_a_second(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await process.client.misbehave({"disconnect_now": True, "refuse_seconds": 0.7})
        await until(lambda: not process.shim.ready)
        before = process.shim._parts.errors.count(0)
        await process.shim.flatten(Scope(), reason="a test", author="op")
        assert process.shim._parts.errors.count(0) - before < 10
        await until(lambda: bool(process.shim.ready))

    play(folder, scene, settings=BRIEF)


def test_an_exit_that_waits_for_its_stop_is_named_as_pending(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        await process.client.misbehave({"ops": ["cancel"], "probabilities": {"drop_request": 1}})
        exit_id = process.shim.submit(leave(process)).order_id
        await until(lambda: exit_id in [row.order_id for row in process.shim.unknown_orders()])
        await process.client.misbehave({})
        await until(lambda: held(process) == 0)

    play(folder, scene)


def test_a_change_that_arrives_late_is_noticed_at_once(folder: Path) -> None:
    """A stop that shrinks for an exit: the first message is late, the exit comes to nothing."""

    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        # As a late message of ours would: the broker changes the stop after all was settled.
        await process.client.replace(stop.client_order_id, quantity=40, limit=None, stop=stop.stop)
        async with asyncio.timeout(30):
            while (await working(process))[0].quantity != 100:  # noqa: ASYNC110 - it is asked
                await asyncio.sleep(0.02)
        assert process.shim.unprotected() == []

    play(folder, scene)


def test_a_stop_that_is_too_small_is_no_protection(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        (stop,) = await working(process)
        process.shim._desk.get(stop.client_order_id).quantity = 40
        assert process.shim.unprotected() == ["AAA"]

    play(folder, scene)


def test_a_shim_whose_journal_failed_still_ends_its_tasks(folder: Path) -> None:
    async def scene() -> None:
        made = Process(folder)
        await made.start()
        await opened(made)
        made.writer.close()
        made.shim._parts.fills.unsaved = True
        with contextlib.suppress(Exception):
            await made.shim.stop()
        assert not made.shim._desk._tasks
        await made.client.close()

    asyncio.run(scene())
