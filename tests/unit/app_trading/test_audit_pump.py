"""A feed that repeats a batch, or goes back, makes nobody trade twice."""

import asyncio
from typing import Any, cast

from tradingd.app.trading.pump import Pump
from tradingd.domain.feed import Batch
from tradingd.session.clock import ReplayClock


class Recorder:
    replayed = True

    def __init__(self) -> None:
        self.seen: list[int] = []

    async def before(self, ts: int) -> None: ...

    def on_batch(self, batch: Batch) -> None:
        self.seen.append(batch.ts)

    async def deliver(self, batch: Batch) -> None:
        self.seen.append(-batch.ts)

    def write(self, *records: object) -> None: ...


async def nothing() -> None: ...


def test_a_batch_that_comes_again_is_not_acted_on_again() -> None:
    part: Any = Recorder()
    pump = Pump(
        feed=part,
        clock=cast(Any, ReplayClock()),
        days=part,
        shim=part,
        engine=part,
        journal=part,
        sink=None,
        taken=nothing,
        settle=nothing,
        after=lambda _batch, _seconds: None,
    )

    async def scene() -> None:
        for ts in (60, 60, 120, 60, 180):
            await pump.one(Batch(ts, ()))

    asyncio.run(scene())
    assert part.seen == [60, -60, 120, -120, 180, -180]
