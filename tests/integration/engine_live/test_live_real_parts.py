"""Engine, shim, gate, journal and the simulated broker together; a restart in the middle."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.engine_live.live_kit import Script, minute_batches
from tests.integration.engine_live.real_kit import free_broker, real, until
from tradingd.domain.money import nanos
from tradingd.domain.orders import Side

DAY = "2024-07-02"
BATCHES = minute_batches(DAY, {"AAA": [100, 101, 102, 103, 104, 105, 106, 94, 93]})


@pytest.fixture
def folder(tmp_path_factory):
    made: Path = tmp_path_factory.mktemp("b")
    with free_broker(made):
        yield made


def test_a_position_with_its_stop_survives_a_restart_and_stays_its_strategys(folder) -> None:
    async def first() -> None:
        strategy = Script({2: lambda s: s.enter("AAA", Side.BUY, 10, reason="in", stop=95)})
        async with real(folder, [strategy]) as session:
            await session.play(*BATCHES[:4])
            assert strategy.position("AAA") == 10
            assert strategy.stop_price("AAA") == 95.0
            assert ("filled", "AAA", "BUY", 10, nanos(101)) in strategy.said
            await until(lambda: len(strategy.cache.orders_open()) == 1)
            assert session.engine.picture_differences() == {}
            assert session.faults == []

    async def second() -> None:
        strategy = Script({1: lambda s: (s.position("AAA"), s.stop_price("AAA"))})
        async with real(folder, [strategy]) as session:
            await until(lambda: strategy.cache.positions_open())
            (position,) = strategy.cache.positions_open()
            assert (int(position.signed_qty), float(position.avg_px_open)) == (10, 101.0)
            await until(lambda: len(strategy.cache.orders_open()) == 1)
            await session.play(*BATCHES[4:])
            assert strategy.results == [(10, 95.0)]
            # The recovered stop filled, and the strategy that owns the position hears of it.
            assert [one for one in strategy.said if one[0] == "filled"] == [
                ("filled", "AAA", "SELL", 10, nanos(95))
            ]
            assert strategy.position("AAA") == 0
            await until(lambda: not strategy.cache.positions_open())
            assert session.engine.picture_differences() == {}
            assert session.faults == []

    asyncio.run(first())
    asyncio.run(second())


def test_a_strategy_does_not_see_what_another_owns(folder) -> None:
    class Other(Script):
        pass

    def enter(strategy):
        return strategy.enter("AAA", Side.SELL, 5, reason="against it")

    async def run() -> None:
        owner = Script({1: lambda s: s.enter("AAA", Side.BUY, 10, reason="in")})
        other = Other(
            {
                1: enter,
                3: lambda s: (s.position("AAA"), s.exit("AAA", reason="not mine"), enter(s)),
            }
        )
        async with real(folder, [owner, other]) as session:
            await session.play(*BATCHES[:4])
            assert owner.position("AAA") == 10
            assert other.results == [None, (0, None, None)]
            assert session.book.position("AAA").quantity == 10

    asyncio.run(run())
