"""The trade-update stream: stays connected, and knows when it is not.

Logs in and listens as alpaca-py does; frames are text or binary (the paper host sends binary ones)
with JSON inside. Pings find a connection that is half open. Knows nothing of orders.
"""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp

from tradingd.vendors.alpaca.keys import Keys

log = logging.getLogger(__name__)

FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 15.0
"""Seconds between attempts: doubled each time, cut to 50-100 % by chance."""

STEADY: Final = 10.0
"""Seconds that a connection must have lasted for the next attempt to begin with the first wait."""

PING: Final = 10.0
"""Seconds without a frame before a ping; the pong must come in half of that."""

TOPIC: Final = "trade_updates"

_CLOSE: Final = 1.0
_LARGEST: Final = 16 * 1024 * 1024


class LoggedOut(Exception):
    """The server does not let these keys in, or does not offer the stream."""


class TradeStream:
    """A connection to the stream that comes back by itself.

    Parameters
    ----------
    url : str
        WebSocket address.
    keys : Keys
        Sent to the server only.
    timeout : float
        Seconds for the connection, and again for the login.
    told : Callable
        Takes the data of every trade update.
    up, down : Callable
        Hear when the server has confirmed the login and the stream, and when and why it was lost.
    chance : Callable
        Source of the jitter, 0 to 1.
    """

    def __init__(
        self,
        url: str,
        keys: Keys,
        *,
        timeout: float,
        told: Callable[[Mapping[str, Any]], None],
        up: Callable[[], None],
        down: Callable[[str], None],
        ping: float = PING,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._url = url
        self._keys = keys
        self._timeout = timeout
        self._told = told
        self._up = up
        self._down = down
        self._ping = ping
        self._chance = chance
        self._connected = False
        self._drop: asyncio.Future[str] | None = None
        self.trouble = ""
        """Why the last attempt failed."""

    @property
    def connected(self) -> bool:
        """True from the confirmation of the stream until the connection is known to be lost."""
        return self._connected

    def drop(self, why: str) -> None:
        """Give up the present connection and make another."""
        if self._drop is not None and not self._drop.done():
            self._drop.set_result(why)

    async def run(self) -> None:
        """Connect, listen, reconnect; never returns."""
        loop = asyncio.get_running_loop()
        wait = FIRST_WAIT
        async with aiohttp.ClientSession() as session:
            while True:
                begun = loop.time()
                try:
                    why = await self._serve(session)
                except (aiohttp.ClientError, LoggedOut, OSError, ValueError) as error:
                    # TimeoutError is an OSError; no text of these holds what was sent.
                    why = f"{type(error).__name__}: {error}".rstrip(": ")
                self._lost(why)
                if loop.time() - begun >= STEADY:
                    wait = FIRST_WAIT
                await asyncio.sleep(wait * (0.5 + self._chance() / 2))
                wait = min(2 * wait, LONGEST_WAIT)

    # -- private ---------------------------------------------------------------------------------

    async def _serve(self, session: aiohttp.ClientSession) -> str:
        limits = aiohttp.ClientWSTimeout(ws_close=_CLOSE)
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(self._timeout):
                socket = await stack.enter_async_context(
                    session.ws_connect(
                        self._url, heartbeat=self._ping, timeout=limits, max_msg_size=_LARGEST
                    )
                )
            async with asyncio.timeout(self._timeout):
                await self._log_in(socket)
            self._drop = asyncio.get_running_loop().create_future()
            self._connected, self.trouble = True, ""
            self._up()
            return await self._listen(socket, self._drop)

    async def _log_in(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json(
            {
                "action": "authenticate",
                "data": {"key_id": self._keys.key_id, "secret_key": self._keys.secret},
            }
        )
        data = await self._answer(socket, "authorization")
        if data.get("status") != "authorized":
            raise LoggedOut(f"not let in: {data.get('status', 'no reason given')}")
        await socket.send_json({"action": "listen", "data": {"streams": [TOPIC]}})
        data = await self._answer(socket, "listening")
        if TOPIC not in (data.get("streams") or ()):
            raise LoggedOut(f"no {TOPIC}: {data.get('error', 'not offered')}")

    async def _answer(
        self, socket: aiohttp.ClientWebSocketResponse, stream: str
    ) -> Mapping[str, Any]:
        while True:
            frame = await socket.receive()
            if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                raise LoggedOut(f"closed before the {stream}")
            message = _message(frame.data)
            if message.get("stream") == stream:
                return _data(message)
            if message.get("stream") == "error" or "error" in _data(message):
                raise LoggedOut(str(_data(message).get("error", "an error without a text")))

    async def _listen(
        self, socket: aiohttp.ClientWebSocketResponse, drop: asyncio.Future[str]
    ) -> str:
        reading = asyncio.ensure_future(self._read(socket))
        try:
            await asyncio.wait({reading, drop}, return_when=asyncio.FIRST_COMPLETED)
            return drop.result() if drop.done() else reading.result()
        finally:
            reading.cancel()
            # Not awaited itself: an end of our own that comes meanwhile must not be taken for its.
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.ERROR:
                break
            if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            message = _message(frame.data)
            if message.get("stream") == TOPIC:
                self._told(_data(message))
        error = socket.exception()
        if error is not None:
            return f"broken: {type(error).__name__}: {error}".rstrip(": ")
        return f"closed by the server ({socket.close_code})"

    def _lost(self, why: str) -> None:
        self.trouble = why
        was, self._connected, self._drop = self._connected, False, None
        if was:
            log.warning("the trade-update stream is lost: %s", why)
            self._down(why)
        else:
            log.warning("the trade-update stream cannot be reached: %s", why)


def _message(data: str | bytes) -> Mapping[str, Any]:
    """Read a frame; what is no object is no message."""
    message = json.loads(data)
    return message if isinstance(message, dict) else {}


def _data(message: Mapping[str, Any]) -> Mapping[str, Any]:
    data = message.get("data")
    return data if isinstance(data, dict) else {}
