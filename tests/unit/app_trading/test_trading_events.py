"""The event stream: numbered, followed by many, with a visible gap for who was too slow."""

import asyncio

from tradingd.app.trading.events import KEPT, EventLog


def test_a_reader_gets_what_was_there_and_what_comes() -> None:
    async def go() -> list[int]:
        log = EventLog()
        log.add("note", "one", wall=1)
        log.add("note", "two", wall=2)
        seen: list[int] = []

        async def read() -> None:
            async for event in log.follow(after=1):
                seen.append(event.seq)
                if event.seq == 4:
                    return

        reader = asyncio.create_task(read())
        await asyncio.sleep(0)
        log.add("note", "three", wall=3)
        log.add("note", "four", wall=4)
        async with asyncio.timeout(5):
            await reader
        return seen

    assert asyncio.run(go()) == [2, 3, 4]


def test_a_reader_that_fell_behind_goes_on_with_the_oldest_kept() -> None:
    async def go() -> int:
        log = EventLog()
        for number in range(KEPT + 10):
            log.add("note", str(number), wall=number)
        async for event in log.follow(after=0):
            return event.seq
        return -1

    assert asyncio.run(go()) == 11
