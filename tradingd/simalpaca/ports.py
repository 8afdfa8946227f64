"""What the trading side tells the market-data side, and what it wants from it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from aiohttp import web


class Bar(NamedTuple):
    """One bar of a symbol; prices in whole 1e-9 dollars."""

    symbol: str
    open: int
    high: int
    low: int
    close: int
    volume: int


type Tell = Callable[[int, Sequence[Bar]], Awaitable[None]]
"""Told the close of the bars (UTC ns) and the bars: applies them to the book, then publishes."""


class MarketData(Protocol):
    """Serves market data over REST and streams, and replays stored bars."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the routes of data REST and data streams."""
        ...

    def publish(self, ts: int, bars: Sequence[Bar]) -> None:
        """Take the bars that closed at `ts` (UTC ns): every market message leads to a call."""
        ...

    async def replay(self, tell: Tell) -> None:
        """Read the store and tell its bars, paced; returns at their end."""
        ...

    def misbehave(self, plan: Mapping[str, object]) -> None:
        """Replace the faults of the data streams: the `data_stream` part of a plan."""
        ...

    async def close(self) -> None:
        """End streams and tasks."""
        ...
