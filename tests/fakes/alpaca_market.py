"""The test server's market data alone, on a loopback port, told its bars by the test."""

import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tradingd.domain.feed import Batch, MarketBar
from tradingd.session.calendar import SessionCalendar
from tradingd.simalpaca.marketdata.service import Service
from tradingd.simalpaca.ports import Bar

MINUTE = 60 * 10**9
CALENDAR = SessionCalendar()


class Market:
    """A service, its clock, and how many times it was asked by REST."""

    def __init__(self, **options: Any) -> None:
        self.time = 0
        self.url = ""
        self.rest: list[str] = []
        self.published: dict[int, tuple[MarketBar, ...]] = {}
        given: dict[str, Any] = {
            "store": None,
            "bars": "1m",
            "symbols": (),
            "start": None,
            "end": None,
            "speed": 0.0,
            "client_waiting": False,
            **options,
        }
        self.service = Service(
            now=lambda: self.time or time.time_ns(),
            authorized=lambda headers: headers.get("APCA-API-SECRET-KEY") == "secret",
            **given,
        )

    def tell(self, close: int, *bars: MarketBar) -> None:
        """Publish the bars of a close."""
        self.time = close
        self.published[close] = tuple(sorted(bars, key=lambda one: one.symbol))
        self.service.publish(close, [Bar(*_fields(one)) for one in bars])

    async def hear(self, close: int, bars: Sequence[Bar]) -> None:
        """Be told by the replay."""
        self.tell(close, *(MarketBar(*one) for one in bars))

    def batches(self) -> list[Batch]:
        """Return what was published, as batches."""
        return [Batch(close, bars) for close, bars in sorted(self.published.items())]

    def misbehave(self, **plan: object) -> None:
        self.service.misbehave(plan)

    async def clock(self, _request: web.Request) -> web.Response:
        """Answer as the trading API does."""
        moment = dt.datetime.fromtimestamp(self.time / 1e9, tz=dt.UTC)
        session = CALENDAR.at(self.time)
        is_open = session is not None and self.time < session.close_ns
        return web.json_response({"timestamp": moment.isoformat(), "is_open": is_open})

    @web.middleware
    async def counted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            self.rest.append(request.path)
        answer: web.StreamResponse = await handler(request)
        return answer


def _fields(bar: MarketBar) -> tuple[Any, ...]:
    return bar.symbol, bar.open, bar.high, bar.low, bar.close, bar.volume


def bar(symbol: str, cents: int, volume: int = 100) -> MarketBar:
    """Return a bar around a price in cents."""
    price = cents * 10**7
    return MarketBar(symbol, price, price + 10**7, price - 10**7, price, volume)


@asynccontextmanager
async def market(*, port: int = 0, **options: Any) -> AsyncIterator[Market]:
    """Serve a market until the block ends."""
    one = Market(**options)
    app = web.Application(middlewares=[one.counted])
    app.add_routes([*one.service.routes(), web.get("/v2/clock", one.clock)])
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield one
    finally:
        await one.service.close()
        await runner.cleanup()


def closes(day: dt.date) -> list[int]:
    """Return the closes of the minutes of a session, UTC ns."""
    session = CALENDAR.on(day)
    assert session is not None
    return list(range(session.open_ns + MINUTE, session.close_ns + 1, MINUTE))


def store_with(root: Path, symbol_bars: Mapping[str, Sequence[tuple[int, MarketBar]]]) -> Path:
    """Write minute bars by symbol into a store."""
    import numpy as np

    from tradingd.domain.market import Resolution
    from tradingd.history.store import Store
    from tradingd.sources.columns import Bars, to_table

    with Store(root).batch("test") as batch:
        for symbol, rows in symbol_bars.items():
            columns = [np.array([close for close, _ in rows], dtype=np.int64)]
            columns += [
                np.array([getattr(one, name) for _, one in rows], dtype=np.int64)
                for name in ("open", "high", "low", "close", "volume")
            ]
            batch.bars(Resolution.MINUTE, symbol, to_table(Bars(*columns)))
    return root
