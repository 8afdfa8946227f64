"""One connection: who it is, whether there is room for it, and how long it may take.

A deadline runs except while a verb is being carried out, so that a client that sends its request a
byte at a time, reads its answer as slowly, or says nothing at all holds its place for seconds.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, cast

import msgspec
from aiohttp import StreamReader, web
from aiohttp.web_protocol import RequestHandler

from tradingd.control.messages import ErrorBody
from tradingd.control.peers import Access, Caller, caller_of
from tradingd.control.refusals import Refusal, body_of, malformed
from tradingd.kits.failure import ExitCode, Failure

_log = logging.getLogger(__name__)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How much one client may take; seconds and counts.

    `head`: from the connect to the end of the request's head. `body`: for its body. `answer`: from
    the answer to the end of the next request's head, so also for reading the answer. `drain`: for a
    reader of the event stream to take what was written. `most` connections, of which `viewers` by
    peers who may only look, so that they cannot keep operators out; `streams` of events.
    """

    head: float = 5.0
    body: float = 5.0
    answer: float = 15.0
    drain: float = 10.0
    half_closed: float = 1.0
    most: int = 64
    viewers: int = 40
    streams: int = 16
    body_bytes: int = 65_536
    head_bytes: int = 8_190


class Door:
    """Counts who is in, and lets in or turns away."""

    def __init__(self, access: Access, patience: Patience) -> None:
        self.access = access
        self.patience = patience
        self.inside: dict[Connection, None] = {}
        self.turned_away = 0

    def admit(self, connection: "Connection") -> Refusal | None:
        """Take note of a connection, or say why there is no room.

        In a full house the oldest that has not said a word makes room: who has something to say,
        such as halt, is not kept out by who has not.
        """
        if not self.access.may_act(connection.caller) and self._looking() >= self.patience.viewers:
            return self._full(HTTPStatus.TOO_MANY_REQUESTS, self.patience.viewers)
        if len(self.inside) >= self.patience.most:
            silent = next((one for one in self.inside if one.silent), None)
            if silent is None:
                return self._full(HTTPStatus.SERVICE_UNAVAILABLE, self.patience.most)
            self.leave(silent)
            silent.abort()
            self.turned_away += 1
        self.inside[connection] = None
        return None

    def leave(self, connection: "Connection") -> None:
        """Make room."""
        self.inside.pop(connection, None)

    def _looking(self) -> int:
        return sum(not self.access.may_act(one.caller) for one in self.inside)

    def _full(self, status: HTTPStatus, most: int) -> Refusal:
        self.turned_away += 1
        failure = Failure(
            "too many connections",
            code=ExitCode.REFUSED,
            expected=f"at most {most} at a time",
            next_step="close some, or try again in a few seconds",
        )
        return Refusal(status, failure)


class Connection(RequestHandler):
    """HTTP on one Unix connection, with a known peer and deadlines.

    Parameters
    ----------
    server : web.Server
        Handles the requests.
    door : Door
        Shared by all connections.
    """

    def __init__(self, server: web.Server, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        patience = door.patience
        options: dict[str, Any] = {
            # Polled twice a second: an access log would drown what matters.
            "access_log": None,
            "tcp_keepalive": False,
            "keepalive_timeout": patience.answer,
            "lingering_time": patience.half_closed,
            "max_line_size": patience.head_bytes,
            "max_field_size": patience.head_bytes,
            # A small body must not unfold into a large one.
            "auto_decompress": False,
        }
        super().__init__(server, loop=loop, **options)
        self.caller: Caller
        self.stream: asyncio.Task[web.StreamResponse] | None = None
        self.body: StreamReader | None = None
        self._door = door
        self._clock = loop
        self._deadline: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport | None = None
        self._asked = False
        self._half_closed = False
        self._turned_away = False

    @property
    def silent(self) -> bool:
        """Whether nothing has come since the connect, or since the last answer."""
        return self._deadline is not None and not self._asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look who it is; let it in or turn it away."""
        # Not isinstance: uvloop's transports are asyncio's in all but their class.
        self._wire = wire = cast("asyncio.Transport", transport)
        self.caller = caller_of(wire.get_extra_info("socket"))
        refusal = self._door.admit(self)
        if refusal is not None:
            self._turned_away = True
            wire.write(_raw(refusal))
            wire.close()
            return
        self._allow(self._door.patience.head)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room."""
        self._end_deadline()
        self._door.leave(self)
        if self.stream is not None:
            self.stream.cancel()
        if not self._turned_away:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless there was no room."""
        if not self._turned_away:
            self._asked = True
            super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the way back open for who has asked all it wants and still reads its answer."""
        self._half_closed = True
        if self.stream is not None:
            self.stream.cancel()
        if self.body is not None and not self.body.is_eof():
            # The rest of the request will never come.
            self.abort()
        if self._deadline is not None and self._asked:
            self._allow(self._door.patience.half_closed)
        return self._asked and not self._turned_away

    def begin(self) -> None:
        """Stop the deadline: from here on it is us who take the time."""
        self._end_deadline()

    def end(self) -> None:
        """Give the client time to read the answer and to ask again."""
        patience = self._door.patience
        self._asked = False
        self._allow(patience.half_closed if self._half_closed else patience.answer)

    def abort(self) -> None:
        """Drop the connection, with whatever was not sent yet."""
        if self._wire is not None:
            self._wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP as JSON, in one line, without a traceback in the log."""
        _log.info("not understood from uid %d: %s", self.caller.peer.uid, message or exc)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            failure = Failure("the control server failed", code=ExitCode.BUG, found=repr(exc))
        else:
            first = (message or "").strip().partition("\n")[0]
            failure = malformed("the request is not HTTP that this understands", found=first)
        return answer(HTTPStatus(status), body_of(failure), close=True)

    def _allow(self, seconds: float) -> None:
        self._end_deadline()
        self._deadline = self._clock.call_later(seconds, self.abort)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def answer(status: HTTPStatus, body: msgspec.Struct, *, close: bool = False) -> web.Response:
    """Return a JSON response that ends with a newline, for people with `curl`."""
    encoded = msgspec.json.encode(body) + b"\n"
    response = web.Response(status=status, body=encoded, content_type="application/json")
    if close:
        response.force_close()
    return response


def _raw(refusal: Refusal) -> bytes:
    """Return a whole response for a connection that is not parsed."""
    body: ErrorBody = body_of(refusal.failure)
    encoded = msgspec.json.encode(body) + b"\n"
    head = (
        f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(encoded)}\r\n"
        "Connection: close\r\nRetry-After: 5\r\n\r\n"
    )
    return head.encode() + encoded
