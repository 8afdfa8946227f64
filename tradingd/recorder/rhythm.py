"""What the recorder does by the clock: it flushes, and lets time pass for quiet symbols."""

import asyncio
from collections.abc import Callable
from typing import Final

from tradingd.config.record import RecordConfig
from tradingd.domain.market import NANOSECONDS
from tradingd.recorder.feed_watch import FeedWatch
from tradingd.recorder.keeper import Keeper
from tradingd.recorder.places import Places
from tradingd.session.calendar import next_time

BEHIND: Final = 60 * NANOSECONDS
"""A live feed whose records are older than this when they come tells the past."""

_TICK: Final = 0.1
"""Least seconds between two looks at the wall clock for symbols that are quiet."""


async def flushing(every: float, keeper: Keeper, places: Places, watch: FeedWatch) -> None:
    """Hand over what waits, every so many seconds without drift."""
    loop, worker = asyncio.get_running_loop(), keeper.worker
    due = loop.time()
    flush = 0
    while True:
        due = max(due + every, loop.time())
        await asyncio.sleep(due - loop.time())
        keeper.kick()
        # A disk that needs longer is given larger flushes, not a line of ever more small ones.
        while not await worker.done(flush, within=every):
            keeper.kick()
        for stream in tuple(places.streams.values()):
            keeper.hand_over(stream)
        flush = worker.submitted
        watch.look(places.events)


async def ticking(
    config: RecordConfig,
    places: Places,
    *,
    wall: Callable[[], int],
    reached: Callable[[int], None],
) -> None:
    """Let time pass for symbols of which nothing is told; publish at the day's close."""
    close = next_time(config.close, wall())
    late = round(config.late_seconds * NANOSECONDS)
    wait = max(config.interval_ms / 1_000, _TICK)
    seen, current = 0, False
    while True:
        await asyncio.sleep(wait)
        now = wall()
        if (events := places.events) != seen:
            # Of a feed that tells the past, the wall's time says nothing.
            newest = max((one.newest for one in places.streams.values()), default=0)
            seen, current = events, now - newest < BEHIND
        if current:
            reached(now - late)
        if now - late >= close:
            # By the wall clock: after the market's hours no record may come for long.
            for stream in places.streams.values():
                stream.close()
            close = next_time(config.close, now)
