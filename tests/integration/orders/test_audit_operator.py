"""Verbs, triggers and strategies that meet each other, on real parts."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from tests.crash.life import SETTINGS, Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    held,
    opened,
    play,
    resting,
    stands,
    until,
    wish,
    working,
)
from tests.stopwatch import Stopwatch
from tradingd.app.trading.commands import NOT_PROVEN, Flattener, StateKeeper
from tradingd.app.trading.facts import Facts
from tradingd.app.trading.operator import SessionOperator
from tradingd.app.trading.supervision import AUTHOR, KillSwitchWatch
from tradingd.control import messages as m
from tradingd.control.events import EventHub
from tradingd.daemon.killswitch import KillSwitch
from tradingd.daemon.silence import SilenceWatch
from tradingd.domain.states import Scope, StateRecord, TradingState
from tradingd.gate.states import journaled
from tradingd.kits.failure import Failure

CALM = msgspec.structs.replace(SETTINGS, command_seconds=1.0, stop_grace_seconds=5.0)
BRIEF = msgspec.structs.replace(SETTINGS, stop_grace_seconds=0.6)
PEER = m.Peer(uid=1, pid=1, name="op")


class Desk:
    """Keeper, flattener, kill switch and operator over one process's shim."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.told: list[StateRecord] = []
        self.tasks: list[asyncio.Task[object]] = []
        self.halting = False
        self.keeper = StateKeeper(
            process.states, process.journal, time.time_ns, lambda record, _: self.tell(record)
        )
        self.flattener = Flattener(self.keeper, process.shim)
        feed = cast(Any, msgspec.defstruct("Feed", [("seconds_between", float, 60.0)])())
        self.switch = KillSwitchWatch(
            KillSwitch(lambda: SETTINGS),
            book=process.book,
            shim=process.shim,
            feed=feed,
            silence=SilenceWatch(asyncio.get_running_loop().time),
            due=lambda: False,
            state=process.folder,
            keeper=self.keeper,
            flattener=self.flattener,
            journal=process.journal,
            emit=lambda _alert: None,
            spawn=self.spawn,
            wall=time.time_ns,
        )
        nothing: Callable[..., None] = lambda *_: None  # noqa: E731
        given: dict[str, Any] = dict.fromkeys(Facts.__struct_fields__, nothing)
        given |= {
            "instance": "crash",
            "live": False,
            "strategies": ["swing"],
            "symbols": ["AAA"],
            "positions": list,
            "latched": lambda: None,
        }
        self.operator = SessionOperator(
            Facts(**given),
            keeper=self.keeper,
            flattener=self.flattener,
            shim=process.shim,
            limits=cast(Any, None),
            arming=cast(Any, None),
            journal=process.journal,
            events=EventHub(),
            wall=time.time_ns,
        )

    def spawn(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    def tell(self, record: StateRecord) -> None:
        self.told.append(record)
        if self.halting and record.state is TradingState.FLATTENING:
            self.halting = False
            self.spawn("halt", self.operator.halt(m.HaltRequest(reason="stop it"), PEER))

    def state(self) -> TradingState:
        return self.keeper.current(Scope())

    def halted(self, author: str = "kill switch") -> StateRecord:
        return self.keeper.now(
            Scope(), TradingState.HALTED, reason="a test", author=author, minutes=None
        )

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def test_a_halt_while_a_resume_is_being_written_stays(folder: Path) -> None:
    async def scene(process: Process) -> None:
        desk = Desk(process)
        desk.keeper.set_soon(desk.halted("op"))
        await process.journal.write()
        process.writer.hold(0.3)
        resuming = asyncio.ensure_future(
            desk.operator.resume(m.ResumeRequest(reason="all is well", confirm="crash"), PEER)
        )
        await asyncio.sleep(0.05)
        desk.keeper.set_soon(desk.halted())
        with pytest.raises(Failure):
            await resuming
        assert desk.state() is TradingState.HALTED
        assert not process.shim.submit(wish(process, protective_stop=98 * DOLLAR)).allowed

    async def again(process: Process) -> None:
        (record,) = process.states.snapshot()
        assert (record.state, record.author) == (TradingState.HALTED, "kill switch")

    play(folder, scene, settings=CALM)
    play(folder, again, settings=CALM)


@pytest.mark.parametrize("then", [TradingState.FLAT, TradingState.PAUSED])
def test_a_halt_while_it_flattens_stays_when_it_is_flat(folder: Path, then: TradingState) -> None:
    async def scene(process: Process) -> None:
        desk = Desk(process)
        await opened(process)
        desk.halting = True
        assert await desk.flattener.flatten(Scope(), reason="close", author="job", then=then)
        await asyncio.gather(*desk.tasks)
        assert desk.state() is TradingState.HALTED
        assert held(process) == 0

    play(folder, scene, settings=CALM)


def test_a_halt_stays_for_whoever_waits_to_flatten(folder: Path) -> None:
    async def scene(process: Process) -> None:
        desk = Desk(process)
        await opened(process)
        desk.halting = True
        found = await asyncio.gather(
            *(
                desk.flattener.flatten(Scope(), reason="a", author="job", then=TradingState.FLAT)
                for _ in range(2)
            )
        )
        assert found == [True, True]
        await asyncio.gather(*desk.tasks)
        assert desk.state() is TradingState.HALTED

    play(folder, scene, settings=CALM)


def test_two_flattens_at_once_sell_once(folder: Path) -> None:
    async def scene(process: Process) -> None:
        await opened(process)
        found = await asyncio.gather(
            *(process.shim.flatten(Scope(), reason="a", author="op") for _ in range(3))
        )
        assert found == [True, True, True]
        sold = [order for order in await process.client.all_orders() if order.type == "MARKET"]
        assert [(order.side, order.filled) for order in sold] == [("BUY", 100), ("SELL", 100)]

    play(folder, scene, settings=CALM)


@pytest.mark.parametrize("trouble", ["stall", "failure"])
def test_a_halt_cancels_although_the_disk_does_not_write(folder: Path, trouble: str) -> None:
    async def scene() -> None:
        process = Process(folder, page_limit=90, settings=CALM)
        await process.start()
        desk = Desk(process)
        await process.batch({})
        process.shim.submit(resting(process))
        await stands(process, 1)
        if trouble == "stall":
            process.writer.hold(2.0)
        else:
            process.writer.close()
            process.writer._failure = Failure("the disk is full", code=cast(Any, 19))
        with Stopwatch() as watch:
            halting = asyncio.ensure_future(desk.operator.halt(m.HaltRequest(reason="now"), PEER))
            async with asyncio.timeout(30):
                while await working(process):  # noqa: ASYNC110 - the broker is asked
                    await asyncio.sleep(0.02)
        assert watch.seconds < 1.5
        if trouble == "failure":
            with pytest.raises(Failure):
                await halting
        else:
            await halting
        assert desk.state() is TradingState.HALTED
        with contextlib.suppress(Failure):
            await process.shim.stop()
        await process.client.close()
        with contextlib.suppress(Failure):
            process.writer.close()

    asyncio.run(scene())


def test_a_halt_is_not_verified_while_an_order_is_unknown(folder: Path) -> None:
    async def scene(process: Process) -> None:
        desk = Desk(process)
        await process.batch({})
        gone = {"probabilities": {"drop_request": 1}, "ops": ["submit", "cancel"]}
        await process.client.misbehave(gone)
        order_id = process.shim.submit(resting(process)).order_id
        await until(lambda: process.shim.order(order_id).state == "UNKNOWN")
        done = await desk.operator.halt(m.HaltRequest(reason="now"), PEER)
        assert done.verified is False

    patient = msgspec.structs.replace(BRIEF, settle_seconds=5.0)
    play(folder, scene, settings=patient)


def test_the_kill_switch_flattens_when_the_broker_is_back(folder: Path) -> None:
    async def scene(process: Process) -> None:
        desk = Desk(process)
        await opened(process)
        await process.client.misbehave({"disconnect_now": True, "refuse_seconds": 1.0})
        await until(lambda: not process.shim.ready)
        process.book.cash_movement("", -process.book.equity // 20, "dividend")
        (trip,) = desk.switch.look()
        assert trip.trigger == "drawdown"
        await until(lambda: any(one.reason.startswith(NOT_PROVEN) for one in desk.told), 5)
        await until(lambda: held(process) == 0, 10)
        await until(lambda: desk.tasks[0].done())
        assert desk.state() is TradingState.HALTED
        assert await working(process) == []
        await desk.end()

    play(folder, scene, settings=BRIEF)


@pytest.mark.parametrize(
    ("author", "state", "after"),
    [
        ("op", TradingState.FLATTENING, TradingState.FLAT),
        (AUTHOR, TradingState.FLATTENING, TradingState.HALTED),
        (AUTHOR, TradingState.HALTED, TradingState.HALTED),
    ],
)
def test_a_restart_finishes_a_flattening(
    folder: Path, author: str, state: TradingState, after: TradingState
) -> None:
    async def before(process: Process) -> None:
        await opened(process)
        reason = "it fell" if state is TradingState.FLATTENING else f"{NOT_PROVEN}it fell"
        record = StateRecord(scope=Scope(), state=state, reason=reason, author=author, since=1)
        await process.journal.write(journaled(record))

    async def scene(process: Process) -> None:
        desk = Desk(process)
        desk.switch.go_on(process.states.snapshot())
        await until(lambda: held(process) == 0 and desk.tasks[0].done())
        assert desk.state() is after
        assert desk.told[-1].reason == "it fell"

    play(folder, before, settings=CALM)
    play(folder, scene, settings=CALM)


def test_a_halt_of_a_person_is_not_flattened_by_a_restart(folder: Path) -> None:
    async def scene(process: Process) -> None:
        desk = Desk(process)
        desk.switch.go_on([desk.halted("op"), desk.halted(AUTHOR)])
        assert desk.tasks == []

    play(folder, scene, settings=CALM)
