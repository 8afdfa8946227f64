"""The token bucket: rate, priorities, slowing down."""

import asyncio

import pytest

from tradingd.kits.pacing import Pace


def test_a_burst_goes_at_once_and_the_rest_by_the_rate() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        pace = Pace(6_000, clock=loop.time, burst=5)
        begun = loop.time()
        for _ in range(25):
            await pace.take()
        return loop.time() - begun

    assert 0.19 <= asyncio.run(scene()) < 1.0  # 20 tokens at 100 a second


def test_the_urgent_go_before_those_that_have_waited() -> None:
    async def scene() -> list[int]:
        loop = asyncio.get_running_loop()
        pace = Pace(1_200, clock=loop.time, burst=1)
        order: list[int] = []

        async def one(priority: int) -> None:
            await pace.take(priority)
            order.append(priority)

        await pace.take()
        async with asyncio.TaskGroup() as group:
            for priority in (2, 1, 2, 0, 1, 0):
                group.create_task(one(priority))
        return order

    assert asyncio.run(scene()) == [0, 0, 1, 1, 2, 2]


def test_a_wait_is_foretold_and_counts_only_who_goes_before() -> None:
    async def scene() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        pace = Pace(60, clock=loop.time, burst=1)
        await pace.take()
        waiting = [asyncio.create_task(pace.take(1)) for _ in range(3)]
        await asyncio.sleep(0)
        foretold = pace.waits(0), pace.waits(2)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return foretold

    urgent, entry = asyncio.run(scene())
    assert urgent == pytest.approx(1.0, abs=0.1)
    assert entry == pytest.approx(4.0, abs=0.1)


def test_who_gives_up_waiting_takes_no_turn() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        pace = Pace(600, clock=loop.time, burst=1)
        await pace.take()
        gone = [asyncio.create_task(pace.take(0)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        begun = loop.time()
        await pace.take()
        return loop.time() - begun

    assert asyncio.run(scene()) < 0.5  # 20 turns would be two seconds


def test_slowed_down_nothing_goes_not_even_the_urgent() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        pace = Pace(6_000, clock=loop.time)
        pace.slow(0.3)
        begun = loop.time()
        await pace.take(0)
        return loop.time() - begun

    assert asyncio.run(scene()) >= 0.3


def test_slowed_down_the_urgent_try_sooner_and_one_by_one() -> None:
    async def scene() -> list[tuple[int, float]]:
        loop = asyncio.get_running_loop()
        pace = Pace(1_200, clock=loop.time)
        pace.slow(0.5, urgent=0.2)
        begun, went = loop.time(), list[tuple[int, float]]()

        async def one(priority: int) -> None:
            await pace.take(priority)
            went.append((priority, loop.time() - begun))

        foretold = pace.waits(0), pace.waits(1)
        assert foretold == (pytest.approx(0.2, abs=0.05), pytest.approx(0.5, abs=0.05))
        async with asyncio.TaskGroup() as group:
            for priority in (2, 0, 1, 0):
                group.create_task(one(priority))
        return went

    first, second, third, last = asyncio.run(scene())
    assert [first[0], second[0], third[0], last[0]] == [0, 0, 1, 2]
    assert 0.2 <= first[1] < 0.35
    assert second[1] - first[1] >= 0.04  # a token at 20 a second
    assert 0.5 <= third[1] <= last[1] < 0.8


def test_what_a_pause_has_saved_is_no_burst() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        pace = Pace(1_200, clock=loop.time)
        pace.slow(0.4, urgent=0.1)
        await pace.take()
        begun = loop.time()
        for _ in range(4):
            await pace.take()
        return loop.time() - begun

    assert asyncio.run(scene()) >= 0.15


def test_the_servers_count_lowers_ours() -> None:
    async def scene() -> tuple[float, float]:
        pace = Pace(60, clock=asyncio.get_running_loop().time, burst=10)
        before = pace.waits()
        pace.remaining(0)
        return before, pace.waits()

    before, after = asyncio.run(scene())
    assert before == 0
    assert after == pytest.approx(1.0, abs=0.05)
