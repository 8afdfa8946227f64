"""A listener that keeps what a depth feed tells, in one order."""

import asyncio
import time
from collections.abc import Callable

from tradingd.domain.depth import DepthEvent, DepthGap


class Heard:
    """Takes what a feed tells and holds it to the port: time never goes back."""

    def __init__(self) -> None:
        self.all: list[DepthEvent | DepthGap] = []
        self.reached_at = 0
        self.slow = 0.0

    def event(self, event: DepthEvent) -> None:
        assert event.ts_recv > self.reached_at
        self.all.append(event)
        if self.slow:
            time.sleep(self.slow)

    def reached(self, ts: int) -> None:
        assert ts > self.reached_at
        self.reached_at = ts

    def gap(self, gap: DepthGap) -> None:
        self.all.append(gap)

    @property
    def events(self) -> list[DepthEvent]:
        return [one for one in self.all if isinstance(one, DepthEvent)]

    @property
    def gaps(self) -> list[DepthGap]:
        return [one for one in self.all if isinstance(one, DepthGap)]


async def until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it looks from outside, at what has no event
            await asyncio.sleep(0.005)
