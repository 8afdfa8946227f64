"""The HTTP side: routes of both halves on one port, faults, and idleness."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from email.utils import formatdate

from aiohttp import web

from tradingd.simalpaca.access import Access
from tradingd.simalpaca.ports import MarketData
from tradingd.simalpaca.trading.book import Book
from tradingd.simalpaca.trading.conduct import Conduct, middleware
from tradingd.simalpaca.trading.faults import Plan
from tradingd.simalpaca.trading.limits import RateLimit
from tradingd.simalpaca.trading.routes import Routes
from tradingd.simalpaca.trading.stream import TradeUpdates
from tradingd.simbroker.server import SocketTaken

_BACKLOG = 512
_BODY_LIMIT = 4 * 1024 * 1024

log = logging.getLogger(__name__)


class AlpacaServer:
    """Serves Alpaca's APIs over one book.

    Parameters
    ----------
    book : Book
        The book, opened.
    market_data : MarketData or None
        The data half, when there is one.
    access : Access
        Who is let in.
    host, port : str, int
        Where to listen; port 0: any that is free.
    requests_per_minute : int
        Rate limit; 0: none.
    binary : bool
        Send trade updates in binary frames.
    wall : callable
        Wall time, UTC ns.
    """

    def __init__(
        self,
        book: Book,
        market_data: MarketData | None,
        *,
        access: Access,
        host: str,
        port: int,
        requests_per_minute: int,
        binary: bool,
        wall: Callable[[], int],
    ) -> None:
        self._book = book
        self._market_data = market_data
        self._host = host
        self.port = port
        self._wall = wall
        self._plan = Plan({})
        self._requests = 0
        self._updates = TradeUpdates(authorized=access, plan=lambda: self._plan, binary=binary)
        self._routes = Routes(book, lambda: self._plan.clock_skew)
        self._access = access
        self._per_minute = requests_per_minute
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        SocketTaken
            When the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        limit = RateLimit(self._per_minute, clock=loop.time, wall=self._skewed)
        conduct = Conduct(
            plan=lambda: self._plan, authorized=self._access, limit=limit, refuse=self._refuse
        )
        app = web.Application(middlewares=[middleware(conduct)], client_max_size=_BODY_LIMIT)
        app.router.add_routes(self._routes.table())
        app.router.add_get("/stream", self._updates.serve)
        if self._market_data is not None:
            app.router.add_routes(self._market_data.routes())
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        self._routes.changing.finish_pending()
        self._book.updated = self._tell
        if self._market_data is not None:
            self._book.published = self._market_data.publish
        await self._listen()

    async def _listen(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(
            self._runner, self._host, self.port, backlog=_BACKLOG, reuse_address=True
        )
        try:
            await self._site.start()
        except OSError as error:
            raise SocketTaken(f"cannot listen on {self._host} port {self.port}: {error}") from None
        self.port = self._runner.addresses[0][1]

    def _tell(self, updates: list[str]) -> None:
        """Send trade updates once the answer to the request that made them is on its way."""
        asyncio.get_running_loop().call_soon(self._updates.publish, updates)

    @property
    def connections(self) -> int:
        """How many streams of trade updates are open."""
        return self._updates.connections

    @property
    def requests(self) -> int:
        """How many requests have been answered."""
        return self._requests

    def misbehave(self, told: Mapping[str, object]) -> None:
        """Replace the plan of misbehaviour.

        Raises
        ------
        BadRequest
            When the plan makes no sense; the old one stays.
        """
        plan = Plan(told)
        if self._market_data is not None:
            self._market_data.misbehave(plan.data_stream)
        self._plan = plan
        self._updates.misbehave(plan)
        if plan.disconnect_now:
            self._break_all()
            self._refuse(plan.refuse_seconds)

    def _break_all(self) -> None:
        """Break every connection, those that wait for a request too."""
        if self._runner is not None and self._runner.server is not None:
            for connection in self._runner.server.connections:
                if connection.transport is not None:
                    connection.transport.abort()

    def _refuse(self, seconds: float) -> None:
        """Accept no connection for a while; those that are there stay."""
        if seconds and self._site is not None:
            self._refusing = asyncio.create_task(self._pause(seconds), name="simalpaca refuses")

    async def _pause(self, seconds: float) -> None:
        assert self._site is not None
        site, self._site = self._site, None
        await site.stop()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        self._requests += 1
        response.headers["Date"] = formatdate(self._skewed() / 1e9, usegmt=True)

    def _skewed(self) -> int:
        return self._wall() + int(self._plan.clock_skew * 1e9)

    async def close(self) -> None:
        """End every connection."""
        if self._market_data is not None:
            await self._market_data.close()
        self._updates.abort()
        if self._runner is not None:
            await self._runner.cleanup()
