"""Many orders and many strategies: nothing grows with what is over; the loop keeps turning."""

import asyncio

import pytest

from tests.benchmarks.live_lag import measure
from tests.integration.engine_live.live_kit import Live, Script, minute_batches, named
from tradingd.domain.orders import Side

DAY = "2024-07-02"


def test_closed_orders_do_not_pile_up_in_the_engine_or_in_its_picture() -> None:
    class Busy(Script):
        def on_bar(self, bar) -> None:
            for _ in range(10):
                self.enter("AAA", Side.BUY, 1, reason="in")
            self.exit("AAA", reason="out")

    async def run() -> None:
        strategy = Busy()
        batches = minute_batches(DAY, {"AAA": [100 + n % 7 for n in range(80)]})
        async with Live(strategy) as live:
            await live.play(*batches)
            assert len(live.shim.rows) > 800
            assert len(strategy.cache.orders()) < 260
            assert len(live.engine._mirror._pictures) < 260
            assert live.engine.picture_differences() == {}
            assert live.engine.picture_failures == 0
            assert live.faults == []

    asyncio.run(run())


def test_strategies_read_the_symbols_they_were_given() -> None:
    async def run() -> None:
        first, second = Script(), named("Second")()
        batches = minute_batches(DAY, {"AAA": [1, 2], "BBB": [3, 4], "CCC": [5, 6]})
        async with Live(
            first,
            second,
            symbols=("AAA", "BBB", "CCC"),
            subsets={"Script": ["AAA", "BBB"], "Second": ["BBB"]},
        ) as live:
            await live.play(*batches)
        assert [one[1] for one in first.seen] == ["AAA", "BBB", "AAA", "BBB"]
        assert [one[1] for one in second.seen] == ["BBB", "BBB"]
        assert first.symbols == ("AAA", "BBB")

    asyncio.run(run())


def test_strategies_see_a_bar_in_the_order_they_were_given() -> None:
    heard: list[str] = []

    class Telling(Script):
        def on_bar(self, bar) -> None:
            heard.append(self.name)

    async def run() -> None:
        names = [f"Place{n}" for n in range(8)]
        async with Live(*(named(name, Telling)() for name in names)) as live:
            await live.play(*minute_batches(DAY, {"AAA": [1, 2]}))
        assert heard == names * 2

    asyncio.run(run())


@pytest.mark.parametrize("warm_up", [0, 35], ids=["cold", "warm"])
def test_a_batch_of_many_symbols_leaves_the_loop_its_turns(warm_up: int) -> None:
    found = asyncio.run(measure(100, 10, 10, warm_up))
    assert found.p50_lag < 50
    assert (found.orders > 0) is (warm_up > 0)


def test_the_engine_runs_on_the_daemons_loop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def run() -> None:
        strategy = Script({1: lambda s: s.enter("AAA", Side.BUY, 1, reason="in")})
        async with Live(strategy) as live:
            await live.play(*minute_batches(DAY, {"AAA": [1, 2, 3]}))
            assert strategy.position("AAA") == 1
            assert live.faults == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
