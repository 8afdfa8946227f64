"""The data streams: who is connected to which feed, and what is published to them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

from tradingd.simalpaca.marketdata import channels, errors
from tradingd.simalpaca.marketdata.batch import Batch, Message
from tradingd.simalpaca.marketdata.codec import of_content_type
from tradingd.simalpaca.marketdata.connection import KEY, Connection, RefusedError
from tradingd.simalpaca.marketdata.faults import Fate, Plan
from tradingd.simalpaca.marketdata.outbox import Outbox
from tradingd.simalpaca.marketdata.rest import DELAY

LIVE: Final = ("iex", "sip")
DELAYED: Final = "delayed_sip"
TEST: Final = "test"
FEEDS: Final = (*LIVE, DELAYED, TEST)
_LONGEST_MESSAGE: Final = 16 * 2**20
_BAR_CHANNELS: Final = (channels.BARS, channels.DAILY_BARS)


class Streams:
    """Every client of every feed.

    Parameters
    ----------
    authorized : Callable
        Tells whether headers carry credentials that are let in.
    connections : int
        Most connections of one key to one feed; 0: no limit.
    symbol_limit : int
        Most symbols of trades and quotes a connection has; 0: no limit.
    auth_seconds : float
        How long a client has to authenticate.
    """

    def __init__(
        self,
        authorized: Callable[[Mapping[str, str]], bool],
        *,
        connections: int,
        symbol_limit: int,
        auth_seconds: float,
    ) -> None:
        self._authorized = authorized
        self._most = connections
        self._symbol_limit = symbol_limit
        self._auth_seconds = auth_seconds
        self._clients: dict[str, list[Connection]] = {feed: [] for feed in FEEDS}
        self._delayed: deque[tuple[int, Batch]] = deque()
        self._plan = Plan()
        self._refused_until = 0.0
        self._numbers = 0
        self._changed = asyncio.Event()
        self.on_subscription: Callable[[], None] = lambda: None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get(f"/v2/{feed}", self._handler(feed)) for feed in FEEDS]

    def wanted(self, channel: str) -> bool:
        """Tell whether anybody who is told of the market listens to a channel."""
        feeds = (*LIVE, DELAYED)
        return any(one.subscriptions.any_of(channel) for feed in feeds for one in self._of(feed))

    def tested(self) -> bool:
        """Tell whether anybody listens to the test feed."""
        return any(one.subscriptions.any_of(*channels.CHANNELS) for one in self._of(TEST))

    def publish(self, ts: int, batch: Batch) -> None:
        """Send messages of a time (UTC ns) now, and those of 15 minutes ago to the delayed feed."""
        for feed in LIVE:
            for one in self._of(feed):
                one.publish(batch)
        self._delayed.append((ts, batch))
        while self._delayed and self._delayed[0][0] <= ts - DELAY:
            _, late = self._delayed.popleft()
            for one in self._of(DELAYED):
                one.publish(late)

    def publish_test(self, messages: Sequence[Message]) -> None:
        """Send messages to the clients of the test feed."""
        batch = Batch(messages)
        for one in self._of(TEST):
            one.publish(batch)

    async def bars_wanted(self) -> None:
        """Wait until a client has subscribed to bars."""
        while not any(self.wanted(name) for name in _BAR_CHANNELS):
            self._changed.clear()
            await self._changed.wait()

    async def room(self, seconds: float) -> None:
        """Wait until no client is far behind, at most so long."""
        for feed in (*LIVE, DELAYED):
            for one in self._of(feed):
                await one.outbox.room(seconds)

    def misbehave(self, plan: Plan) -> None:
        """Replace the faults."""
        self._plan = plan
        loop = asyncio.get_running_loop()
        self._refused_until = loop.time() + plan.refuse_seconds if plan.refuse_seconds else 0.0
        for clients in self._clients.values():
            for one in clients:
                self._numbers += 1
                one.fate = Fate(plan, self._numbers)
                if plan.half_open:
                    one.break_half()
                if plan.close_now:
                    one.outbox.cut()

    async def close(self) -> None:
        """End every connection."""
        everyone = [one for clients in self._clients.values() for one in clients]
        await asyncio.gather(*(one.outbox.finish() for one in everyone))

    def _of(self, feed: str) -> list[Connection]:
        return [one for one in self._clients[feed] if one.key]

    def _handler(self, feed: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if asyncio.get_running_loop().time() < self._refused_until:
                return web.Response(status=503, text="no connections for now")
            socket = web.WebSocketResponse(
                timeout=2.0, autoping=False, autoclose=False, max_msg_size=_LONGEST_MESSAGE
            )
            await socket.prepare(request)
            await self._serve(feed, request, socket)
            return socket

        return handle

    async def _serve(self, feed: str, request: web.Request, socket: web.WebSocketResponse) -> None:
        codec = of_content_type(request.headers.get("Content-Type", ""))
        outbox = Outbox(socket, binary=codec.binary, transport=request.transport)
        self._numbers += 1
        limit = self._plan.symbol_limit
        client = Connection(
            socket,
            codec,
            outbox,
            Fate(self._plan, self._numbers),
            self._symbol_limit if limit is None else limit,
            lambda headers: self._admit(feed, headers),
            self._subscribed,
        )
        self._clients[feed].append(client)
        try:
            await client.serve(request.headers, self._auth_seconds)
        finally:
            self._clients[feed].remove(client)
            await outbox.finish()

    def _subscribed(self) -> None:
        self._changed.set()
        self.on_subscription()

    def _admit(self, feed: str, headers: Mapping[str, str]) -> str:
        if not self._authorized(headers):
            raise RefusedError(errors.AUTH_FAILED)
        key = headers.get(KEY) or headers.get("Authorization", "")
        most = self._most if self._plan.connections is None else self._plan.connections
        same = sum(1 for one in self._clients[feed] if one.key == key)
        if most and same >= most:
            raise RefusedError(errors.CONNECTION_LIMIT)
        return key
