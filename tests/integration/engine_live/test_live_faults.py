"""A strategy that fails falls silent and is reported; the node and the others go on."""

import asyncio
import threading

import pytest

from tests.integration.engine_live.live_kit import (
    Live,
    Script,
    minute_batches,
    named,
    session_of,
    until,
)
from tradingd.domain.orders import Side
from tradingd.kits.failure import ExitCode, Failure

DAY = "2024-07-02"
BATCHES = minute_batches(DAY, {"AAA": [100, 101, 102, 103]})


class Broken(Script):
    """Raises where it is told to."""

    where = "on_bar"

    def boom(self, place: str) -> None:
        if place == self.where:
            raise ZeroDivisionError(place)

    def on_begin(self) -> None:
        self.boom("on_begin")
        self.clock.set_time_alert_ns("soon", BATCHES[0].ts + 1, lambda _e: self.boom("timer"))

    def on_bar(self, bar) -> None:
        super().on_bar(bar)
        self.boom("on_bar")
        if len(self.seen) == 1:
            self.enter("AAA", Side.BUY, 1, reason="test")

    def on_session_open(self, session) -> None:
        self.boom("on_session_open")

    def on_filled(self, fill) -> None:
        self.boom("on_filled")

    def on_order_accepted(self, event) -> None:
        self.boom("on_order_accepted")


@pytest.mark.parametrize(
    "where", ["on_begin", "on_bar", "timer", "on_session_open", "on_filled", "on_order_accepted"]
)
def test_an_exception_is_reported_once_and_the_others_go_on(where: str) -> None:
    async def run() -> None:
        broken, sound = Broken(), named("Sound")()
        broken.where = where
        async with Live(broken, sound, start=session_of(DAY).open_ns - 1) as live:
            await live.play(*BATCHES)
            await until(lambda: live.faults)
            assert [(type(error), name) for error, name in live.faults] == [
                (ZeroDivisionError, "Broken")
            ]
            before = len(broken.seen)
            await live.play(*minute_batches(DAY, {"AAA": [104, 105]}, first=5))
            assert len(sound.seen) == 6
            assert len(broken.seen) == before

    asyncio.run(run())


def test_an_interrupt_raised_in_a_handler_is_captured_too() -> None:
    def interrupt(_strategy) -> None:
        raise SystemExit(3)

    async def run() -> None:
        strategy = Script({1: interrupt})
        async with Live(strategy) as live:
            await live.play(*BATCHES)
            assert [type(error) for error, _ in live.faults] == [SystemExit]

    asyncio.run(run())


def test_the_timer_of_each_strategy_counts_seconds_on_the_loops_thread() -> None:
    async def run() -> None:
        first, second = Script(), named("Second")()
        async with Live(first, second) as live:
            await until(lambda: min(live.engine.timer_progress.values()) >= 2)
            assert set(live.engine.timer_progress) == {"Script", "Second"}
            assert threading.current_thread() is threading.main_thread()

    asyncio.run(run())


def test_a_strategy_that_blocks_stops_the_count() -> None:
    async def run() -> None:
        counted = threading.Event()
        strategy = Script({1: lambda _s: counted.wait(60)})
        async with Live(strategy) as live:
            await until(lambda: live.engine.timer_progress["Script"] >= 1)
            counts: list[int] = []

            def count() -> None:
                counts.append(live.engine.timer_progress["Script"])
                counted.set()

            watch = threading.Timer(2.0, count)
            before = live.engine.timer_progress["Script"]
            watch.start()
            await live.play(BATCHES[0])
            watch.join()
            assert counts[0] <= before + 1
            await until(lambda: live.engine.timer_progress["Script"] > counts[0])

    asyncio.run(run())


def test_the_freeze_drill_blocks_a_timer_for_the_time() -> None:
    async def run() -> None:
        async with Live(Script()) as live:
            loop = asyncio.get_running_loop()
            live.engine.freeze(0.5)
            longest = 0.0

            async def watch() -> None:
                nonlocal longest
                while longest < 0.4:
                    began = loop.time()
                    await asyncio.sleep(0.01)
                    longest = max(longest, loop.time() - began)

            await asyncio.wait_for(watch(), 30)

    asyncio.run(run())


def test_two_strategies_of_one_name_are_refused() -> None:
    with pytest.raises(Failure) as caught:
        Live(Script(), Script())
    assert caught.value.code is ExitCode.CONFIG
    assert "Script" in caught.value.found


def test_delivery_to_an_engine_that_ended_is_refused() -> None:
    async def run() -> None:
        live = Live(Script())
        async with live:
            await live.play(BATCHES[0])
            live.engine._handle.stop()
            await until(lambda: live.engine.ended.done())
            with pytest.raises(Failure) as caught:
                await live.engine.deliver(BATCHES[1])
            assert caught.value.code is ExitCode.ENGINE_FAILED

    asyncio.run(run())


def test_stopping_calls_on_end_and_twice_is_once() -> None:
    class Ending(Script):
        def on_end(self) -> None:
            self.said.append("end")

    async def run() -> None:
        strategy = Ending()
        live = Live(strategy)
        async with live:
            await live.play(BATCHES[0])
            await live.engine.stop()
        assert strategy.said.count("end") == 1

    asyncio.run(run())
