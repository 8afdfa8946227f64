"""Seconds from a strategy's wish to the broker's answer, one order at a time.

Ours: gate, intent committed to the journal on disk, the request, the outcome recorded. Against
alpaca-py's own `submit_order` to the same server, which does none of that; the difference is what
gate, journal and proof cost.
"""

import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import LimitOrderRequest

from tests.crash.life import Process
from tests.integration.brokers_alpaca.script import KEYS
from tests.integration.brokers_alpaca.server import serving
from tests.integration.brokers_alpaca.shim import resting, shim
from tradingd.domain.trading import OrderEvent, Step

ORDERS = 300
WARM = 20


def plain(url: str) -> list[float]:
    """Return the seconds of each order that alpaca-py sends by itself."""
    client = TradingClient(KEYS.key_id, KEYS.secret, url_override=url)
    seconds = []
    for _ in range(WARM + ORDERS):
        begun = time.perf_counter()
        client.submit_order(
            LimitOrderRequest(
                symbol="AAA",
                qty=1,
                side=OrderSide.BUY,
                limit_price=50,
                time_in_force=TimeInForce.DAY,
                client_order_id=uuid.uuid4().hex,
            )
        )
        seconds.append(time.perf_counter() - begun)
    return seconds[WARM:]


async def ours(process: Process) -> list[float]:
    """Return the seconds of each wish until its order works."""
    answered = asyncio.Event()

    def heard(event: OrderEvent) -> None:
        if event.step is Step.ACCEPTED:
            answered.set()

    process.shim.listen(heard)
    seconds = []
    for _ in range(WARM + ORDERS):
        answered.clear()
        begun = time.perf_counter()
        process.shim.submit(resting(process))
        await answered.wait()
        seconds.append(time.perf_counter() - begun)
    return seconds[WARM:]


async def measure(folder: Path) -> tuple[list[float], list[float]]:
    """Return our seconds and alpaca-py's."""
    # Each its own account: orders of others would halt the shim.
    for name in ("plain", "ours"):
        (folder / name).mkdir()
    with serving(folder / "plain") as server:
        alone = await asyncio.to_thread(plain, server.url)
    folder = folder / "ours"
    with serving(folder, "--socket", str(folder / "b.sock")) as server:
        async with shim(server, folder) as (process, _):
            await process.batch({})
            return await ours(process), alone


def report() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="so-") as folder:
        mine, alone = asyncio.run(measure(Path(folder)))
    say = sys.stdout.write
    say(f"wish to the broker's answer, {ORDERS} orders one after the other\n")
    say(f"{'':>6}{'ours ms':>10}{'alpaca-py ms':>14}{'ratio':>8}\n")
    for name, at in (("p50", 0.5), ("p99", 0.99)):
        pair = [_quantile(one, at) * 1000 for one in (mine, alone)]
        say(f"{name:>6}{pair[0]:>10.2f}{pair[1]:>14.2f}{pair[0] / pair[1]:>8.2f}\n")


def _quantile(values: list[float], at: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(at * 1000) - 1]
