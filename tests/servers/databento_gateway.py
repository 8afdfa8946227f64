"""Databento's live gateway as its client speaks to it, on loopback, misbehaving on demand.

Control lines and CRAM as in databento 0.87 (live/gateway.py, common/cram.py), then a DBN stream:
metadata, symbol mappings, acknowledgements, records. Runs on a thread of its own.
"""

import asyncio
import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import databento_dbn as dbn

KEY = "db-0123456789abcdefghijklmnopqrs"
VENUE = 2
NO_PRICE = dbn.UNDEF_PRICE


class Session:
    """One connection; lives on the gateway's loop."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.lines: list[dict[str, str]] = []
        self.subscribed: list[str] = []
        self.started = False
        self.said = asyncio.get_running_loop().time()

    def write(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.said = asyncio.get_running_loop().time()
            self.writer.write(data)


class DatabentoGateway:
    """A gateway that knows some symbols; every public method may be called from any thread.

    Faults, to be set at any time: `refusal` (text of a refused authentication), `mute` (accepts,
    never greets), `delay` (seconds before the
    greeting), `silent` (streams nothing by itself: no mappings, no heartbeats), `answers`
    (False: subscriptions are not answered), `fatal_unknown` (an unknown symbol ends the session,
    as before April 2026).
    """

    def __init__(self, known: dict[str, int], *, key: str = KEY) -> None:
        self.known = dict(known)
        self.key = key
        self.refusal = ""
        self.mute = False
        self.delay = 0.0
        self.silent = False
        self.answers = True
        self.fatal_unknown = False
        self.sessions: list[Session] = []
        self.connections = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._listen())

    # -- what a test asks ------------------------------------------------------------------------

    @property
    def streaming(self) -> list[Session]:
        return [one for one in self.sessions if one.started and not one.writer.is_closing()]

    def subscriptions(self) -> list[str]:
        """Return the symbols of the newest session."""
        return list(self.sessions[-1].subscribed) if self.sessions else []

    def requests(self) -> list[dict[str, str]]:
        return [line for session in self.sessions for line in session.lines]

    # -- what a test makes happen ----------------------------------------------------------------

    def send(self, *records: object) -> None:
        """Send records in one write."""
        self.raw(b"".join(bytes(record) for record in records))  # type: ignore[call-overload]

    def raw(self, data: bytes) -> None:
        def write() -> None:
            for session in self.streaming:
                session.write(data)

        self._do(write)

    def pour(self, data: bytes, *, piece: int = 1 << 16) -> None:
        """Send much, as fast as the client reads."""

        async def write() -> None:
            for session in self.streaming:
                for start in range(0, len(data), piece):
                    session.write(data[start : start + piece])
                    with contextlib.suppress(ConnectionError):
                        await session.writer.drain()

        self._call(write(), wait=60)

    def flood(self, record: bytes, *, rate: int, seconds: float) -> int:
        """Send a record at a rate; return how many were sent."""
        sent, began = 0, time.monotonic()
        while (past := time.monotonic() - began) < seconds:
            due = int(past * rate) - sent
            if due > 0:
                self.raw(record * due)
                sent += due
            time.sleep(0.002)
        return sent

    def heartbeat(self, ts: int) -> None:
        self.send(dbn.SystemMsg(ts, "Heartbeat", dbn.SystemCode.HEARTBEAT))

    def error(self, text: str, code: dbn.ErrorCode) -> None:
        self.send(dbn.ErrorMsg(time.time_ns(), text, True, code))

    def map(self, symbol: str, instrument: int) -> None:
        self.known[symbol] = instrument
        self.send(_mapping(symbol, instrument))

    def hang_up(self, last: bytes = b"") -> None:
        """Close every connection, after some last bytes: half a record, say."""

        def close() -> None:
            for session in self.sessions:
                if last:
                    session.write(last)
                session.writer.close()

        self._do(close)

    def close(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    # -- the protocol ----------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._beats = asyncio.create_task(self._beat())

    async def _close(self) -> None:
        self._beats.cancel()
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
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if self.mute:
                await reader.read()
            elif await self._authenticated(reader, session):
                while line := await reader.readline():
                    self._asked(session, _fields(line))
        writer.close()

    async def _authenticated(self, reader: asyncio.StreamReader, session: Session) -> bool:
        await asyncio.sleep(self.delay)
        challenge = hashlib.sha256(str(self.connections).encode()).hexdigest()[:32]
        session.write(f"lsg_version=0.6.0\ncram={challenge}\n".encode())
        asked = _fields(await reader.readline())
        session.lines.append(asked)
        good = hashlib.sha256(f"{challenge}|{self.key}".encode()).hexdigest()
        refusal = self.refusal
        if not refusal and asked.get("auth") != f"{good}-{self.key[-5:]}":
            refusal = "User authentication failed: Invalid API key."
        if refusal:
            session.write(f"success=0|error={refusal}\n".encode())
            await session.writer.drain()
            return False
        session.beat = float(asked.get("heartbeat_interval_s") or 30)  # type: ignore[attr-defined]
        session.write(f"success=1|session_id={self.connections}\n".encode())
        return True

    def _asked(self, session: Session, asked: dict[str, str]) -> None:
        session.lines.append(asked)
        if "start_session" in asked:
            session.started = True
            session.write(bytes(_metadata()))
            self._answer(session, session.subscribed)
        elif "symbols" in asked:
            symbols = asked["symbols"].split(",")
            session.subscribed += symbols
            if session.started:
                self._answer(session, symbols)

    def _answer(self, session: Session, symbols: Iterable[str]) -> None:
        if not self.answers or self.silent:
            return
        now = time.time_ns()
        for symbol in symbols:
            if symbol in self.known:
                session.write(bytes(_mapping(symbol, self.known[symbol])))
            else:
                text = f"Failed to resolve symbol '{symbol}'."
                code = dbn.ErrorCode.SYMBOL_RESOLUTION_FAILED
                session.write(bytes(dbn.ErrorMsg(now, text, True, code)))
                if self.fatal_unknown:
                    session.writer.close()
        text = "Subscription request 0 for mbp-10 data succeeded"
        session.write(bytes(dbn.SystemMsg(now, text, dbn.SystemCode.SUBSCRIPTION_ACK)))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            for session in self.streaming:
                due = session.said + getattr(session, "beat", 30.0)
                if not self.silent and asyncio.get_running_loop().time() >= due:
                    code = dbn.SystemCode.HEARTBEAT
                    session.write(bytes(dbn.SystemMsg(time.time_ns(), "Heartbeat", code)))

    # -- threads ---------------------------------------------------------------------------------

    def _do(self, work: Callable[[], None]) -> None:
        async def call() -> None:
            work()

        self._call(call())

    def _call(self, work: object, *, wait: float = 10) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(wait)  # type: ignore[arg-type]


def _fields(line: bytes) -> dict[str, str]:
    pairs = (part.partition("=") for part in line.decode().strip().split("|"))
    return {name: value for name, _, value in pairs if name}


def _metadata() -> dbn.Metadata:
    return dbn.Metadata(
        dataset="XNAS.ITCH",
        start=time.time_ns(),
        stype_in=None,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=None,
        version=3,
    )


def _mapping(symbol: str, instrument: int) -> dbn.SymbolMappingMsg:
    return dbn.SymbolMappingMsg(
        VENUE,
        instrument,
        time.time_ns(),
        dbn.SType.RAW_SYMBOL,
        symbol,
        dbn.SType.RAW_SYMBOL,
        symbol,
        0,
        2**63 - 1,
    )


def record(
    instrument: int,
    ts: int,
    *,
    sequence: int = 1,
    bid: int = 30_000_000_000,
    ask: int = 30_010_000_000,
    size: int = 100,
    flags: int = dbn.F_LAST,
    action: str = "A",
    price: int | None = None,
    levels: int = 10,
) -> dbn.MBP10Msg:
    """Return an invented record with a ladder a cent apart; levels that are not there are empty."""
    cent = 10_000_000
    pairs = [
        dbn.BidAskPair(bid - n * cent, ask + n * cent, size + n, size + 2 * n, n + 1, n + 2)
        for n in range(levels)
    ]
    pairs += [dbn.BidAskPair() for _ in range(10 - levels)]
    return dbn.MBP10Msg(
        publisher_id=VENUE,
        instrument_id=instrument,
        ts_event=ts - 1_000,
        price=bid if price is None else price,
        size=size,
        action=dbn.Action(action),
        side=dbn.Side("B"),
        depth=0,
        ts_recv=ts,
        flags=flags,
        sequence=sequence,
        levels=pairs,
    )


@contextlib.contextmanager
def databento_gateway(known: dict[str, int], *, key: str = KEY) -> Iterator[DatabentoGateway]:
    gateway = DatabentoGateway(known, key=key)
    try:
        yield gateway
    finally:
        gateway.close()
