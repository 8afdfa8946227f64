"""The order shim over the Alpaca broker over the test server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from tests.crash.life import LIMITS, Process
from tests.integration.brokers_alpaca.script import KEYS, until
from tests.integration.brokers_alpaca.server import Server
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.config.supervision import SupervisionConfig
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Purpose, Side
from tradingd.domain.trading import Wish

SETTINGS = SupervisionConfig(settle_seconds=1.0, command_seconds=5.0, stop_grace_seconds=2.0)
BATCH = 25


@contextlib.asynccontextmanager
async def shim(
    server: Server, folder: Path, *, patience: float = 5.0
) -> AsyncIterator[tuple[Process, AlpacaBroker]]:
    """Run the parts of a trading process; the admin socket must be `b.sock` in `folder`."""
    broker = AlpacaBroker(
        KEYS, rest=server.url, timeout=patience, requests_per_minute=1_000_000, connect_seconds=10
    )
    await broker.connect()
    process = Process(folder, client=lambda *_parts, **_options: broker, settings=SETTINGS)
    process.limits = msgspec.structs.replace(LIMITS, profile="alpaca")
    try:
        await process.start()
        yield process, broker
    finally:
        await process.end()
        await broker.close()
        await asyncio.sleep(0.01)


def resting(process: Process, dollars: int = 50, **fields: Any) -> Wish:
    """Return a wish for an order that stays where it is."""
    return msgspec.structs.replace(
        Wish(
            strategy="swing",
            symbol="AAA",
            side=Side.BUY,
            quantity=1,
            type=OrderType.LIMIT,
            purpose=Purpose.ENTRY,
            reason="a test",
            ts=process.clock.now(),
            limit=dollars * SCALE,
        ),
        **fields,
    )


async def place(process: Process, count: int) -> list[str]:
    """Let so many orders rest at the broker; return their ids."""
    ids: list[str] = []
    while len(ids) < count:
        batch = [process.shim.submit(resting(process)) for _ in range(min(BATCH, count - len(ids)))]
        assert all(one.allowed for one in batch), batch
        ids += [one.order_id for one in batch]
        await _working(process, ids[-len(batch) :])
    return ids


async def _working(process: Process, ids: list[str]) -> None:
    await until(lambda: all(process.shim.order(one).state == "WORKING" for one in ids))


async def reconciled(process: Process, broker: AlpacaBroker, seconds: float = 60.0) -> float:
    """Break the stream; return the seconds until the shim sends again."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    broker._stream.drop("the network is away")
    await until(lambda: not process.shim.ready, seconds)
    await until(lambda: process.shim.ready, seconds)
    return clock() - begun
