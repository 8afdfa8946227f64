"""How long the daemon's loop stands still in a minute's batch: 500 symbols, 30 strategies.

    python -m tests.benchmarks.daemon.lag [--symbols 500] [--strategies 30] [--batches 60]

Each strategy has its own share of the symbols and trades them; journal, shim, control socket,
supervision and a simulated broker are the real ones.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import time
from typing import Any

from tests.benchmarks.daemon.inside import run, started
from tests.benchmarks.daemon.traders import Averages
from tests.benchmarks.daemon.watch import LoopWatch, Still
from tradingd.config.strategy import StrategyBase
from tradingd.domain.trading import Step


async def measure(symbols: int, strategies: int, batches: int, profile: str) -> dict[str, Any]:
    """Pump the batches and return what they cost."""
    width = len(str(symbols))
    names = [f"SYN{number:0{width}d}" for number in range(1, symbols + 1)]
    classes = [type(f"Averages{n:02d}", (Averages,), {}) for n in range(strategies)]
    shares = {one.__name__: names[n::strategies] for n, one in enumerate(classes)}

    def parties(_config: Any) -> Any:
        return [one(StrategyBase(bars="1m")) for one in classes]

    words = (f"feed.symbols={symbols}", "feed.days=1", "feed.speed=0", "mode.warm_up_bars=30")
    began = time.perf_counter()
    async with started(parties, shares, *words, "strategy=ema_cross") as session:
        ready = time.perf_counter() - began
        stills: list[Still] = []
        walls: list[float] = []
        sent: list[int] = []
        session.shim.listen(
            lambda event: sent.append(len(stills)) if event.step is Step.INTENT else None
        )
        watch = LoopWatch()
        await asyncio.sleep(0.2)
        watch.take()
        profiler = cProfile.Profile() if profile else None
        async for batch in _batches(session):
            if profiler:
                profiler.enable()
            at = time.perf_counter()
            await session.pump.one(batch)
            walls.append((time.perf_counter() - at) * 1e3)
            if profiler:
                profiler.disable()
            stills.append(watch.take())
            # A live minute has room for what follows a batch; it counts as the batch's.
            await asyncio.sleep(0.02)
            if len(stills) == batches:
                break
        watch.stop()
    if profiler:
        pstats.Stats(profiler).sort_stats(profile).print_stats(45)
    rest = stills[1:]
    wall, cpu = sorted(one.wall for one in rest), sorted(one.cpu for one in rest)
    return {
        "start_s": ready,
        "orders": len(sent),
        "first_orders": sent.count(0),
        "first_ms": stills[0].wall,
        "first_cpu_ms": stills[0].cpu,
        "max_ms": wall[-1],
        "p50_ms": wall[len(wall) // 2],
        "max_cpu_ms": cpu[-1],
        "p50_cpu_ms": cpu[len(cpu) // 2],
        "batch_ms": sorted(walls)[len(walls) // 2],
        "longest_batch_ms": max(walls),
    }


async def _batches(session: Any) -> Any:
    if session.first_batch is not None:
        yield session.first_batch
    async for batch in session.batches:
        yield batch


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--strategies", type=int, default=30)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--profile", default="", help="cumulative or tottime: show a profile too")
    options = parser.parse_args()
    print(
        json.dumps(
            run(measure(options.symbols, options.strategies, options.batches, options.profile))
        )
    )


if __name__ == "__main__":
    main()
