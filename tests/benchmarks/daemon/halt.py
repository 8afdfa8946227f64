"""Halt at the control socket until 100 orders are cancelled and confirmed at the broker.

    python -m tests.benchmarks.daemon.halt [--orders 100] [--tries 10]

Beside it the limit of the same broker: bare cancel round trips over its socket, one after the other
and all at once, without daemon, journal or engine.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.benchmarks.daemon.running import INSTANCE, OPEN, PATIENCE, Daemon, custom, daemon
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.brokers.simulated.launch import ensure_running
from tradingd.control.answers import Orders
from tradingd.control.messages import HaltRequest, ResumeRequest
from tradingd.domain.broker import Accepted
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.journal import OrderState
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Side


def halts(orders: int, tries: int) -> dict[str, Any]:
    """Halt and resume the real daemon; return milliseconds of each halt."""
    words = (*OPEN, f"feed.symbols={orders}", "feed.days=2", "feed.speed=120")
    seen, inside = [], []
    with daemon(*words, *custom("Rests")) as one:
        one.ready()
        for number in range(tries):
            _await_orders(one, orders)
            began = time.perf_counter()
            done = one.client.post("halt", HaltRequest(reason=f"benchmark {number}"))
            seen.append((time.perf_counter() - began) * 1e3)
            inside.append(done.seconds * 1e3)
            left = _left_at_the_broker(one)
            if len(done.orders) < orders or left:
                raise SystemExit(f"{len(done.orders)} cancelled, {left} left at the broker")
            one.client.post("resume", ResumeRequest(reason="benchmark", confirm=INSTANCE))
    return {"asked": _spread(seen), "inside": _spread(inside)}


def _await_orders(one: Daemon, orders: int) -> None:
    end = time.perf_counter() + PATIENCE
    while (resting := _resting(one)) < orders:
        if time.perf_counter() > end:
            raise SystemExit(f"only {resting} orders rest")
        time.sleep(0.05)


def _resting(one: Daemon) -> int:
    one.hear()
    found = one.client.get("orders", Orders).orders
    return sum(order.state == OrderState.WORKING for order in found)


def _left_at_the_broker(one: Daemon) -> int:
    async def ask() -> int:
        broker = SimulatedBroker(one.state / "simbroker.sock", timeout=10)
        await broker.connect()
        left = len(await broker.open_orders())
        await broker.close()
        return left

    return asyncio.run(ask())


async def limits(orders: int, tries: int, folder: Path) -> dict[str, Any]:
    """Cancel at a broker of our own, without anything around it."""
    socket = folder / "sim.sock"
    await ensure_running(
        socket, folder / "sim", cash=Decimal(10**8), half_spread_bps=1.0, account="BENCH"
    )
    broker = SimulatedBroker(socket, timeout=30)
    await broker.connect()
    await broker.market(Batch(1, (MarketBar("A", *(4 * [100 * SCALE]), 10_000),)))
    one_by_one, at_once = [], []
    for number in range(2 * tries):
        ids = [f"o-{number}-{place}" for place in range(orders)]
        for name in ids:
            outcome = await broker.submit(resting(name))
            assert isinstance(outcome, Accepted), outcome
        began = time.perf_counter()
        if number % 2:
            await asyncio.gather(*map(broker.cancel, ids))
            at_once.append((time.perf_counter() - began) * 1e3)
        else:
            for name in ids:
                await broker.cancel(name)
            one_by_one.append((time.perf_counter() - began) * 1e3)
        assert not await broker.open_orders()
    await broker.shut_down()
    await broker.close()
    return {"one_by_one": _spread(one_by_one), "at_once": _spread(at_once)}


def resting(name: str, symbol: str = "A") -> OrderRequest:
    """Return an order that does not trade while the price is 100."""
    return OrderRequest(
        client_order_id=name,
        symbol=symbol,
        side=Side.BUY,
        quantity=1,
        type=OrderType.LIMIT,
        limit=50 * SCALE,
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "max": ordered[-1]}


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--tries", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        bare = asyncio.run(limits(options.orders, options.tries, Path(folder)))
    print(json.dumps({"halt": halts(options.orders, options.tries), "bare": bare}))


if __name__ == "__main__":
    main()
