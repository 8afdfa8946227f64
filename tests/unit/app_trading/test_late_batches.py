"""A live batch that was missed and fetched later is seen while nothing may be opened on it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tradingd.app.trading.pump import STALE_SECONDS, Pump
from tradingd.app.trading.watch import Watch
from tradingd.domain.feed import Batch
from tradingd.session.clock import ReplayClock, WallClock

NOW = 1_000_000 * 1_000_000_000


class Parts:
    """Feed, days, shim, engine and journal of a pump: what the engine sees, and when."""

    def __init__(self, *, replayed: bool, seconds_between: float) -> None:
        self.replayed = replayed
        self.seconds_between = seconds_between
        self.pump: Any = None
        self.behind: list[float] = []

    async def before(self, ts: int) -> None: ...

    def on_batch(self, batch: Batch) -> None: ...

    async def deliver(self, batch: Batch) -> None:
        self.behind.append(self.pump.behind)

    def write(self, *records: object) -> None: ...


async def nothing() -> None: ...


@pytest.mark.parametrize(
    ("replayed", "between", "age", "behind"),
    [
        (False, 10.0, STALE_SECONDS, 0.0),
        (False, 10.0, STALE_SECONDS + 1, STALE_SECONDS + 1),
        (False, 60.0, 120.0, 0.0),
        (False, 60.0, 121.0, 121.0),
        (True, 10.0, 500.0, 0.0),
    ],
    ids=["just fresh", "stale", "two minutes", "more than two bars", "a replay is of its time"],
)
def test_strategies_see_a_late_batch_while_it_is_known_to_be_late(
    replayed: bool, between: float, age: float, behind: float
) -> None:
    parts: Any = Parts(replayed=replayed, seconds_between=between)
    clock: Any = ReplayClock() if replayed else WallClock()
    pump = parts.pump = Pump(
        feed=parts,
        clock=clock,
        days=parts,
        shim=parts,
        engine=parts,
        journal=parts,
        sink=None,
        taken=nothing,
        settle=nothing,
        after=lambda _batch, _seconds: None,
        wall=lambda: NOW,
    )
    late = NOW - round(age * 1_000_000_000)

    async def story() -> None:
        await pump.one(Batch(late, ()))
        await pump.one(Batch(NOW, ()))

    asyncio.run(story())
    assert parts.behind == [behind, 0.0], "the next one of now ends it"


@pytest.mark.parametrize(("behind", "why"), [(0.0, None), (121.0, "the bars are 121 s old")])
def test_nothing_is_opened_on_bars_that_are_late(behind: float, why: str | None) -> None:
    session: Any = SimpleNamespace(
        stopping=asyncio.Event(),
        pump=SimpleNamespace(behind=behind),
        health=SimpleNamespace(blocking=()),
    )
    said = Watch(session).unwell()
    assert said == (why and f"catching up: {why}")
