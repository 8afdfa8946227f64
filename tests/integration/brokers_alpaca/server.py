"""The test server in a process of its own, and brokers that connect to it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import msgspec

from tests.integration.brokers_alpaca.script import KEYS, Follower
from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.brokers.simulated.client import Client
from tradingd.brokers.simulated.parsing import market_fields
from tradingd.domain.broker_reports import BrokerOrder, FillUpdate, OrderUpdate
from tradingd.domain.feed import Batch, MarketBar
from tradingd.domain.money import SCALE

OPEN = 1_772_461_800 * SCALE
"""A Monday, 9:30 in New York."""


class Server(msgspec.Struct):
    """Where the server is."""

    url: str
    socket: Path
    minutes: int = 0

    def now(self) -> int:
        """Return the market's time, UTC ns."""
        return OPEN + self.minutes * 60 * SCALE


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """Run the server until the end of the block."""
    command = (sys.executable, "-m", "tradingd.simalpaca", "--state", str(folder))
    words = ("--requests-per-minute", "0", "--hours", "any", "--cash", "100000000")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, *words, *options], stderr=log, stdout=log)
    try:
        endpoint = folder / "endpoint.json"
        end = time.monotonic() + 20
        while not endpoint.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError((folder / "log").read_text())
            time.sleep(0.02)
        said = json.loads(endpoint.read_text())
        yield Server(said["url"], Path(said["socket"]))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        process.wait(10)


class Admin:
    """Tells the server the market and its misbehaviour; hears no events."""

    def __init__(self, server: Server) -> None:
        self._client = Client(server.socket, lambda _body: None, lambda _why: None)

    async def ask(self, op: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Send one message and return its reply."""
        reply = await self._client.ask(op, 5.0, fields)
        assert reply.get("ok") is True, reply
        return reply

    async def misbehave(self, plan: Mapping[str, object]) -> None:
        """Let the server misbehave from now on."""
        await self.ask("misbehave", {"plan": plan})

    async def open(self) -> None:
        """Connect."""
        await self._client.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()
        # The transport closes on the loop's next turns.
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def admin(server: Server) -> AsyncIterator[Admin]:
    """Connect to the server's admin; misbehaviour ends with the block."""
    made = Admin(server)
    await made.open()
    try:
        yield made
    finally:
        await made.misbehave({})
        await made.close()


@contextlib.asynccontextmanager
async def trading(
    server: Server, *, patience: float = 2.0
) -> AsyncIterator[tuple[AlpacaBroker, Follower]]:
    """Connect a broker and follow its events."""
    broker = AlpacaBroker(
        KEYS, rest=server.url, timeout=patience, requests_per_minute=100_000, connect_seconds=10
    )
    await broker.connect()
    follower = Follower(broker)
    try:
        yield broker, follower
    finally:
        await broker.close()
        await follower.ended()


async def bar(server: Server, book: Admin, moves: Mapping[str, tuple[int, int]]) -> None:
    """Tell one minute: low and high of each symbol in dollars; it opens low and closes high."""
    server.minutes += 1
    bars = tuple(
        MarketBar(name, low * SCALE, high * SCALE, low * SCALE, high * SCALE, 10_000_000)
        for name, (low, high) in moves.items()
    )
    await book.ask("market", market_fields(Batch(server.now(), bars)))


def filled(follower: Follower, name: str) -> int:
    """Return how many shares of an order were told as filled, each execution once."""
    fills = {
        event.fill.fill_id: event.fill.quantity
        for event in follower.events
        if isinstance(event, FillUpdate) and event.fill.client_order_id == name
    }
    return sum(fills.values())


def last(follower: Follower, name: str) -> BrokerOrder | None:
    """Return what was last told of an order."""
    found = [
        event.order
        for event in follower.events
        if isinstance(event, OrderUpdate) and event.order.client_order_id == name
    ]
    return found[-1] if found else None


async def settled(follower: Follower) -> None:
    """Let events that are on their way come."""
    before = -1
    while before != len(follower.events):
        before = len(follower.events)
        await asyncio.sleep(0.05)
