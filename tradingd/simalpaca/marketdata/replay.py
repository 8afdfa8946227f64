"""Replay of stored bars in time order, paced; memory follows a chunk of days, not history."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from typing import Final, NamedTuple

from tradingd.simalpaca.marketdata import times
from tradingd.simalpaca.marketdata.store import Store, StoredAction
from tradingd.simalpaca.ports import Bar

LONGEST_NIGHT: Final = 2.0
"""Most wall seconds between the bars of two New York days."""

_ROWS_A_CHUNK: Final = 100_000
_ROWS_A_DAY: Final = {"1m": 400, "1d": 1}
_CLOSES_A_STEP: Final = 200

type Close = tuple[int, list[Bar]]


class Range(NamedTuple):
    """What is replayed: days are of New York and inclusive, None is open; `after` is UTC ns."""

    symbols: Sequence[str]
    resolution: str
    start: dt.date | None = None
    end: dt.date | None = None
    after: int = 0


def chunks(store: Store, wanted: Range) -> Iterator[tuple[int, int]]:
    """Yield the times (UTC ns, low <= close < high) that are read together. Blocks."""
    span = store.catalog.span(wanted.symbols, wanted.resolution)
    if span is None:
        return
    low, high = span[0], span[1] + 1
    if wanted.start is not None:
        low = max(low, times.midnight(wanted.start))
    if wanted.end is not None:
        high = min(high, times.midnight(wanted.end + dt.timedelta(days=1)) + 1)
    low = max(low, wanted.after + 1)
    a_day = _ROWS_A_DAY.get(wanted.resolution, 400) * len(wanted.symbols)
    length = max(1, _ROWS_A_CHUNK // a_day) * times.DAY
    while low < high:
        yield low, min(low + length, high)
        low += length


async def closes(store: Store, wanted: Range, worker: Executor) -> AsyncGenerator[Close]:
    """Yield the closes of a range; files are read in the worker, a step ahead."""
    loop = asyncio.get_running_loop()
    rows = (
        close
        for low, high in chunks(store, wanted)
        for close in store.closes(wanted.symbols, wanted.resolution, low, high)
    )

    def step() -> list[Close]:
        return list(islice(rows, _CLOSES_A_STEP))

    part = await loop.run_in_executor(worker, step)
    while part:
        following = loop.run_in_executor(worker, step)
        for close in part:
            yield close
        part = await following


class Pacer:
    """Waits between closes.

    Parameters
    ----------
    speed : float
        Data seconds a wall second; 0: no waits.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._due = 0.0
        self._last = 0

    async def wait(self, ts: int) -> None:
        """Wait until the close at `ts` (UTC ns) is due."""
        loop = asyncio.get_running_loop()
        if not self._speed or not self._last:
            await asyncio.sleep(0)
        else:
            gap = (ts - self._last) / times.SECOND / self._speed
            if times.new_york_date(ts - 1) != times.new_york_date(self._last - 1):
                gap = min(gap, LONGEST_NIGHT)
            # From when the last one was due, so that waits do not add up their delays.
            self._due = max(self._due + gap, loop.time())
            await asyncio.sleep(self._due - loop.time())
        if not self._last:
            self._due = loop.time()
        self._last = ts


class Actions:
    """Corporate actions on their way into a replay.

    Parameters
    ----------
    actions : Sequence of StoredAction
        Of the replayed symbols.
    after : int
        Actions that took effect up to then (UTC ns) are known; 0: those before the first day.
    """

    def __init__(self, actions: Sequence[StoredAction], after: int) -> None:
        # A dividend is in the shares of before a split of its day; the names sort that way.
        self._coming = sorted(actions, key=lambda one: (one.effective, one.kind))
        self._after = after

    def due(self, ts: int) -> list[StoredAction]:
        """Return those that take effect before the close at `ts` (UTC ns), each once."""
        after = self._after or times.midnight(times.new_york_date(ts - 1)) - 1
        due = [one for one in self._coming if after < one.effective < ts]
        self._coming = [one for one in self._coming if one.effective >= ts]
        self._after = ts
        return due


async def run(
    source: AsyncIterator[Close],
    pacer: Pacer,
    tell: Callable[[int, list[Bar]], Awaitable[None]],
    room: Callable[[], Awaitable[None]],
) -> None:
    """Tell every close when it is due and clients have room for it."""
    async for ts, bars in source:
        await pacer.wait(ts)
        await tell(ts, bars)
        await room()
