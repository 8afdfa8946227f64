"""From a batch handed to the pump to the order's line at the broker's socket, part by part.

    python -m tests.benchmarks.daemon.latency [--symbols 1] [--batches 300]

A strategy sends an order for every bar; a proxy in a process of its own stamps the lines that come
out of the daemon. `market` is what a replay adds: the simulated broker is told the bar first and
matches what rests; a real broker sees the market by itself.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.benchmarks.daemon.inside import run, started
from tests.benchmarks.daemon.traders import Enters
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.brokers.simulated.launch import ensure_running
from tradingd.config.strategy import StrategyBase
from tradingd.domain.trading import OrderEvent, Step

STEPS = ("pump", "deliver", "bar", "intent", "sent", "socket")
PARTS = ("market", "delivery", "gate", "journal", "send")


class Stamps:
    """Monotonic nanoseconds of what happens to each order."""

    def __init__(self) -> None:
        self.pump = self.deliver = self.bar = 0
        self.of: dict[str, dict[str, int]] = {}

    def hear(self, event: OrderEvent) -> None:
        """Take a step of an order (a listener of the shim)."""
        now = time.perf_counter_ns()
        if event.step is Step.INTENT:
            known = {"pump": self.pump, "deliver": self.deliver, "bar": self.bar, "intent": now}
            self.of[event.order.order_id] = known
        elif event.step is Step.SENT:
            self.of[event.order.order_id]["sent"] = now


class Timed(Enters):
    """Enters, and notes when it sees a bar."""

    stamps: Stamps

    def on_bar(self, bar: Any) -> None:
        """Note the time, then enter."""
        self.stamps.bar = time.perf_counter_ns()
        super().on_bar(bar)


async def measure(symbols: int, batches: int, folder: Path) -> dict[str, Any]:
    """Pump and return percentiles of every part, microseconds."""
    direct, listen, path = folder / "direct.sock", folder / "proxy.sock", folder / "stamps.txt"
    await ensure_running(
        direct, folder / "sim", cash=Decimal(10**8), half_spread_bps=1.0, account="BENCH"
    )
    command = [sys.executable, "-m", "tests.benchmarks.daemon.proxy", listen, direct, path]
    with subprocess.Popen(command) as proxy:  # noqa: ASYNC220 - before the session begins
        try:
            while not listen.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)
            stamps = await _session(symbols, batches, listen)
        finally:
            proxy.terminate()
            ender = SimulatedBroker(direct, timeout=5)
            await ender.connect()
            await ender.shut_down()
            await ender.close()
    for line in path.read_text().splitlines():
        order_id, at = line.split()
        if order_id in stamps.of:
            stamps.of[order_id]["socket"] = int(at)
    # The first tenth warms caches; a cold first order has a row of its own.
    found = [one for one in stamps.of.values() if "socket" in one]
    return _report(found[:1], found[len(found) // 10 :])


async def _session(symbols: int, batches: int, socket: Path) -> Stamps:
    Timed.stamps = stamps = Stamps()
    words = (f"feed.symbols={symbols}", "feed.days=1", "feed.speed=0", "strategy=ema_cross")
    broker = (f"broker.endpoint={socket}", "broker.launch=false", "mode.warm_up_bars=30")
    parties = lambda _config: [Timed(StrategyBase(bars="1m"))]  # noqa: E731
    async with started(parties, None, *words, *broker) as session:
        session.shim.listen(stamps.hear)
        deliver = session.engine.deliver

        async def timed(batch: Any) -> None:
            stamps.deliver = time.perf_counter_ns()
            await deliver(batch)

        session.engine.deliver = timed  # type: ignore[method-assign]  # a measuring point
        done = 0
        async for batch in session.batches or ():  # type: ignore[union-attr]
            await asyncio.sleep(0.01)
            stamps.pump = time.perf_counter_ns()
            await session.pump.one(batch)
            done += 1
            if done == batches:
                break
    return stamps


def _report(first: Sequence[dict[str, int]], found: Sequence[dict[str, int]]) -> dict[str, Any]:
    rows = {
        part: _spread(found, begin, end)
        for part, begin, end in zip(PARTS, STEPS[:-1], STEPS[1:], strict=True)
    }
    rows["in process: bars to intent"] = _spread(found, "deliver", "intent")
    rows["signal to socket"] = _spread(found, "bar", "socket")
    rows["bars to socket"] = _spread(found, "deliver", "socket")
    rows["batch to socket"] = _spread(found, "pump", "socket")
    rows["batch to socket, first order"] = _spread(first, "pump", "socket")
    return {"orders": len(found), "us": rows}


def _spread(found: Sequence[dict[str, int]], begin: str, end: str) -> dict[str, float]:
    times = sorted((one[end] - one[begin]) / 1e3 for one in found)
    return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)], "max": times[-1]}


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--symbols", type=int, default=1)
    parser.add_argument("--batches", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        print(json.dumps(run(measure(options.symbols, options.batches, Path(folder)))))


if __name__ == "__main__":
    main()
