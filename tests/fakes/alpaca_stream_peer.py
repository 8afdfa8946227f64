"""A scripted WebSocket server: the handshake as Alpaca does it, then whatever the test sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import WSMsgType, web


class AlpacaStreamPeer:
    """Keeps what it was sent; `refuse` maps an action or channel to an error code."""

    def __init__(self) -> None:
        self.url = ""
        self.binary = True
        self.silent_acks: set[str] = set()
        self.refuse: dict[str, int] = {}
        self.received: list[dict[str, Any]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.rest: dict[str, Any] = {}
        self.subscribed: dict[str, list[str]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        return web.json_response(self.rest.get(request.path, {}))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.subscribed = {}
        await self._say(socket, {"T": "success", "msg": "connected"})
        async for frame in socket:
            if frame.type is not WSMsgType.BINARY:
                continue
            message = msgspec.msgpack.decode(frame.data)
            self.received.append(message)
            await self._react(socket, message)
        return socket

    async def _react(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        action = message.pop("action")
        for name in (action, *message):
            if name in self.refuse:
                error = {"T": "error", "code": self.refuse[name], "msg": f"no {name}"}
                await self._say(socket, error)
                return
        if action == "auth":
            await self._say(socket, {"T": "success", "msg": "authenticated"})
            return
        if self.silent_acks & message.keys():
            return
        self.subscribed.update(message)
        await self._say(socket, {"T": "subscription", **self.subscribed})
        if "bars" in self.subscribed:
            self.sockets.append(socket)

    async def _say(self, socket: web.WebSocketResponse, message: Any) -> None:
        await self.send_on(socket, self.frame([message]))

    def frame(self, messages: Any) -> bytes | str:
        if self.binary:
            return msgspec.msgpack.encode(messages)
        return msgspec.json.encode(messages).decode()

    async def send_on(self, socket: web.WebSocketResponse, frame: bytes | str) -> None:
        if isinstance(frame, str):
            await socket.send_str(frame)
        else:
            await socket.send_bytes(frame)

    async def send(self, *frames: bytes | str) -> None:
        """Send frames to the client that subscribed last."""
        while not self.sockets:  # noqa: ASYNC110 - a handler of its own fills it
            await asyncio.sleep(0.01)
        for frame in frames:
            await self.send_on(self.sockets[-1], frame)


@asynccontextmanager
async def alpaca_stream_peer() -> AsyncIterator[AlpacaStreamPeer]:
    peer = AlpacaStreamPeer()
    app = web.Application()
    app.router.add_get("/v2/iex", peer.serve)
    app.router.add_get("/{rest:.*}", peer.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        for socket in peer.sockets:
            await socket.close()
        await runner.cleanup()
