"""One batch after another: market, book, strategies, in an order that a crash cannot fool.

1. corporate actions due before it, at the simulated broker,
2. session time moves to it: timers due by then fire,
3. the simulated broker matches what rests (it ignores a batch it has seen), and its fills are
   booked,
4. the batch's time is written to the journal: from here on a restart does not act on it again.
   A signal may be missed by a crash, as in live trading; it is never given twice,
5. the book is marked,
6. the strategies see the bars,
7. in a replay what they sent is settled before the next batch, so that the outcome does not
   depend on the speed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from tradingd.app.trading.days import Days
from tradingd.domain.broker import MarketSink
from tradingd.domain.feed import Batch, Feed
from tradingd.domain.journal import Journal, MarkRow
from tradingd.domain.market import NANOSECONDS
from tradingd.session.clock import ReplayClock, SessionClock

log = logging.getLogger(__name__)

FEED_POSITION: Final = "feed_position"
"""Journal mark: time of the last batch that strategies have been given (UTC ns)."""

STALE_SECONDS: Final = 90.0
"""A live bar that is handed over later than this after its close opens nothing."""


class BatchShim(Protocol):
    """What the pump needs of the order shim."""

    def on_batch(self, batch: Batch) -> None:
        """Mark the book."""
        ...


class BatchEngine(Protocol):
    """What the pump needs of the engine."""

    async def deliver(self, batch: Batch) -> None:
        """Give the bars to the strategies; return when they have seen them."""
        ...


class Pump:
    """Drives a session by its feed.

    Parameters
    ----------
    feed, clock, days, shim, engine, journal : parts of one session
        Wired by the composition root.
    sink : MarketSink, optional
        The simulated broker, which must be told the market; None for a real one.
    taken : Callable
        Waits until the events that the broker has sent are booked.
    settle : Callable
        Waits until orders and jobs have come to rest; in a replay between two batches.
    judge : Callable
        Looks at the account when strategies have acted; what it sends is settled with the rest.
    after : Callable
        Hears (batch, seconds the strategies took) when a batch is done.
    wall : Callable
        Time of day, UTC ns.

    Attributes
    ----------
    behind : float
        Age in seconds of the live batch in hand when it is too old to open anything on: one that
        was missed and fetched later. 0 otherwise, and in a replay.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        clock: SessionClock,
        days: Days,
        shim: BatchShim,
        engine: BatchEngine,
        journal: Journal,
        sink: MarketSink | None,
        taken: Callable[[], Awaitable[None]],
        settle: Callable[[], Awaitable[None]],
        judge: Callable[[], object] = lambda: None,
        after: Callable[[Batch, float], None],
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self.batches = 0
        self.last_ts = 0
        self.last_wall = 0.0
        self.behind = 0.0
        self._feed = feed
        self._clock = clock
        self._days = days
        self._shim = shim
        self._engine = engine
        self._journal = journal
        self._sink = sink
        self._taken = taken
        self._settle = settle
        self._judge = judge
        self._after = after
        self._wall = wall

    async def run(self, batches: AsyncIterator[Batch]) -> None:
        """Pump until the feed ends."""
        async for batch in batches:
            await self.one(batch)

    async def one(self, batch: Batch) -> None:
        """Take one batch through all steps; one that comes again is not acted on again."""
        if batch.ts <= self.last_ts:
            log.warning("a batch of %d came after one of %d: not taken", batch.ts, self.last_ts)
            return
        await self._days.before(batch.ts)
        if isinstance(self._clock, ReplayClock):
            self._clock.advance(batch.ts)
            await self._settle()
        if self._sink is not None:
            await self._sink.market(batch)
            await self._taken()
        self._journal.write(MarkRow(key=FEED_POSITION, value=str(batch.ts)))
        self._shim.on_batch(batch)
        self.behind = self._age(batch)
        began = time.perf_counter()
        await self._engine.deliver(batch)
        took = time.perf_counter() - began
        self.batches += 1
        self.last_ts = batch.ts
        self.last_wall = asyncio.get_running_loop().time()
        self._judge()
        if self._feed.replayed:
            await self._settle()
        self._after(batch, took)

    def _age(self, batch: Batch) -> float:
        if self._feed.replayed:
            return 0.0
        age = (self._wall() - batch.ts) / NANOSECONDS
        return age if age > max(STALE_SECONDS, 2 * self._feed.seconds_between) else 0.0
