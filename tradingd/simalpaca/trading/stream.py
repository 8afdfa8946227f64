"""The WebSocket of trade updates: log-in, subscription, and messages with their faults."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from aiohttp import WSMessage, WSMsgType, web

from tradingd.simalpaca.trading.faults import Plan

_STREAM: Final = "trade_updates"
_OVERTAKEN_SECONDS: Final = 0.05
_LIMIT: Final = 4 * 1024 * 1024

log = logging.getLogger(__name__)


class Listener:
    """One connection.

    Parameters
    ----------
    number : int
        Number of the connection since the server started: faults differ by it.
    socket, transport : WebSocketResponse, Transport
        The connection, and what carries it.
    binary : bool
        Send binary frames, as Alpaca does for paper accounts.
    """

    def __init__(
        self,
        number: int,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        *,
        binary: bool,
    ) -> None:
        self.number = number
        self.authorized = False
        self.listens = False
        self._socket = socket
        self._transport = transport
        self._binary = binary
        self._queue: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    def put(self, text: str, delay: float = 0.0) -> None:
        """Send a message after those before it, and after a delay in seconds."""
        self._queue.put_nowait((delay, text))

    def put_late(self, text: str, seconds: float) -> None:
        """Send a message when others have overtaken it."""
        asyncio.get_running_loop().call_later(seconds, self.put, text)

    async def write(self) -> None:
        """Send what is put, until the connection ends."""
        while True:
            delay, text = await self._queue.get()
            if delay:
                await asyncio.sleep(delay)
            if self._socket.closed:
                return
            try:
                if self._binary:
                    await self._socket.send_bytes(text.encode())
                else:
                    await self._socket.send_str(text)
            except ConnectionError:
                return

    def abort(self) -> None:
        """Break the connection without a word."""
        if self._transport is not None:
            self._transport.abort()


class TradeUpdates:
    """Serves /stream.

    Parameters
    ----------
    authorized : callable
        Whether a pair of credentials (as headers) is let in.
    plan : callable
        The present plan of misbehaviour.
    binary : bool
        Send binary frames.
    """

    def __init__(
        self,
        *,
        authorized: Callable[[Mapping[str, str]], bool],
        plan: Callable[[], Plan],
        binary: bool,
    ) -> None:
        self._authorized = authorized
        self._plan = plan
        self._binary = binary
        self._listeners: set[Listener] = set()
        self._accepted = 0
        self._sent = 0
        self._refused_until = 0.0

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._listeners)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._refused_until:
            _note("refuse")
            return web.Response(status=503, text="refused for a while")
        socket = web.WebSocketResponse(autoping=False, max_msg_size=_LIMIT)
        await socket.prepare(request)
        self._accepted += 1
        listener = Listener(self._accepted, socket, request.transport, binary=self._binary)
        self._listeners.add(listener)
        name = f"trade updates {listener.number}"
        writing = _task(listener.write(), f"{name} writer")
        try:
            async for message in socket:
                await self._receive(listener, socket, message)
        finally:
            self._listeners.discard(listener)
            writing.cancel()
        return socket

    async def _receive(
        self, listener: Listener, socket: web.WebSocketResponse, message: WSMessage
    ) -> None:
        if self._plan().stream.half_open:
            return
        if message.type is WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            for answer in self._answers(listener, message.data):
                listener.put(json.dumps(answer))

    def _answers(self, listener: Listener, said: str | bytes) -> list[dict[str, object]]:
        try:
            message = json.loads(said)
        except ValueError:
            message = None
        data = message.get("data", {}) if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(data, dict):
            return [_error("invalid message format")]
        match message.get("action"):
            case "auth" | "authenticate":
                return [self._log_in(listener, message, data)]
            case "listen":
                return [self._listen(listener, data)]
        return [_error(f"invalid action: {message.get('action')}")]

    def _log_in(
        self, listener: Listener, message: Mapping[str, object], data: Mapping[str, object]
    ) -> dict[str, object]:
        key = message.get("key") or data.get("key_id")
        secret = message.get("secret") or data.get("secret_key")
        headers = {"APCA-API-KEY-ID": str(key or ""), "APCA-API-SECRET-KEY": str(secret or "")}
        listener.authorized = self._authorized(headers)
        status = "authorized" if listener.authorized else "unauthorized"
        answer = {"action": message["action"], "status": status}
        return {"stream": "authorization", "data": answer}

    def _listen(self, listener: Listener, data: Mapping[str, object]) -> dict[str, object]:
        streams = data.get("streams")
        if not listener.authorized:
            answer = {"action": "listen", "status": "unauthorized"}
            return {"stream": "authorization", "data": answer}
        if not isinstance(streams, list):
            return {"stream": "listening", "data": {"error": "streams must be a list"}}
        listener.listens = _STREAM in streams
        return {"stream": "listening", "data": {"streams": [_STREAM] if listener.listens else []}}

    def publish(self, updates: list[str]) -> None:
        """Send trade updates to everybody who listens; nobody gets them later."""
        plan = self._plan()
        for text in updates:
            self._sent += 1
            for listener in self._listeners:
                if listener.listens:
                    self._send(listener, text, plan)

    def _send(self, listener: Listener, text: str, plan: Plan) -> None:
        """Send one update, or let it be lost, repeated, late, or overtaken."""
        stream = plan.stream
        if stream.mute or stream.half_open:
            _note("mute" if stream.mute else "half_open")
            return
        name = f"stream:{listener.number}:{self._sent}"
        if plan.chance(f"{name}:drop") < stream.drop:
            _note("drop")
            return
        first, last = stream.delay
        delay = first + (last - first) * plan.chance(f"{name}:delay")
        if delay:
            _note("delay")
        copies = 1
        if plan.chance(f"{name}:duplicate") < stream.duplicate:
            _note("duplicate")
            copies = 2
        if plan.chance(f"{name}:reorder") < stream.reorder:
            _note("reorder")
            listener.put_late(text, _OVERTAKEN_SECONDS * (1 + plan.chance(f"{name}:late")))
            copies -= 1
        for _ in range(copies):
            listener.put(text, delay)

    def misbehave(self, plan: Plan) -> None:
        """Do at once what a plan says of the stream."""
        stream = plan.stream
        if stream.refuse_seconds:
            self._refused_until = asyncio.get_running_loop().time() + stream.refuse_seconds
        if stream.close_now or plan.disconnect_now:
            _note("close_now" if stream.close_now else "disconnect_now")
            self.abort()

    def abort(self) -> None:
        """Break every connection."""
        for listener in list(self._listeners):
            listener.abort()


def _note(fault: str) -> None:
    """Write what goes wrong on purpose into the log, so that it can be counted."""
    log.info("fault stream %s", fault)


def _error(words: str) -> dict[str, object]:
    return {"stream": "error", "data": {"error": words}}


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("%s failed", task.get_name(), exc_info=task.exception())
