"""The control server: HTTP and JSON on a Unix socket, one verb a path."""

import asyncio
import logging
import os
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from tradingd.control import acting, stream
from tradingd.control import messages as m
from tradingd.control.answers import Done
from tradingd.control.connection import Connection, Door, Patience, answer
from tradingd.control.listening import identity, open_own
from tradingd.control.operator import Operator
from tradingd.control.peers import Access
from tradingd.control.reading import decode, query_of, read_body
from tradingd.control.refusals import Refusal, body_of, malformed, status_of
from tradingd.control.verbs import ACTING, EVENTS, LOOKING, Acting, Looking, index
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

_log = logging.getLogger(__name__)

_LOOKING: Final = {verb.path: verb for verb in LOOKING}
_ACTING: Final = {verb.path: verb for verb in ACTING}
_METHODS: Final = {
    path: {*(["GET"] if path in _LOOKING or path in ("/", EVENTS) else []),
           *(["POST"] if path in _ACTING else [])}
    for path in ("/", EVENTS, *_LOOKING, *_ACTING)
}  # fmt: skip
_BACKLOG: Final = 256


class ControlServer:
    """Serves an `Operator` to the people of this machine.

    Parameters
    ----------
    operator : Operator
        The daemon; its methods run on this event loop.
    socket : socket or Path
        A listening socket that systemd passed (left in place at the end), or where to make one.
    viewers_gid, operators_gid : int, optional
        Groups who may look, and who may also act. None: the daemon's own user and root only.
    patience : Patience, optional
        Deadlines and bounds.
    """

    def __init__(
        self,
        operator: Operator,
        *,
        socket: socket.socket | Path,
        viewers_gid: int | None = None,
        operators_gid: int | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._operator = operator
        self._socket = socket
        self._file_gid = operators_gid if viewers_gid is None else viewers_gid
        self._patience = patience or Patience()
        access = Access(own_uid=os.geteuid(), viewers=viewers_gid, operators=operators_gid)
        self._door = Door(access, self._patience)
        self._acts: set[asyncio.Task[Done]] = set()
        self._streams: set[asyncio.Task[web.StreamResponse]] = set()
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._made: tuple[Path, tuple[int, int] | None] | None = None
        self._stopping = False

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._door.inside)

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        Failure
            ``SECOND_INSTANCE`` when a daemon answers at the path; ``CONFIG`` when the path cannot
            be a socket.
        """
        loop = asyncio.get_running_loop()
        self._server = server = web.Server(self._handle)
        self._listener = await loop.create_unix_server(
            lambda: Connection(server, self._door, loop),
            sock=self._bound(),
            backlog=_BACKLOG,
            # Ours is removed by hand at the end; systemd's must stay.
            cleanup_socket=False,
        )

    async def stop(self, grace: float = 10.0) -> None:
        """Stop listening, let acting verbs end for `grace` seconds, then close every connection."""
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        self._remove_own()
        if self._acts:
            await asyncio.wait(set(self._acts), timeout=grace)
        left = {*self._acts, *self._streams}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1.0)
        if self._server is not None:
            await self._server.shutdown(timeout=1.0)

    def _bound(self) -> socket.socket:
        if not isinstance(self._socket, Path):
            return self._socket
        own = open_own(self._socket, self._file_gid)
        self._made = (self._socket, identity(self._socket))
        return own

    def _remove_own(self) -> None:
        """Remove the socket file, unless another daemon has put its own there meanwhile."""
        if self._made is None:
            return
        path, made = self._made
        self._made = None
        if identity(path) == made:
            path.unlink(missing_ok=True)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.begin()
        try:
            # A turn of the loop a request: a client with many in a row leaves it to others.
            await asyncio.sleep(0)
            return await self._dispatch(request, connection)
        except Refusal as refusal:
            close = refusal.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return answer(refusal.status, body_of(refusal.failure), close=close)
        except Failure as failure:
            return answer(status_of(failure), body_of(failure))
        except ConnectionError:
            # The client went away in the middle of its request.
            raise
        except Exception as error:  # noqa: BLE001 - one bad verb must not end the server
            _log.exception("the control verb %s failed", request.path)
            bug = Failure(
                "the daemon failed to answer; this is a bug",
                code=ExitCode.BUG,
                where=request.path,
                found=repr(error),
                next_step="look at the daemon's log",
            )
            return answer(HTTPStatus.INTERNAL_SERVER_ERROR, body_of(bug))
        finally:
            connection.end()

    async def _dispatch(
        self, request: web.BaseRequest, connection: Connection
    ) -> web.StreamResponse:
        path, method = request.path, request.method
        self._check_route(path, method)
        if not self._door.access.may_look(connection.caller):
            raise _forbidden("looking", connection.caller.peer)
        if method == "POST":
            done = await self._act(_ACTING[path], request, connection)
            return answer(HTTPStatus.OK, done)
        if path == "/":
            return answer(HTTPStatus.OK, index(self._operator.instance))
        if path == EVENTS:
            return await self._stream(request, connection)
        return answer(HTTPStatus.OK, await self._look(_LOOKING[path], request))

    def _check_route(self, path: str, method: str) -> None:
        methods = _METHODS.get(path)
        if methods is None:
            close = nearest(path, list(_METHODS))
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                malformed(
                    "no such verb",
                    found=path[:200],
                    next_step=f"did you mean {close}?" if close else "GET / lists the verbs",
                ),
            )
        if method not in methods:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                malformed(
                    "this verb is asked otherwise",
                    where=path,
                    expected=" or ".join(sorted(methods)),
                    found=method[:20],
                ),
            )

    async def _look(self, verb: Looking, request: web.BaseRequest) -> m.Message:
        return await verb.look(self._operator, query_of(request, verb.query))

    async def _act(self, verb: Acting, request: web.BaseRequest, connection: Connection) -> Done:
        peer = connection.caller.peer
        if not self._door.access.may_act(connection.caller):
            acting.refused_by_permission(self._operator, verb, peer)
            raise _forbidden(verb.name, peer)
        connection.body = request.content
        try:
            asked = decode(await read_body(request, self._patience), verb.request)
        finally:
            connection.body = None
        if self._stopping:
            raise Failure("the daemon is stopping", code=ExitCode.REFUSED)
        # A task of its own, and shielded: a client that goes away takes back nothing.
        task = asyncio.create_task(
            acting.act(self._operator, verb, asked, peer), name=f"control-{verb.name}"
        )
        self._acts.add(task)
        task.add_done_callback(self._acted)
        return await asyncio.shield(task)

    def _acted(self, task: asyncio.Task[Done]) -> None:
        self._acts.discard(task)
        # Read here, so that one whose client went away is not reported as never looked at.
        if not task.cancelled():
            task.exception()

    async def _stream(self, request: web.BaseRequest, connection: Connection) -> web.StreamResponse:
        query: Any = query_of(request, m.EventsQuery)
        if len(self._streams) >= self._patience.streams:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                Failure(
                    "too many readers of the event stream",
                    code=ExitCode.REFUSED,
                    expected=f"at most {self._patience.streams} at a time",
                ),
            )
        events = self._operator.events(query.after)
        task = asyncio.create_task(
            stream.send(request, events, follow=query.follow, drain=self._patience.drain),
            name="control-events",
        )
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)
        connection.stream = task
        try:
            return await task
        except (TimeoutError, asyncio.CancelledError) as error:
            # Half an answer is out: nothing can be said any more, the reader sees the end.
            connection.abort()
            raise ConnectionResetError("the stream's reader is let go") from error
        finally:
            connection.stream = None


def _forbidden(what: str, peer: m.Peer) -> Failure:
    return Failure(
        f"{what} is not for this user",
        code=ExitCode.FORBIDDEN,
        expected="a member of the operators' group, the daemon's own user or root"
        if what != "looking"
        else "a member of the viewers' or operators' group, the daemon's own user or root",
        found=f"{peer.name} (uid {peer.uid})",
        next_step="ask an administrator to add you to the group, then log in again",
    )
