"""A live session that is not armed: nothing is opened, everything that reduces risk leaves."""

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.crash.life import Process
from tests.integration.orders.shim_bench import (
    DOLLAR,
    SYMBOL,
    broker_process,
    held,
    leave,
    opened,
    play,
    resting,
    until,
    wish,
    working,
)
from tradingd.app.trading.arming import ArmingDesk
from tradingd.app.trading.facts import Facts
from tradingd.app.trading.operator import SessionOperator
from tradingd.control import messages as m
from tradingd.control.events import EventHub
from tradingd.domain.journal import MarkRow
from tradingd.domain.orders import Side
from tradingd.domain.states import Scope
from tradingd.gate.arming import ARMING, Arming

MINUTE = 60 * 10**9


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short name (socket paths are limited), served by a broker process."""
    made = tmp_path_factory.mktemp("b")
    with broker_process(made):
        yield made


class Arms:
    """An arming that is there before the process is; its token is kept in the process's journal."""

    def __init__(self) -> None:
        self.now = 1_000 * MINUTE
        self.process: Process | None = None
        self.told: list[str] = []
        self.audited: list[str] = []
        self.arming = Arming(
            live=True,
            account="LIVE-1",
            config_hash="c1",
            longest_minutes=600,
            wall=lambda: self.now,
            save=self._save,
        )

    def desk(self, process: Process) -> ArmingDesk:
        self.process = process
        return ArmingDesk(
            self.arming,
            process.shim,
            lambda kind, text: self.told.append(text),
            self.audited.append,
        )

    def _save(self, text: str) -> Awaitable[None]:
        assert self.process is not None
        return self.process.journal.write(MarkRow(key=ARMING, value=text))


async def arm(desk: ArmingDesk, minutes: int = 60) -> None:
    await desk.arm(account="LIVE-1", minutes=minutes, author="anna", reason="the open")


def limits(process: Process, **changes: object) -> list[str]:
    denials = process.shim.submit(wish(process, **changes)).verdict.denials
    return [denial.limit for denial in denials]


def test_unarmed_entries_are_denied_and_exits_stops_and_flattening_leave(folder: Path) -> None:
    arms = Arms()

    async def scene(process: Process) -> None:
        desk = arms.desk(process)
        await process.batch({})
        assert limits(process) == ["arm"]
        await arm(desk)
        await opened(process)
        await desk.disarm(author="anna", reason="lunch")
        assert limits(process) == ["arm"]
        # The stop may be moved, which changes an order at the broker.
        assert process.shim.guard(SYMBOL, stop=80 * DOLLAR, reason="wider").allowed
        part = process.shim.submit(leave(process, quantity=40))
        assert part.allowed
        await until(lambda: held(process) == 60)
        assert await process.shim.flatten(Scope(), reason="going home", author="op")
        assert held(process) == 0

    play(folder, scene, armed=arms.arming.refusal)


def test_an_exit_that_would_turn_the_position_around_is_an_increase(folder: Path) -> None:
    arms = Arms()

    async def scene(process: Process) -> None:
        desk = arms.desk(process)
        await process.batch({})
        await arm(desk)
        await opened(process)
        arms.now += 60 * MINUTE
        over = wish(process, side=Side.SELL, quantity=101)
        assert [one.limit for one in process.shim.submit(over).verdict.denials][:1] == ["arm"]
        assert held(process) == 100

    play(folder, scene, armed=arms.arming.refusal)


def test_entries_that_work_are_taken_back_when_the_time_is_over(folder: Path) -> None:
    arms = Arms()

    async def scene(process: Process) -> None:
        desk = arms.desk(process)
        await process.batch({})
        await arm(desk, minutes=5)
        entry = process.shim.submit(resting(process))
        await until(lambda: process.shim.order(entry.order_id).state == "WORKING")
        desk.look()
        arms.now += 5 * MINUTE
        desk.look()
        await until(lambda: process.shim.order(entry.order_id).state == "CANCELED")
        assert await working(process) == []
        assert "over" in arms.told[-1]
        assert arms.audited == ["disarmed: the time it was armed for is over"]
        before = len(arms.told)
        desk.look()
        assert len(arms.told) == before

    play(folder, scene, armed=arms.arming.refusal)


def test_a_reload_disarms_and_takes_entries_back(folder: Path) -> None:
    arms = Arms()

    async def scene(process: Process) -> None:
        desk = arms.desk(process)
        await process.batch({})
        await arm(desk)
        entry = process.shim.submit(resting(process))
        await until(lambda: process.shim.order(entry.order_id).state == "WORKING")
        desk.config_changed("c1")
        assert arms.arming.armed
        desk.config_changed("c2")
        assert limits(process) == ["arm"]
        await until(lambda: process.shim.order(entry.order_id).state == "CANCELED")

    play(folder, scene, armed=arms.arming.refusal)


def test_the_answer_of_a_reload_says_that_it_ended_the_arming(folder: Path) -> None:
    arms = Arms()

    async def scene(process: Process) -> None:
        desk = arms.desk(process)
        configuration = "c1"

        async def again() -> tuple[tuple[str, str, str], ...]:
            desk.config_changed(configuration)
            return () if configuration == "c1" else (("risk.max_positions", "11", "7"),)

        given: dict[str, Any] = dict.fromkeys(Facts.__struct_fields__, None) | {"reload": again}
        nobody = cast(Any, None)
        operator = SessionOperator(
            Facts(**given), keeper=nobody, flattener=nobody, shim=process.shim, limits=nobody,
            arming=desk, journal=process.journal, events=EventHub(), wall=lambda: arms.now,
        )  # fmt: skip
        request, peer = m.ReloadRequest(reason="a test"), m.Peer(uid=1, pid=1, name="anna")
        await arm(desk)
        kept = await operator.reload(request, peer)
        assert (kept.done, kept.changes) == ("0 keys changed", ())
        configuration = "c2"
        ended = await operator.reload(request, peer)
        assert ended.done.startswith("1 key changed; this ended the arming")
        assert ended.changes[-1] == ("arming", "ARMED", "DISARMED")
        configuration = "c3"
        assert "arming" not in (await operator.reload(request, peer)).done

    play(folder, scene, armed=arms.arming.refusal)


def test_a_disarm_between_commit_and_send_stops_the_order(folder: Path) -> None:
    arms = Arms()

    async def scene(process: Process) -> None:
        desk = arms.desk(process)
        await process.batch({})
        await arm(desk)
        process.writer.hold(0.1)
        entry = process.shim.submit(resting(process))
        gone = asyncio.ensure_future(desk.disarm(author="anna", reason="wrong day"))
        await until(lambda: process.shim.order(entry.order_id).state == "CANCELED")
        await gone
        assert await working(process) == []
        assert await process.client.all_orders() == []

    play(folder, scene, armed=arms.arming.refusal)
