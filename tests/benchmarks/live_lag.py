"""How long the live engine keeps the event loop busy: one batch a minute's bars, many strategies.

    python -m tests.benchmarks.live_lag [--symbols 500] [--strategies 30] [--batches 60]

Every strategy reads every symbol and keeps two averages of it; some trade, over a shim that allows
everything and answers at once, so that what is measured is the engine and our part of it.
"""

import argparse
import asyncio
import json
import resource
import time
from typing import Any

import msgspec

from tests.integration.engine_live.live_kit import CALENDAR, CASH, MemoryJournal, TinyShim
from tradingd.config.strategy import StrategyBase
from tradingd.domain.feed import Batch
from tradingd.domain.market import Instrument, Resolution
from tradingd.domain.orders import Side
from tradingd.engine.live.node import LiveEngine
from tradingd.engine.strategy import Strategy
from tradingd.feeds.pace import Pace
from tradingd.feeds.replay import ReplayFeed
from tradingd.feeds.synthetic import FIRST_DAY, SyntheticBars
from tradingd.gate.book import Book
from tradingd.indicators.ema import Ema
from tradingd.session.clock import ReplayClock


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; milliseconds.

    `first_lag` is the longest the loop stood still in the first batch after READY, `max_lag` in
    all the others, `max_batch` the longest wall time of a delivery.
    """

    symbols: int
    strategies: int
    batches: int
    warm_up: int
    start_s: float
    first_lag: float
    max_lag: float
    p50_lag: float
    max_batch: float
    orders: int
    rss_mb: float


class Averages(Strategy):
    """Two averages of every symbol; trades where they cross, in two symbols of its own."""

    def __init__(self, place: int) -> None:
        super().__init__(StrategyBase())
        self.place = place

    def on_begin(self) -> None:
        """Make the averages."""
        self.averages = {one: (Ema(10), Ema(30)) for one in self.symbols}
        self.traded = set(self.symbols[2 * self.place : 2 * self.place + 2])

    def on_bar(self, bar: Any) -> None:
        """Update; cross."""
        symbol, close = self.symbol_of(bar), bar.close.as_double()
        fast, slow = self.averages[symbol]
        fast.update(close)
        slow.update(close)
        if symbol not in self.traded or not slow.ready or self.pending(symbol):
            return
        held = self.position(symbol)
        if fast.value > slow.value and not held:
            self.enter(symbol, Side.BUY, 10, reason="cross", stop=close * 0.98)
        elif fast.value < slow.value and held > 0:
            self.exit(symbol, reason="cross")


class LoopWatch:
    """Measures the longest time that the loop does not come round."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._run(), name="loop watch")

    async def _run(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            self.longest = max(self.longest, now - last)
            last = now

    def take(self) -> float:
        """Return the longest stand-still since the last look, in milliseconds."""
        longest, self.longest = self.longest, 0.0
        return longest * 1e3

    def stop(self) -> None:
        """End."""
        self._task.cancel()


async def measure(symbols: int, strategies: int, batches: int, warm_up: int) -> Lag:
    """Run the batches and return what they cost."""
    began = time.perf_counter()
    classes = [type(f"Averages{n:02d}", (Averages,), {}) for n in range(strategies)]
    parties = [one(place) for place, one in enumerate(classes)]
    bars = SyntheticBars(symbols=symbols, days=1, seed=7, calendar=CALENDAR)
    feed = ReplayFeed(
        bars,
        label="SYNTHETIC",
        synthetic=True,
        resolution=Resolution.MINUTE,
        pace=Pace(0, 0),
        calendar=CALENDAR,
        start=FIRST_DAY,
    )
    book = Book(CASH)
    shim, clock = TinyShim(book), ReplayClock()
    faults: list[BaseException] = []
    engine = LiveEngine(
        strategies=parties,
        instruments=[Instrument(symbol=name) for name in bars.names],
        resolution=Resolution.MINUTE,
        shim=shim,
        book=book,
        clock=clock,
        calendar=CALENDAR,
        journal=MemoryJournal(),
        run_id="bench",
        on_fault=lambda error, _name: faults.append(error),
    )
    await feed.open(0)
    await engine.start()
    first = CALENDAR.on(FIRST_DAY)
    assert first is not None
    clock.advance(first.open_ns - 1)
    await engine.warm_up(await feed.history(first.open_ns, warm_up))
    started = time.perf_counter() - began
    watch = LoopWatch()
    await asyncio.sleep(0.05)
    watch.take()
    lags: list[float] = []
    walls: list[float] = []
    async for batch in feed.batches():
        lag, wall = await _one(batch, clock, shim, engine, watch)
        lags.append(lag)
        walls.append(wall)
        if len(lags) == batches:
            break
    watch.stop()
    orders = len(shim.rows)
    await engine.stop()
    await feed.close()
    assert not faults, faults
    rest = sorted(lags[1:])
    return Lag(
        symbols=symbols,
        strategies=strategies,
        batches=len(lags),
        warm_up=warm_up,
        start_s=round(started, 2),
        first_lag=round(lags[0], 1),
        max_lag=round(rest[-1], 1),
        p50_lag=round(rest[len(rest) // 2], 1),
        max_batch=round(max(walls), 1),
        orders=orders,
        rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0),
    )


async def _one(
    batch: Batch, clock: ReplayClock, shim: TinyShim, engine: LiveEngine, watch: LoopWatch
) -> tuple[float, float]:
    """Deliver one batch; return (longest stand-still, wall time) in milliseconds."""
    clock.advance(batch.ts)
    shim.market(batch)
    await asyncio.sleep(0)
    watch.take()
    began = time.perf_counter()
    await engine.deliver(batch)
    wall = (time.perf_counter() - began) * 1e3
    for _ in range(20):
        await asyncio.sleep(0)
    return watch.take(), wall


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--strategies", type=int, default=30)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--warm-up", type=int, default=2, help="batches of history; 0: start cold")
    options = parser.parse_args()
    found = asyncio.run(
        measure(options.symbols, options.strategies, options.batches, options.warm_up)
    )
    print(json.dumps(msgspec.to_builtins(found)))


if __name__ == "__main__":
    main()
