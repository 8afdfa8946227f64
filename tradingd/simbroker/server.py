"""The socket server: lines in, decisions of the faults, replies and events out."""

import asyncio
import json
import logging
import os
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tradingd.simbroker.amounts import BadRequest
from tradingd.simbroker.broker import COMMANDS, Broker
from tradingd.simbroker.connection import Connection
from tradingd.simbroker.faults import (
    DISCONNECT_AFTER,
    DISCONNECT_BEFORE,
    DROP_REQUEST,
    DROP_RESPONSE,
    LATE_RESPONSE,
    REJECT,
    Decision,
    Faults,
)
from tradingd.simbroker.store import Store

_LINE_LIMIT: Final = 16 * 1024 * 1024
_BACKLOG: Final = 64

BAD_REQUEST: Final = "bad_request"
"""The request makes no sense; nothing was done."""

INTERNAL: Final = "internal"
"""The broker failed; nothing was committed, though a client has no proof of that."""

log = logging.getLogger(__name__)

type Message = Mapping[str, object]
"""A request, or a plan of misbehaviour."""


class SocketTaken(Exception):
    """Another process answers on the socket, or the path cannot be bound."""


class Server:
    """Serves one broker on a Unix socket.

    Parameters
    ----------
    broker : Broker
        What carries out requests.
    store : Store
        Where missed events are read from.
    path : Path
        The socket, made with mode 0600.
    idle_exit : float
        End when no client has been connected for so many seconds; 0: never.
    misbehave : callable, optional
        Takes plans of misbehaviour instead; then the messages on this socket are never hit.
    """

    def __init__(
        self,
        broker: Broker,
        store: Store,
        path: Path,
        *,
        idle_exit: float,
        misbehave: Callable[[Message], None] | None = None,
    ) -> None:
        self._elsewhere = misbehave
        self._broker = broker
        self._store = store
        self._path = path
        self._idle_exit = idle_exit
        self._faults = Faults()
        self._connections: dict[int, Connection] = {}
        self._accepted = 0
        self._subscriptions = 0
        self._listener: asyncio.Server | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._stop = asyncio.Event()

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        SocketTaken
            When the path is in use or cannot be used.
        """
        self._listener = await asyncio.start_unix_server(
            self._serve, sock=listening(self._path), limit=_LINE_LIMIT
        )
        self._watch_idle()

    async def run(self) -> None:
        """Serve until told to stop."""
        await self._stop.wait()
        self._close_listener()
        for connection in list(self._connections.values()):
            connection.close()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        connection = Connection(self._accepted, writer)
        self._connections[connection.number] = connection
        self._watch_idle()
        try:
            while line := await reader.readline():
                self._receive(connection, line)
        except (ConnectionError, ValueError):  # ValueError: a line longer than the limit
            pass
        finally:
            del self._connections[connection.number]
            connection.close()
            self._watch_idle()

    def _receive(self, connection: Connection, line: bytes) -> None:
        try:
            message = json.loads(line)
            if not isinstance(message, dict) or not isinstance(message.get("op"), str):
                raise BadRequest("a request is an object with id and op")
        except (ValueError, BadRequest) as error:
            connection.answer(
                {}, {"ok": False, "code": BAD_REQUEST, "error": f"not understood: {error}"}
            )
            return
        decision = self._faults.decide(message["op"])
        if decision.fault == DROP_REQUEST:
            return
        if decision.fault == DISCONNECT_BEFORE:
            self._break(connection, decision.refuse)
        elif decision.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(decision.delay, self._execute, connection, message, decision)
        else:
            self._execute(connection, message, decision)

    def _execute(self, connection: Connection, message: Message, decision: Decision) -> None:
        """Process a message, even when its sender has gone, and answer as decided.

        Commands are answered before their events, everything else after: whoever tells the
        market has its fills when the reply comes.
        """
        reply = self._process(connection, message, decision)
        first = message["op"] in COMMANDS
        if not first:
            self._publish()
        match decision.fault:
            case fault if fault == DROP_RESPONSE:
                pass
            case fault if fault == LATE_RESPONSE:
                loop = asyncio.get_running_loop()
                loop.call_later(decision.late, connection.answer, message, reply)
            case fault if fault == DISCONNECT_AFTER:
                self._break(connection, decision.refuse)
            case _:
                connection.answer(message, reply)
        if first:
            self._publish()

    def _process(
        self, connection: Connection, message: Message, decision: Decision
    ) -> dict[str, object]:
        injected = "injected rejection" if decision.fault == REJECT else ""
        try:
            reply = self._control(connection, message)
            if reply is None:
                op = str(message["op"])
                reply = self._broker.handle(op, message, pieces=decision.pieces, injected=injected)
        except BadRequest as error:
            return {"ok": False, "code": BAD_REQUEST, "error": str(error), "seq": self._broker.seq}
        except Exception as error:
            log.exception("request failed: %s", message.get("op"))
            return {"ok": False, "code": INTERNAL, "error": repr(error), "seq": self._broker.seq}
        return {"ok": True, **reply, "seq": self._broker.seq}

    def _control(self, connection: Connection, message: Message) -> dict[str, object] | None:
        """Carry out what concerns the server itself; None for requests to the broker."""
        match message["op"]:
            case "hello":
                return self._broker.handle("hello", message) | {"pid": os.getpid()}
            case "subscribe":
                return self._subscribe(connection, message)
            case "misbehave":
                return self._misbehave(message)
            case "reset_faults":
                return self._misbehave({"plan": {}})
            case "shutdown":
                asyncio.get_running_loop().call_soon(self.stop)
                return {}
        return None

    def _subscribe(self, connection: Connection, message: Message) -> dict[str, object]:
        first = message.get("from", self._broker.seq + 1)
        if not isinstance(first, int) or first < 1:
            raise BadRequest(f"from must be an event number from 1, not {first!r}")
        connection.flush()
        for _, line in self._store.events(first):
            connection.replay(line)
        self._subscriptions += not connection.subscription
        connection.subscription = connection.subscription or self._subscriptions
        return {}

    def _misbehave(self, message: Message) -> dict[str, object]:
        plan = message.get("plan", {})
        if not isinstance(plan, dict):
            raise BadRequest("plan must be an object")
        if self._elsewhere is not None:
            self._elsewhere(plan)
            return {}
        self._faults = Faults(plan)
        if plan.get("disconnect_now"):
            asyncio.get_running_loop().call_soon(self._break_all)
        return {}

    def _publish(self) -> None:
        for seq, line in self._broker.take_events():
            for connection in self._connections.values():
                if connection.subscription:
                    connection.event(seq, line, self._faults)

    def _break_all(self) -> None:
        for connection in list(self._connections.values()):
            connection.close()
        self._refuse(self._faults.refuse_seconds)

    def _break(self, connection: Connection, refuse: float) -> None:
        connection.abort()
        self._refuse(refuse)

    def _refuse(self, seconds: float) -> None:
        """Listen to nobody for a while; connections that are there stay."""
        if not seconds or self._listener is None:
            return
        self._close_listener()
        asyncio.get_running_loop().call_later(seconds, self._listen_again)

    def _listen_again(self) -> None:
        if not self._stop.is_set():
            self._reopening = asyncio.create_task(self.start(), name="simbroker listen again")

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._path.unlink(missing_ok=True)

    def _watch_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._idle_exit and not self._connections:
            self._idle = asyncio.get_running_loop().call_later(self._idle_exit, self.stop)


def listening(path: Path) -> socket.socket:
    """Return a listening Unix socket with mode 0600, replacing one that nobody serves.

    Raises
    ------
    SocketTaken
        When somebody answers there, or the path is no socket or cannot be bound.
    """
    if path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise SocketTaken(f"{path} is there and no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                path.unlink(missing_ok=True)
            else:
                raise SocketTaken(f"another process serves {path}")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise SocketTaken(f"cannot bind {path}: {error}") from None
    finally:
        os.umask(before)
    made.listen(_BACKLOG)
    return made
