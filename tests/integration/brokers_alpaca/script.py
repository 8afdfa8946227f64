"""A server of Alpaca's form that answers what a test tells it to, and remembers what it was asked.

It knows no trading: `tradingd.simalpaca` does.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from tradingd.brokers.alpaca.broker import AlpacaBroker
from tradingd.domain.broker_reports import BrokerEvent
from tradingd.domain.broker_requests import OrderRequest
from tradingd.domain.money import SCALE
from tradingd.domain.orders import OrderType, Side
from tradingd.vendors.alpaca.keys import Keys

KEYS = Keys("PKNOBODYMAYREADTHIS1", "s3cr3tN0b0dyM4yR34dTh1s")
NAME = "paper-abc1234-000001"
ORDER_ID = "61e69015-8549-4bfd-b9c3-01e75843f47d"
ACCOUNT = {"account_number": "PA3SIM000001", "cash": "100000", "equity": "100000"}

ENTRY = OrderRequest(
    client_order_id=NAME,
    symbol="AAPL",
    side=Side.BUY,
    quantity=100,
    type=OrderType.LIMIT,
    limit=100 * SCALE,
)

type Answer = Callable[[Mapping[str, Any]], tuple[int, Any] | web.Response]


def order(**fields: object) -> dict[str, object]:
    """Return an order in Alpaca's form."""
    return {
        "id": ORDER_ID,
        "client_order_id": NAME,
        "symbol": "AAPL",
        "side": "buy",
        "qty": "100",
        "filled_qty": "0",
        "type": "limit",
        "order_class": "",
        "time_in_force": "day",
        "limit_price": "100",
        "status": "new",
        "submitted_at": "2026-03-02T15:00:00Z",
        "updated_at": "2026-03-02T15:00:00Z",
        **fields,
    }


def execution(cumulative: int, quantity: int, second: int, **fields: object) -> dict[str, object]:
    """Return a FILL activity."""
    return {
        "id": f"202603021500{second:02d}::{cumulative}",
        "activity_type": "FILL",
        "order_id": ORDER_ID,
        "cum_qty": str(cumulative),
        "qty": str(quantity),
        "price": "99.5",
        "side": "buy",
        "symbol": "AAPL",
        "transaction_time": f"2026-03-02T15:00:{second:02d}Z",
        **fields,
    }


class Script:
    """Answers by (method, path); what is not in the table does not exist."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer | tuple[int, Any]] = {
            ("GET", "/v2/account"): (200, ACCOUNT),
            ("GET", "/v2/account/activities/FILL"): (200, []),
            ("GET", "/v2/account/activities"): (200, []),
            ("GET", "/v2/orders"): (200, []),
            ("GET", "/v2/positions"): (200, []),
        }
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []
        self.url = ""
        self.listeners: list[web.WebSocketResponse] = []
        self.connections = 0
        self.let_in = True
        self.pong = True
        self.binary = False
        self.refuse = False

    def count(self, method: str, path: str) -> int:
        """Return how often something was asked."""
        return sum(1 for one in self.asked if one[:2] == (method, path))

    async def tell(self, event: str, shown: Mapping[str, object], **fields: object) -> None:
        """Tell a trade update to every listener."""
        text = json.dumps(
            {"stream": "trade_updates", "data": {"event": event, "order": shown, **fields}}
        )
        for listener in list(self.listeners):
            if self.binary:
                await listener.send_bytes(text.encode())
            else:
                await listener.send_str(text)

    async def close_streams(self) -> None:
        """Close every stream."""
        for listener in list(self.listeners):
            await listener.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; yield the base URL."""
        app = web.Application()
        app.router.add_get("/stream", self._stream)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self.url
        finally:
            await runner.cleanup()
            # Transports close on the loop's next turns.
            await asyncio.sleep(0.01)

    async def _answer(self, request: web.Request) -> web.Response:
        data = await request.json() if request.can_read_body else dict(request.query)
        self.asked.append((request.method, request.path, data))
        found = self.answers.get((request.method, request.path))
        if found is None:
            return web.json_response({"code": 40410000, "message": "order not found"}, status=404)
        said = found(data) if callable(found) else found
        if isinstance(said, web.Response):
            return said
        status, body = said
        if isinstance(body, str) or body is None:
            return web.Response(status=status, text=body or "")
        return web.json_response(body, status=status)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        if self.refuse:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(autoping=self.pong)
        await socket.prepare(request)
        self.connections += 1
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            if message["action"] == "authenticate":
                status = "authorized" if self.let_in else "unauthorized"
                await socket.send_json({"stream": "authorization", "data": {"status": status}})
            elif message["action"] == "listen":
                streams = message["data"]["streams"]
                await socket.send_json({"stream": "listening", "data": {"streams": streams}})
                self.listeners.append(socket)
        if socket in self.listeners:
            self.listeners.remove(socket)
        return socket


class Follower:
    """Collects the events of a broker."""

    def __init__(self, broker: AlpacaBroker) -> None:
        self.events: list[BrokerEvent] = []
        self._broker = broker
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self._broker.events():
            self.events.append(event)

    async def ended(self) -> None:
        """Wait until the events end."""
        await self._task


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def connected(
    script: Script, *, patience: float = 2.0, per_minute: int = 60_000
) -> AsyncIterator[tuple[AlpacaBroker, Follower]]:
    """Run the script's server and a broker that is connected to it."""
    async with script.running() as url:
        broker = AlpacaBroker(
            KEYS, rest=url, timeout=patience, requests_per_minute=per_minute, connect_seconds=5
        )
        await broker.connect()
        follower = Follower(broker)
        try:
            yield broker, follower
        finally:
            await broker.close()
            await follower.ended()
