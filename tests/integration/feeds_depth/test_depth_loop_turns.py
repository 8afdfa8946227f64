"""A flood of live books never keeps the loop for long, whatever the listener needs for each."""

import asyncio
import time

import pytest
import uvloop

from tests.servers.databento_gateway import KEY, databento_gateway, record
from tradingd.config.depth import DatabentoDepth
from tradingd.config.secrets import Secret
from tradingd.domain.depth import DepthEvent, DepthGap
from tradingd.feeds.databento.feed import DatabentoDepthFeed

FROG = 6292
COUNT = 4_000
WORK = 0.0002
"""Seconds of processor that the listener needs for a record."""


class Busy:
    """Works a while for each record; processor time, so that a shared machine changes nothing."""

    def __init__(self) -> None:
        self.events = 0

    def event(self, event: DepthEvent) -> None:
        until = time.thread_time() + WORK
        while time.thread_time() < until:
            pass
        self.events += 1

    def reached(self, ts: int) -> None: ...

    def gap(self, gap: DepthGap) -> None: ...


async def holds(busy: Busy) -> list[float]:
    """Return the processor seconds that the loop's thread took between two turns of ours."""
    found = []
    before = time.thread_time()
    async with asyncio.timeout(30):
        while busy.events < COUNT:
            await asyncio.sleep(0)
            now = time.thread_time()
            found.append(now - before)
            before = now
    return found


async def flooded() -> list[float]:
    start = time.time_ns()
    with databento_gateway({"FROG": FROG}) as gateway:
        config = DatabentoDepth(gateway="127.0.0.1", port=gateway.port)
        feed = DatabentoDepthFeed(config, Secret("env:KEY", KEY), wall=time.time_ns)
        busy = Busy()
        feed.listen(busy)
        await feed.open()
        await feed.subscribe("FROG")
        data = b"".join(bytes(record(FROG, start + n, sequence=n + 1)) for n in range(COUNT))
        pouring = asyncio.create_task(asyncio.to_thread(gateway.pour, data))
        found = await holds(busy)
        await pouring
        await feed.close()
    assert feed.dropped == 0
    return found


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_the_loop_gets_its_turn_every_few_milliseconds_of_a_flood(run):
    found = run(flooded())
    # A turn is 2 ms and up to 16 records more; 256 at a time would be 50 ms.
    assert max(found) < 0.020
    assert sum(found) > COUNT * WORK * 0.9
