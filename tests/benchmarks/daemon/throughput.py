"""What the simulated broker takes by itself, and what a whole session takes at full speed.

python -m tests.benchmarks.daemon.throughput
"""

import argparse
import asyncio
import json
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from tests.benchmarks.daemon.halt import resting
from tests.benchmarks.daemon.running import OPEN, custom, daemon
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.brokers.simulated.launch import ensure_running
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.money import SCALE

IDLE = ("strategy=custom", "strategy.path=tests.benchmarks.idle:Idle", "strategy.bars=1m")


async def bare(folder: Path, rounds: int = 300) -> dict[str, float]:
    """Return operations per second of a broker with nobody else."""
    socket = folder / "sim.sock"
    await ensure_running(
        socket, folder / "sim", cash=Decimal(10**8), half_spread_bps=1.0, account="BENCH"
    )
    broker = SimulatedBroker(socket, timeout=30)
    await broker.connect()
    rates: dict[str, float] = {}
    bar = 4 * [100 * SCALE]
    for symbols in (20, 500):
        bars = tuple(MarketBar(f"S{number}", *bar, 10_000) for number in range(symbols))
        began = time.perf_counter()
        for number in range(rounds):
            await broker.market(Batch(symbols * 1_000_000 + number, bars))
        rates[f"batches of {symbols} bars"] = rounds / (time.perf_counter() - began)
    ids = [f"o-{number}" for number in range(rounds)]
    began = time.perf_counter()
    for name in ids:
        await broker.submit(resting(name, "S1"))
    rates["submits, one by one"] = rounds / (time.perf_counter() - began)
    began = time.perf_counter()
    await asyncio.gather(*map(broker.cancel, ids))
    rates["cancels, at once"] = rounds / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(rounds):
        await broker.ping()
    rates["pings"] = rounds / (time.perf_counter() - began)
    await broker.shut_down()
    await broker.close()
    return rates


def session(symbols: int, strategy: tuple[str, ...]) -> dict[str, float]:
    """Return batches and fills per second of one fast day of the real daemon."""
    words = (
        *OPEN,
        f"feed.symbols={symbols}",
        "feed.days=1",
        "feed.speed=0",
        "mode.warm_up_bars=30",
    )
    with daemon(*words, "feed.at_end=stay", *strategy) as one:
        one.ready()
        began, used = time.perf_counter(), one.cpu()
        while (status := one.status()).session_open or not status.data_time:
            time.sleep(0.05)
        took = time.perf_counter() - began
        cpu = one.cpu() - used
    return {"batches/s": 390 / took, "fills/s": status.fills / took, "daemon CPU": cpu / took}


def main() -> None:
    """Measure and print one JSON line."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        alone = asyncio.run(bare(Path(folder)))
    sessions = {
        "20 symbols, no orders": session(20, IDLE),
        "500 symbols, no orders": session(500, IDLE),
        "20 symbols, 6 orders a batch": session(20, custom("Churn")),
    }
    print(json.dumps({"simbroker_per_s": alone, "sessions": sessions}))


if __name__ == "__main__":
    main()
