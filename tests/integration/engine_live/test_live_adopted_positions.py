"""What a person traded and adopted: shown to the strategy it belongs to, nobody's otherwise."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.engine_live.live_kit import Script, minute_batches
from tests.integration.engine_live.real_kit import Real, free_broker, real, until
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.orders import OrderType, Side

DAY = "2024-07-02"
BATCHES = minute_batches(DAY, {"AAA": [100, 101, 102, 103], "BBB": [50, 50, 51, 51]})
BOTH = ("AAA", "BBB")


@pytest.fixture
def folder(tmp_path_factory):
    made: Path = tmp_path_factory.mktemp("b")
    with free_broker(made):
        yield made


async def buys_by_hand(session: Real, folder: Path, symbol: str, shares: int) -> None:
    """Buy with the broker's own tools: another connection, an order of no instance."""
    person = SimulatedBroker(folder / "b.sock", timeout=5.0)
    await person.connect()
    try:
        order = OrderRequest(
            client_order_id="",
            symbol=symbol,
            side=Side.BUY,
            quantity=shares,
            type=OrderType.MARKET,
        )
        await person.submit(order)
    finally:
        await person.close()
    await session.rest()


def test_a_position_of_no_strategy_here_is_no_difference(folder) -> None:
    async def run() -> None:
        strategy = Script({})
        async with real(folder, [strategy], BOTH) as session:
            await session.play(*BATCHES[:2])
            await buys_by_hand(session, folder, "BBB", 2)
            (adopted,) = await session.shim.adopt(reason="bought by hand", author="op")
            session.engine.show_positions()
            assert adopted.startswith("ENTRY BUY 2 BBB")
            assert session.book.position("BBB").quantity == 2
            assert session.engine.picture_differences() == {}
            assert strategy.position("BBB") == 0
            await session.play(*BATCHES[2:])
            assert strategy.cache.positions_open() == []
            assert session.faults == []

    asyncio.run(run())


def test_shares_adopted_into_a_strategys_position_are_shown_to_it_at_once(folder) -> None:
    async def run() -> None:
        strategy = Script({1: lambda s: s.enter("AAA", Side.BUY, 10, reason="in")})
        async with real(folder, [strategy], BOTH) as session:
            await session.play(*BATCHES[:2])
            await buys_by_hand(session, folder, "AAA", 5)
            await session.shim.adopt(reason="bought by hand", author="op")
            assert session.engine.picture_differences() == {"AAA": (15, 10)}
            session.engine.show_positions()
            assert session.engine.picture_differences() == {}
            assert strategy.position("AAA") == 15

            def shown() -> list[int]:
                return [int(one.signed_qty) for one in strategy.cache.positions_open()]

            await until(lambda: shown() == [15])
            assert session.faults == []

    asyncio.run(run())


def test_what_is_adopted_before_the_first_bar_is_shown_when_trading_begins(folder) -> None:
    async def first() -> None:
        strategy = Script({1: lambda s: s.enter("AAA", Side.BUY, 10, reason="in")})
        async with real(folder, [strategy], BOTH) as session:
            await session.play(*BATCHES[:2])

    async def second() -> None:
        strategy = Script({})
        async with real(folder, [strategy], BOTH) as session:
            await buys_by_hand(session, folder, "AAA", 5)
            await session.shim.adopt(reason="bought by hand", author="op")
            session.engine.show_positions()
            await session.play(*BATCHES[2:])
            assert session.engine.picture_differences() == {}
            assert strategy.position("AAA") == 15

    asyncio.run(first())
    asyncio.run(second())
