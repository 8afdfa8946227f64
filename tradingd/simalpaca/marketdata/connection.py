"""One client of a data stream: handshake, subscriptions, what it gets."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import WSMessage, WSMsgType, web
from multidict import CIMultiDict

from tradingd.simalpaca.marketdata import errors
from tradingd.simalpaca.marketdata.batch import Batch
from tradingd.simalpaca.marketdata.channels import (
    Subscriptions,
    SymbolLimitError,
    UnknownChannelError,
)
from tradingd.simalpaca.marketdata.codec import Codec
from tradingd.simalpaca.marketdata.errors import StreamError
from tradingd.simalpaca.marketdata.faults import Fate
from tradingd.simalpaca.marketdata.outbox import Outbox

KEY: Final = "APCA-API-KEY-ID"
SECRET: Final = "APCA-API-SECRET-KEY"  # noqa: S105  the name of a header
_MESSAGES_A_FRAME: Final = 1_000
_OVERTAKEN_SECONDS: Final = 0.05


class RefusedError(Exception):
    """The client is told an error, and the connection ends."""

    def __init__(self, error: StreamError) -> None:
        super().__init__(error.msg)
        self.error = error


class Connection:
    """A client.

    Parameters
    ----------
    socket : web.WebSocketResponse
        Prepared; without automatic pongs and closing.
    codec : Codec
        Of its frames.
    outbox : Outbox
        Where frames go.
    fate : Fate
        What goes wrong with what is published.
    limit : int
        Most symbols of trades and quotes; 0: no limit.
    admit : Callable
        Takes credentials as headers and returns the key, or raises RefusedError.
    changed : Callable
        Called after each change of the subscriptions.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        codec: Codec,
        outbox: Outbox,
        fate: Fate,
        limit: int,
        admit: Callable[[Mapping[str, str]], str],
        changed: Callable[[], None],
    ) -> None:
        self.key = ""
        self.fate = fate
        self.outbox = outbox
        self.subscriptions = Subscriptions(limit)
        self._socket = socket
        self._codec = codec
        self._admit = admit
        self._changed = changed
        self._half_open = False
        self._held: list[bytes] = []

    def break_half(self) -> None:
        """Answer and send nothing any more, and keep the connection."""
        self._half_open = True
        self.outbox.silence()

    def publish(self, batch: Batch) -> None:
        """Send what the client subscribed to."""
        wants = self.subscriptions.wants
        wanted = [
            (message.symbol, data)
            for message, data in zip(batch.messages, batch.encoded(self._codec), strict=True)
            if wants(message.channel, message.symbol)
        ]
        if not wanted:
            return
        kept = self.fate.keep(wanted)
        overtaken, self._held = self._held, kept.later
        self._send(kept.now + overtaken)
        if kept.later:
            loop = asyncio.get_running_loop()
            loop.call_later(_OVERTAKEN_SECONDS, self._release, kept.later)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a control message."""
        self.outbox.put(self._codec.frame([self._codec.encode(message)]))

    def error(self, error: StreamError) -> None:
        """Send an error message."""
        self.tell({"T": "error", "code": error.code, "msg": error.msg})

    async def serve(self, headers: Mapping[str, str], seconds: float) -> None:
        """Greet the client and take what it says until it leaves.

        Parameters
        ----------
        headers : Mapping
            Of its request; credentials in them are tried at once.
        seconds : float
            How long it has to authenticate.
        """
        self.tell({"T": "success", "msg": "connected"})
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            if KEY in headers or "Authorization" in headers:
                self._authenticate(headers)
            while True:
                message = await self._receive(None if self.key else deadline)
                if message.type in (WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
                    return
                if message.type is WSMsgType.CLOSE:
                    return await self._left()
                if self._half_open:
                    continue
                if message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
                elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._take(message.data)
        except RefusedError as refused:
            self.error(refused.error)
        except ConnectionError:
            return

    async def _left(self) -> None:
        """Let a client go; a half-open connection does not even answer its goodbye."""
        if self._half_open:
            await self.outbox.gone()

    async def _receive(self, deadline: float | None) -> WSMessage:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._socket.receive()
        except TimeoutError as error:
            raise RefusedError(errors.AUTH_TIMEOUT) from error

    def _take(self, data: str | bytes) -> None:
        try:
            message = self._codec.decode(data.encode() if isinstance(data, str) else data)
        except (ValueError, TypeError, RecursionError):
            message = None
        action = message.get("action") if isinstance(message, dict) else None
        if action == "auth":
            self._auth(message)
        elif action not in ("subscribe", "unsubscribe"):
            self.error(errors.INVALID_SYNTAX)
        elif not self.key:
            self.error(errors.NOT_AUTHENTICATED)
        else:
            self._subscribe(action, message)

    def _auth(self, message: Mapping[str, object]) -> None:
        if self.key:
            self.error(errors.ALREADY_AUTHENTICATED)
            return
        key, secret = message.get("key"), message.get("secret")
        if not isinstance(key, str) or not isinstance(secret, str):
            raise RefusedError(errors.AUTH_FAILED)
        self._authenticate(CIMultiDict({KEY: key, SECRET: secret}))

    def _authenticate(self, headers: Mapping[str, str]) -> None:
        self.key = self._admit(headers)
        self.tell({"T": "success", "msg": "authenticated"})

    def _subscribe(self, action: str, message: Mapping[str, object]) -> None:
        change = self.subscriptions.add if action == "subscribe" else self.subscriptions.remove
        try:
            change(message)
        except ValueError:
            self.error(errors.INVALID_SYNTAX)
        except UnknownChannelError:
            self.error(errors.INVALID_SUBSCRIBE)
        except SymbolLimitError:
            self.error(errors.SYMBOL_LIMIT)
        else:
            self.tell({"T": "subscription", **self.subscriptions.listed()})
            self._changed()

    def _send(self, messages: Sequence[bytes]) -> None:
        for first in range(0, len(messages), _MESSAGES_A_FRAME):
            frame = self._codec.frame(messages[first : first + _MESSAGES_A_FRAME])
            if not self.outbox.put(frame, self.fate.wait()):
                # Alpaca tells such a client why and lets go of it.
                self.outbox.forget()
                self.error(errors.SLOW_CLIENT)
                self.outbox.last()
                return

    def _release(self, late: list[bytes]) -> None:
        """Send what nothing has overtaken in time."""
        if self._held is late:
            self._held = []
            self._send(late)
