"""One live session with Databento's gateway, through `databento.Live`, on a thread of its own.

The client keeps its connection on an event loop that must run on another thread than its caller's.
That thread is ours and ends with `close`; the library's shared one, which never ends, is not used.
Sources: https://databento.com/docs/api-live and the client's own source, version 0.87.
"""

import asyncio
import concurrent.futures
import logging
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Literal, Protocol

import databento
import databento_dbn
import msgspec

from tradingd.config.secrets import Secret
from tradingd.vendors.databento.records import BookRecord

log = logging.getLogger(__name__)

_JOIN: Final = 10.0
"""Seconds that the thread may take to end; nothing on it blocks."""

type Complaint = Literal["symbol", "skipped", "subscription", "key", "other"]
"""What an error record is about: a symbol that does not resolve; records that the gateway left
out; a subscription; the key or the account (final); anything else."""

_COMPLAINTS: Final[dict[int, Complaint]] = {
    # https://databento.com/docs/api-live/basics/errors
    1: "key",  # AUTH_FAILED
    2: "key",  # API_KEY_DEACTIVATED
    4: "symbol",  # SYMBOL_RESOLUTION_FAILED
    5: "subscription",  # INVALID_SUBSCRIPTION
    7: "skipped",  # SKIPPED_RECORDS_AFTER_SLOW_READING
}

_SESSION_GOES_ON: Final = frozenset({"symbol", "skipped"})


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Which session: `host` empty for the dataset's own, `heartbeat` in seconds."""

    dataset: str
    schema: str
    host: str
    port: int
    heartbeat: int

    @property
    def address(self) -> str:
        """Host and port, for people."""
        own = f"{self.dataset.lower().replace('.', '-')}.lsg.databento.com"
        return f"{self.host or own}:{self.port}"


class Unreachable(Exception):
    """No session: the network, or a gateway that does not answer."""


class Unauthorised(Exception):
    """The gateway answered, and refuses the key, the dataset or one more session."""


class Hearer(Protocol):
    """Hears a session on the library's thread; must not block or raise."""

    def book(self, record: BookRecord) -> None:
        """Take a record of the book."""
        ...

    def mapped(self, symbol: str, instrument: int) -> None:
        """Hear that a symbol's records bear this number from now on."""
        ...

    def complaint(self, about: Complaint, text: str) -> None:
        """Hear of an error."""
        ...

    def beat(self, ts: int) -> None:
        """Hear that the gateway had nothing to send up to its time `ts` (UTC ns)."""
        ...


class LiveLink:
    """Sessions with one gateway, one after the other; methods run on the caller's loop.

    Parameters
    ----------
    gateway : Gateway
        Where, and what to ask for.
    key : Secret
        Revealed to the client at each `connect`; it answers a challenge and never leaves.
    hearer : Hearer
        Hears the records.
    """

    def __init__(self, gateway: Gateway, key: Secret, hearer: Hearer) -> None:
        self._gateway = gateway
        self._key = key
        self._hearer = hearer
        self._client: databento.Live | None = None
        self._thread: _LibraryThread | None = None
        self._ending: asyncio.Future[None] | None = None
        self._started = False
        self._minor: set[str] = set()
        self._mask = _Masking(self._masked)

    async def connect(self, symbols: Sequence[str], *, within: float) -> None:
        """Connect, authenticate and subscribe, `within` seconds; with symbols, begin to stream.

        Raises
        ------
        Unreachable, Unauthorised
            With the vendor's words, the key masked.
        """
        thread = self._thread = self._thread or _LibraryThread()
        self._mask.put_on()
        client = self._made(thread.loop)

        def blocking() -> None:
            dataset, schema = self._gateway.dataset, self._gateway.schema
            try:
                if symbols:
                    client.subscribe(dataset, schema, list(symbols), "raw_symbol")
                else:
                    # What `subscribe` does first; in public the client cannot do it alone.
                    client._session._connect(dataset)
            except concurrent.futures.CancelledError:
                raise Unreachable("given up") from None

        try:
            async with asyncio.timeout(within):
                await asyncio.to_thread(blocking)
        except TimeoutError:
            if self._thread is thread:
                await thread.cancel_tasks()
            raise Unreachable(f"no answer within {within:g} s") from None
        except databento.BentoError as error:
            raise self._translated(str(error)) from None
        if self._thread is not thread:
            # Closed meanwhile: the thread took the connection with it.
            raise Unreachable("given up")
        self._client, self._started = client, bool(symbols)
        self._ending = thread.begin(client.wait_for_close())
        if symbols:
            await thread.do(client.start)

    async def subscribe(self, symbol: str) -> None:
        """Ask for one more symbol in the session; the first one begins the stream."""
        thread, client = self._thread, self._client
        if thread is None or client is None:
            return

        def ask() -> None:
            # On the library's thread: it would connect anew, and wait for itself, if it had ended.
            if client.is_connected():
                client.subscribe(
                    self._gateway.dataset, self._gateway.schema, [symbol], "raw_symbol"
                )
                if not self._started:
                    self._started = True
                    client.start()

        await thread.do(ask)

    async def ended(self) -> str:
        """Wait for the end of the session; return the vendor's words, empty when it has none."""
        if self._ending is None:
            return ""
        try:
            # Waiting is given up without giving up the client's own: that one closes the socket.
            await asyncio.shield(self._ending)
        except databento.BentoError as error:
            text = self._masked(str(error))
            # The client takes every error of the session for the reason of its end.
            return "" if text in self._minor else text
        return ""

    async def hang_up(self) -> None:
        """End the session now."""
        client, self._client = self._client, None
        if client is not None and self._thread is not None:
            await self._thread.do(client.terminate)
            await self.ended()

    async def close(self) -> None:
        """End session and thread."""
        await self.hang_up()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.end)
        self._mask.take_off()

    # -- private ---------------------------------------------------------------------------------

    def _made(self, loop: asyncio.AbstractEventLoop) -> databento.Live:
        client = databento.Live(
            key=self._key.reveal(),
            gateway=self._gateway.host or None,
            port=self._gateway.port,
            heartbeat_interval_s=self._gateway.heartbeat,
            # Late is better than never for a record; by default the gateway leaves them out.
            slow_reader_behavior="warn",
            loop=loop,
        )
        client.add_callback(self._heard)
        return client

    def _heard(self, record: Any) -> None:
        """Sort a record; on the library's thread."""
        kind = type(record)
        if kind is databento_dbn.MBP10Msg or kind is databento_dbn.MBP1Msg:
            self._hearer.book(record)
        elif kind is databento_dbn.SymbolMappingMsg:
            self._hearer.mapped(record.stype_in_symbol, record.instrument_id)
        elif kind is databento_dbn.ErrorMsg:
            about, text = _about(record), self._masked(record.err)
            if about in _SESSION_GOES_ON:
                self._minor.add(text)
            self._hearer.complaint(about, text)
        elif kind is databento_dbn.SystemMsg:
            if record.is_heartbeat():
                self._hearer.beat(record.ts_event)
            elif record.code == databento_dbn.SystemCode.SLOW_READER_WARNING:
                log.warning("databento: we read too slowly: %s", record.msg)

    def _translated(self, text: str) -> Exception:
        # The client has one class for all; its own texts about the network begin alike.
        text = self._masked(text)
        network = text.startswith(("Connection to ", "Authentication with "))
        return Unreachable(text) if network else Unauthorised(text)

    def _masked(self, text: str) -> str:
        return text.replace(self._key.reveal(), "(key)")


def _about(record: databento_dbn.ErrorMsg) -> Complaint:
    code = record.code
    return "other" if code is None else _COMPLAINTS.get(int(code), "other")


class _Masking(logging.Filter):
    """Keeps the key out of what the client logs: it repeats the gateway's words unread."""

    # A filter sees only what is logged to the very logger it is on.
    _LOGGERS = tuple(
        f"databento.live.{name}" for name in ("client", "gateway", "protocol", "session")
    )

    def __init__(self, masked: Callable[[str], str]) -> None:
        super().__init__()
        self._masked = masked

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._masked(record.getMessage()), ()
        return True

    def put_on(self) -> None:
        for name in self._LOGGERS:
            logging.getLogger(name).addFilter(self)

    def take_off(self) -> None:
        for name in self._LOGGERS:
            logging.getLogger(name).removeFilter(self)


class _LibraryThread:
    """A loop on a thread, which ends when told to."""

    def __init__(self) -> None:
        self.loop = _Loop()
        self._thread = threading.Thread(
            target=self.loop.run_forever, name="databento live", daemon=True
        )
        self._thread.start()

    async def do(self, work: Callable[[], object]) -> None:
        """Call something over there, and wait for it."""

        async def call() -> None:
            work()

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), self.loop))

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Run something over there, and return what tells of its end here."""
        end = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))
        # Its exception counts as seen, whether or not somebody waits.
        end.add_done_callback(lambda end: end.cancelled() or end.exception())
        return end

    async def cancel_tasks(self) -> None:
        """Give up whatever runs over there, and close its sockets."""
        stopping = asyncio.run_coroutine_threadsafe(self.loop.give_up(), self.loop)
        await asyncio.wrap_future(stopping)

    def end(self) -> None:
        """Cancel what runs, stop and join; blocks for moments."""
        asyncio.run_coroutine_threadsafe(self.loop.wind_up(), self.loop).result(_JOIN)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_JOIN)
        self.loop.close()


class _Loop(asyncio.SelectorEventLoop):
    """A loop that knows its connections.

    The client forgets the socket of a connection on which it waits in vain for a greeting.
    """

    def __init__(self) -> None:
        super().__init__()
        self._connections: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    async def create_connection(self, *args: Any, **named: Any) -> Any:
        """Connect as ever, and remember."""
        transport, protocol = await super().create_connection(*args, **named)
        self._connections.add(transport)
        return transport, protocol

    async def give_up(self) -> None:
        """Cancel all tasks and close all sockets."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in tuple(self._connections):
            transport.abort()
        # Aborted transports close their sockets in the next turn of the loop.
        await asyncio.sleep(0)

    async def wind_up(self) -> None:
        """Leave nothing behind."""
        await self.give_up()
        await self.shutdown_asyncgens()
        await self.shutdown_default_executor()
