"""A connected client, what it hears, and orders and bars to give it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.simbroker.sim_kit import MINUTE, OPEN
from tradingd.brokers.simulated.broker import SimulatedBroker
from tradingd.domain.broker_reports import BrokerEvent, ConnectionUpdate, FillUpdate, OrderUpdate
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.money import nanos
from tradingd.domain.orders import OrderType, Side


class Session:
    """A client and everything its event stream said."""

    def __init__(self, broker: SimulatedBroker) -> None:
        self.broker = broker
        self.heard: list[BrokerEvent] = []

    async def listen(self) -> None:
        async for event in self.broker.events():
            self.heard.append(event)

    def states(self, name: str) -> list[str]:
        orders = [event.order for event in self.heard if isinstance(event, OrderUpdate)]
        return [order.status.value for order in orders if order.client_order_id == name]

    def fills(self) -> list[str]:
        return [event.fill.fill_id for event in self.heard if isinstance(event, FillUpdate)]

    def connections(self) -> list[bool]:
        return [event.connected for event in self.heard if isinstance(event, ConnectionUpdate)]


@asynccontextmanager
async def connected(socket: Path, seconds: float = 2.0) -> AsyncIterator[Session]:
    """Connect, listen, and disconnect at the end."""
    session = Session(SimulatedBroker(socket, timeout=seconds))
    await session.broker.connect()
    listening = asyncio.create_task(session.listen())
    try:
        yield session
    finally:
        await session.broker.close()
        await listening


def run(socket: Path, story: Callable[[Session], Awaitable[None]], timeout: float = 2.0) -> Session:
    """Run a story with a connected client; return what it heard."""

    async def tell() -> Session:
        async with connected(socket, timeout) as session:
            await story(session)
        return session

    return asyncio.run(tell())


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition may be in another process
            await asyncio.sleep(0.005)


def order(name: str, quantity: int = 10, side: Side = Side.BUY, limit: str = "") -> OrderRequest:
    """Return a market order, or a limit order."""
    return OrderRequest(
        client_order_id=name,
        symbol="SPY",
        side=side,
        quantity=quantity,
        type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit=nanos(limit) if limit else None,
    )


def bars(minute: int, price: str) -> Batch:
    """Return a batch of one flat bar."""
    at = nanos(price)
    return Batch(OPEN + minute * MINUTE, (MarketBar("SPY", at, at, at, at, 1_000),))
