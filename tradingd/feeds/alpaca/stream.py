"""One connection to Alpaca's data stream: dial, authenticate, subscribe, receive.

Source: docs.alpaca.markets, "WebSocket Stream" (flow, error codes, one connection an account).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from tradingd.feeds.alpaca.messages import (
    Decoder,
    ErrorMessage,
    Message,
    SubscriptionMessage,
    SuccessMessage,
)
from tradingd.vendors.alpaca.keys import Keys

if TYPE_CHECKING:
    import aiohttp

AUTH_FAILED: Final = 402
SYMBOL_LIMIT: Final = 405
CONNECTION_LIMIT: Final = 406
SLOW_CLIENT: Final = 407
NO_SUBSCRIPTION: Final = 409
NO_CHANNEL: Final = 410
_WORDS: Final = {
    400: "a message that Alpaca does not understand",
    401: "not authenticated",
    AUTH_FAILED: "the keys are not accepted",
    403: "authenticated already",
    404: "authenticated too late",
    SYMBOL_LIMIT: "more symbols than the subscription allows",
    CONNECTION_LIMIT: "another program uses the data stream of the same key",
    SLOW_CLIENT: "we read too slowly",
    NO_SUBSCRIPTION: "the subscription does not include this feed",
    NO_CHANNEL: "the feed does not have this channel",
    500: "an error inside Alpaca",
}
"""Error codes in words."""

PERMANENT: Final = frozenset({400, 401, AUTH_FAILED, 403, SYMBOL_LIMIT, NO_SUBSCRIPTION})
"""What the next try would meet again."""

BATCH: Final = 100
"""Symbols of one subscribe message: it stays far below Alpaca's 16 kB."""


class Lost(Exception):
    """The connection is gone, or as good as gone; another try may help."""


class Refused(Exception):
    """Alpaca said no.

    Parameters
    ----------
    code : int
        Of the message, or the HTTP status of the upgrade.
    text : str
        Alpaca's words.
    """

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        super().__init__(f"{code} {text}: {_WORDS.get(code, 'unknown code')}")

    @property
    def permanent(self) -> bool:
        """Whether another try would meet the same."""
        return self.code in PERMANENT


class Stream:
    """A connection; `open` it, subscribe, receive until `Lost`.

    Parameters
    ----------
    url : str
        WebSocket URL, the feed's name included.
    keys : Keys
    decoder : Decoder
        Outlives connections, so that its counts do.
    heard : Callable
        Takes every message about data, also while an acknowledgement is awaited.
    connect_seconds : float
        For each step: dialling, authentication, each acknowledgement.
    ping_seconds : float
        A ping is sent after that much silence; a pong must come within half of it.
    batch : int
        Symbols of one subscribe message.
    """

    def __init__(
        self,
        url: str,
        keys: Keys,
        *,
        decoder: Decoder,
        heard: Callable[[Sequence[Message]], None],
        connect_seconds: float = 10.0,
        ping_seconds: float = 10.0,
        batch: int = BATCH,
    ) -> None:
        self._url = url
        self._keys = keys
        self._decoder = decoder
        self._heard = heard
        self._patience = connect_seconds
        self._ping = ping_seconds
        self._batch = batch
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._early: list[Message] = []

    async def open(self) -> None:
        """Dial and authenticate.

        Raises
        ------
        Lost
            When nobody answers.
        Refused
            When Alpaca says no.
        """
        import aiohttp

        self._session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(self._patience):
                self._socket = await self._session.ws_connect(
                    self._url,
                    headers={"Content-Type": "application/msgpack"},
                    heartbeat=self._ping,
                    max_msg_size=16 * 2**20,
                )
                await self._expect("connected")
                await self._send({"action": "auth", **self._credentials()})
                await self._expect("authenticated")
        except aiohttp.WSServerHandshakeError as error:
            code = {401: AUTH_FAILED, 403: AUTH_FAILED, 429: CONNECTION_LIMIT}
            raise Refused(code.get(error.status, error.status), "at the upgrade") from None
        except TimeoutError:
            raise Lost("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(f"{type(error).__name__}: {error}") from None

    async def subscribe(self, channels: Sequence[str], symbols: Sequence[str]) -> None:
        """Subscribe symbols to channels in batches; each is acknowledged before the next.

        Raises
        ------
        Lost
            When an acknowledgement does not come, or does not name all symbols.
        Refused
            When Alpaca says no.
        """
        for first in range(0, len(symbols), self._batch):
            batch = list(symbols[first : first + self._batch])
            await self._send({"action": "subscribe", **dict.fromkeys(channels, batch)})
            await self._acknowledged(channels, batch)

    async def again(self, channels: Mapping[str, Sequence[str]]) -> None:
        """Subscribe symbols anew, without waiting: data proves it."""
        await self._send({"action": "unsubscribe", **channels})
        await self._send({"action": "subscribe", **channels})

    async def receive(self, seconds: float) -> Sequence[Message]:
        """Return the next messages; none when nothing comes in that time.

        Raises
        ------
        Lost
            When the connection ends or does not answer pings.
        Refused
            When Alpaca sends an error.
        """
        if self._early:
            early, self._early = self._early, []
            return early
        messages = await self._frame(seconds)
        for message in messages:
            if type(message) is ErrorMessage:
                self._heard([one for one in messages if one is not message])
                raise Refused(message.code, message.msg)
        return messages

    async def close(self) -> None:
        """Close what is open; never raises, and takes a second at most."""
        socket, self._socket = self._socket, None
        session, self._session = self._session, None
        if socket is not None and not socket.closed:
            # A half-open peer never answers the close.
            try:
                async with asyncio.timeout(1.0):
                    await socket.close()
            except (TimeoutError, OSError):
                pass
        if session is not None:
            await session.close()

    # -- private ---------------------------------------------------------------------------------

    def _credentials(self) -> dict[str, str]:
        return {"key": self._keys.key_id, "secret": self._keys.secret}

    async def _expect(self, word: str) -> None:
        while True:
            for message in await self.receive(self._patience):
                if type(message) is SuccessMessage and message.msg == word:
                    return

    async def _acknowledged(self, channels: Sequence[str], symbols: Sequence[str]) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            messages = await self.receive(left)
            self._heard(messages)
            told = [one for one in messages if type(one) is SubscriptionMessage]
            if told and all(set(symbols) <= set(getattr(told[-1], name)) for name in channels):
                return
        names = ", ".join(channels)
        raise Lost(f"the subscription of {names} was not acknowledged in {self._patience:g} s")

    async def _send(self, message: Mapping[str, object]) -> None:
        if self._socket is None:
            raise Lost("the connection is closed")
        try:
            await self._socket.send_bytes(msgspec.msgpack.encode(message))
        except (ConnectionError, RuntimeError) as error:
            raise Lost(f"{type(error).__name__}: {error}") from None

    async def _frame(self, seconds: float) -> list[Message]:
        import aiohttp

        if self._socket is None:
            raise Lost("the connection is closed")
        try:
            # Its own timeout begins anew with every pong.
            async with asyncio.timeout(seconds):
                frame = await self._socket.receive()
        except TimeoutError:
            return []
        if frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return self._decoder.decode(frame.data)
        if frame.type is aiohttp.WSMsgType.ERROR:
            raise Lost(f"{type(frame.data).__name__}: {frame.data}")
        raise Lost(f"closed by the server, code {self._socket.close_code}")
