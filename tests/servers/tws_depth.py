"""TWS as ib_async's socket client speaks to it, as far as market depth goes, on loopback.

Fields and their order as in ib_async 2.1 (client.py, decoder.py) at server version 178, and as in a
recorded session: length-prefixed messages of NUL-terminated texts. Runs on a thread of its own.
"""

import asyncio
import contextlib
import struct
import threading
import time
from collections.abc import Callable, Iterator

VERSION = 178
INSERT, UPDATE, DELETE = 0, 1, 2
ASK, BID = 0, 1

type Change = tuple[int, int, int, float, float] | tuple[int, int, int, float, float, str]
"""Position, operation, side, price, size, and who where several quote."""


class Session:
    """One API client; lives on the server's loop."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.client_id = -1
        self.asked: list[list[str]] = []
        self.depth: dict[int, str] = {}

    def write(self, *messages: tuple[object, ...]) -> None:
        if not self.writer.is_closing():
            self.writer.write(b"".join(_framed(*message) for message in messages))


class TwsDepth:
    """A TWS that knows some stocks; every public method may be called from any thread.

    To be set at any time: `books` (rows told at once when a symbol is subscribed), `refusals`
    (code and text in answer to a subscription), `lines` (most subscriptions), `silent` (answers
    nothing), `mute` (does not greet), `taken` (client ids in use).
    """

    def __init__(self, known: dict[str, int]) -> None:
        self.known = dict(known)
        self.books: dict[str, list[Change]] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.lines = 3
        self.silent = False
        self.mute = False
        self.taken: set[int] = set()
        self.sessions: list[Session] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._listen())

    # -- what a test asks ------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        return len(self.sessions)

    def subscribed(self) -> list[str]:
        """Return the symbols whose depth the newest client has."""
        return sorted(self.sessions[-1].depth.values()) if self.sessions else []

    def requests(self, kind: int) -> list[list[str]]:
        """Return the messages of one kind, of all clients."""
        return [one for session in self.sessions for one in session.asked if one[0] == str(kind)]

    def kinds(self) -> set[str]:
        return {one[0] for session in self.sessions for one in session.asked}

    # -- what a test makes happen ----------------------------------------------------------------

    def change(self, symbol: str, *changes: Change) -> None:
        """Tell changes of a book in one write."""
        self._each(
            lambda session: session.write(
                *(
                    _depth(request, change)
                    for request, known in session.depth.items()
                    if known == symbol
                    for change in changes
                )
            )
        )

    def error(self, symbol: str, code: int, text: str, *, then: tuple[Change, ...] = ()) -> None:
        """Say something about a symbol (about none: empty), and tell rows in the same write."""

        def say(session: Session) -> None:
            if not symbol:
                session.write(_error(-1, code, text))
                return
            for request, known in session.depth.items():
                if known == symbol:
                    rows = (_depth(request, change) for change in then)
                    session.write(_error(request, code, text), *rows)

        self._each(say)

    def forget(self) -> None:
        """Lose all subscriptions, as after 1101."""
        self._each(lambda session: session.depth.clear())

    def hang_up(self) -> None:
        self._each(lambda session: session.writer.close())

    def close(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # -- the protocol ----------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        await asyncio.sleep(0)  # what was just accepted gets its transport, which closes it
        for session in self.sessions:
            session.writer.transport.abort()
        await self._server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        self.sessions.append(session)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if self.mute:
                await reader.read()
            await reader.readexactly(4)
            await _message(reader)
            session.write((VERSION, "20231021 13:28:15 EST"))
            while True:
                fields = await _message(reader)
                session.asked.append(fields)
                if not self.silent:
                    self._answer(session, fields)
        writer.close()

    def _answer(self, session: Session, fields: list[str]) -> None:
        match fields[0]:
            case "71":
                self._log_on(session, int(fields[2]))
            case "9":
                self._details(session, int(fields[2]), fields[4], fields[10])
            case "10":
                self._subscribe(session, fields)
            case "11":
                if session.depth.pop(int(fields[2]), None) is None:
                    session.write(_error(int(fields[2]), 310, "Can't find the subscription"))
            case "49":
                session.write((49, 1, int(time.time())))

    def _log_on(self, session: Session, client_id: int) -> None:
        session.client_id = client_id
        if client_id in self.taken:
            text = "Unable to connect as the client id is already in use. Retry with a unique one."
            session.write(_error(-1, 326, text))
            session.writer.close()
            return
        session.write((15, 1, "DU5509097"), (9, 1, 217))
        session.write(_error(-1, 2104, "Market data farm connection is OK:usfarm.nj"))

    def _details(self, session: Session, request: int, symbol: str, exchange: str) -> None:
        if symbol not in self.known:
            text = "No security definition has been found for the request"
            session.write(_error(request, 200, text))
            return
        contract = (symbol, "STK", "", "0", "", exchange, "USD", symbol, "NMS", "NMS")
        ours = (self.known[symbol], "0.01", "", "LMT,MKT", "SMART,ISLAND,ARCA", "1", "0")
        words = (f"{symbol} INC", "NASDAQ", "", "", "", "", "US/Eastern", "", "", "", "0", "0")
        rest = ("1", "", "", "26", "", "COMMON", "1", "1", "100")
        session.write((10, request, *contract, *ours, *words, *rest), (52, 1, request))

    def _subscribe(self, session: Session, fields: list[str]) -> None:
        request, symbol = int(fields[2]), fields[4]
        if len(session.depth) >= self.lines:
            text = f"Max number ({self.lines}) of market depth requests has been reached"
            session.write(_error(request, 309, text))
            return
        code, text = self.refusals.get(symbol, (0, ""))
        if code:
            session.write(_error(request, code, text))
            if not 2100 <= code < 2200:
                return
        session.depth[request] = symbol
        session.write(*(_depth(request, change) for change in self.books.get(symbol, [])))

    # -- threads ---------------------------------------------------------------------------------

    def _each(self, work: Callable[[Session], object]) -> None:
        async def call() -> None:
            for session in self.sessions:
                work(session)

        self._call(call())

    def _call(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]


async def _message(reader: asyncio.StreamReader) -> list[str]:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return (await reader.readexactly(length)).decode().split("\0")


def _framed(*fields: object) -> bytes:
    body = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(body)) + body


def _error(request: int, code: int, text: str) -> tuple[object, ...]:
    return (4, 2, request, code, text, "")


def _depth(request: int, change: Change) -> tuple[object, ...]:
    position, operation, side, price, size, *maker = change
    if maker:
        return (13, 1, request, position, maker[0], operation, side, price, size, 1)
    return (12, 1, request, position, operation, side, price, size)


@contextlib.contextmanager
def tws_depth(known: dict[str, int]) -> Iterator[TwsDepth]:
    tws = TwsDepth(known)
    try:
        yield tws
    finally:
        tws.close()
