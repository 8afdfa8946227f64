"""The market-data side alone behind a real HTTP server, in the test's loop."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from tradingd.simalpaca.marketdata.service import Service
from tradingd.simalpaca.ports import Bar

KEYS = {"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "shh"}
MINUTE = 60_000_000_000


def ns(text: str) -> int:
    """UTC nanoseconds of an ISO time."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000_000


def known_pair(headers: Mapping[str, str]) -> bool:
    """Let in the one pair of keys."""
    return all(headers.get(name) == value for name, value in KEYS.items())


def flat(symbol: str, dollars: float, volume: int = 100) -> Bar:
    """A bar that does not move."""
    price = round(dollars * 1_000_000_000)
    return Bar(symbol, price, price, price, price, volume)


def service(
    store: Path | None = None,
    *,
    bars: str = "1m",
    symbols: Sequence[str] = (),
    start: dt.date | None = None,
    end: dt.date | None = None,
    speed: float = 0.0,
    now: Callable[[], int] = lambda: ns("2100-01-01T00:00:00"),
    client_waiting: bool = False,
    **options: Any,
) -> Service:
    """A service with a default for everything."""
    return Service(
        store=store,
        bars=bars,
        symbols=symbols,
        start=start,
        end=end,
        speed=speed,
        now=now,
        authorized=known_pair,
        client_waiting=client_waiting,
        **options,
    )


@contextlib.asynccontextmanager
async def served(data: Service) -> AsyncIterator[str]:
    """Serve on a free port; gives the URL."""
    app = web.Application()
    app.add_routes(data.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await data.close()
        await runner.cleanup()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.005)


class StreamClient:
    """A JSON client of one stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.socket.send_str(msgspec.json.encode(message).decode())

    async def frame(self, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The next frame."""
        found: list[dict[str, Any]] = msgspec.json.decode(
            await self.socket.receive_str(timeout=seconds)
        )
        return found

    async def log_in(self, **subscriptions: list[str]) -> None:
        """Authenticate and subscribe."""
        assert await self.frame() == [{"T": "success", "msg": "connected"}]
        await self.send(action="auth", key="PKTEST", secret="shh")
        assert await self.frame() == [{"T": "success", "msg": "authenticated"}]
        if subscriptions:
            await self.send(action="subscribe", **subscriptions)
            assert (await self.frame())[0]["T"] == "subscription"


@contextlib.asynccontextmanager
async def stream(url: str, feed: str = "sip", **headers: str) -> AsyncIterator[StreamClient]:
    """Connect to a data stream."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/v2/{feed}", headers=headers) as socket,
    ):
        yield StreamClient(socket)


async def get(url: str, path: str, **params: str) -> tuple[int, Any]:
    """GET with the keys; status and body."""
    async with (
        aiohttp.ClientSession(headers=KEYS) as session,
        session.get(f"{url}{path}", params=params) as response,
    ):
        return response.status, msgspec.json.decode(await response.read())
