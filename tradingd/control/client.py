"""Ask a daemon over its control socket, with the standard library alone.

A daemon that restarts closes connections and, under systemd, its socket is made again: what was
reset is asked again for a while. A request that may have been carried out already is repeated only
when doing it twice is the same as doing it once.
"""

import http.client
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec

from tradingd.control import messages as m
from tradingd.control.answers import Done, Event
from tradingd.control.location import socket_paths
from tradingd.control.refusals import failure_of
from tradingd.kits.failure import ExitCode, Failure

RESTART_SECONDS: Final = 10.0
"""How long a daemon that was there may take to come back (RestartSec= and the start of Python)."""

STREAM_SECONDS: Final = 40.0
"""Silence of the event stream beyond which the daemon hangs: it writes at least every 15 s."""

_PAUSE: Final = 0.1
_BUSY: Final = 503
_GONE: Final = (ConnectionResetError, BrokenPipeError, http.client.IncompleteRead)
"""Somebody was there and went away; `RemoteDisconnected` is a ConnectionResetError."""

_ABSENT: Final = (FileNotFoundError, ConnectionRefusedError, NotADirectoryError)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect the socket."""
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(self.timeout)
        try:
            link.connect(str(self._path))
        except BaseException:
            link.close()
            raise
        self.sock = link


class ControlClient:
    """The control socket of one instance, asked synchronously.

    Parameters
    ----------
    instance : str
        Name of the instance.
    paths : sequence of Path, optional
        Where its socket may be, tried in order; by default the system's place, then the user's.
    timeout : float
        Seconds to wait for the daemon's answer.
    wait : float, optional
        Seconds to wait for a daemon that is not there. None: not at all, unless it went away
        between two attempts (a restart), then `RESTART_SECONDS`.
    """

    def __init__(
        self,
        instance: str,
        *,
        paths: Sequence[Path] | None = None,
        timeout: float = 10.0,
        wait: float | None = None,
    ) -> None:
        self.instance = instance
        self._paths = list(paths or socket_paths(instance, os.environ))
        self._timeout = timeout
        self._wait = wait

    def get[A: m.Message](
        self, verb: str, kind: type[A], query: Mapping[str, object] | None = None
    ) -> A:
        """Look: return the answer of ``GET /v1/VERB``.

        Raises
        ------
        Failure
            ``NO_DAEMON``, ``FORBIDDEN``, or what the daemon refuses with its code.
        """
        return _decoded(self._ask("GET", _target(verb, query), b"", True), kind)

    def post(self, verb: str, request: m.Request, *, again: bool = False) -> Done:
        """Act: return what ``POST /v1/VERB`` changed.

        Parameters
        ----------
        again : bool
            Whether doing it twice is the same as doing it once, so that it may be repeated when
            the daemon went away before it answered.
        """
        body = msgspec.json.encode(request)
        return _decoded(self._ask("POST", _target(verb), body, again), Done)

    def events(self, after: int, *, follow: bool) -> Iterator[Event]:
        """Yield events as they come; over a restart of the daemon it resumes where it was."""
        while True:
            query = {"after": after, "follow": str(follow).lower()}
            link = self._patiently(
                "GET", _target("events", query), b"", True, timeout=STREAM_SECONDS
            )
            try:
                for line in _lines(link):
                    event = _decoded(line, Event)
                    after = event.seq
                    yield event
            except TimeoutError as error:
                raise self._no_answer(f"silent for {STREAM_SECONDS:g} s") from error
            except _GONE:
                # The next request waits for the daemon to come back.
                pass
            finally:
                link.close()
            if not follow:
                return
            time.sleep(_PAUSE)

    def _ask(self, method: str, target: str, body: bytes, again: bool) -> bytes:
        link = self._patiently(method, target, body, again)
        try:
            return link.read()
        except TimeoutError as error:
            acts = method == "POST"
            raise self._no_answer("the answer stops in the middle", acts=acts) from error
        except _GONE as error:
            raise self._uncertain() from error
        finally:
            link.close()

    def _patiently(
        self, method: str, target: str, body: bytes, again: bool, *, timeout: float | None = None
    ) -> "_Answer":
        """Return the answer's beginning, asking again while the daemon restarts."""
        began = time.monotonic()
        patience = self._wait
        while True:
            try:
                answer = self._once(method, target, body, again, timeout or self._timeout)
            except _GONE as error:
                patience = RESTART_SECONDS if self._wait is None else self._wait
                problem = self._no_answer(str(error) or type(error).__name__)
            except _ABSENT:
                problem = self._no_daemon()
            else:
                if answer.status != _BUSY:
                    return answer.accepted()
                patience = RESTART_SECONDS if self._wait is None else self._wait
                problem = answer.failure()
            if patience is None or time.monotonic() - began > patience:
                raise problem
            time.sleep(_PAUSE)

    def _once(
        self, method: str, target: str, body: bytes, again: bool, timeout: float
    ) -> "_Answer":
        link = self._connect(timeout)
        sent = False
        try:
            head = {"Content-Type": "application/json"} if body else {}
            link.request(method, target, body=body or None, headers=head)
            sent = True
            return _Answer(link, link.getresponse())
        except TimeoutError as error:
            link.close()
            acts = sent and method == "POST"
            raise self._no_answer(f"none within {timeout:g} s", acts=acts) from error
        except _GONE as error:
            link.close()
            if sent and not again:
                raise self._uncertain() from error
            raise
        except http.client.HTTPException as error:
            link.close()
            raise self._no_answer(f"no HTTP: {error!r}") from error

    def _connect(self, timeout: float) -> UnixConnection:
        """Connect the first socket that takes it."""
        refused: OSError = FileNotFoundError()
        for path in self._paths:
            link = UnixConnection(path, timeout)
            try:
                link.connect()
            except _ABSENT as error:
                refused = error
            except PermissionError as error:
                raise self._forbidden(path) from error
            except BlockingIOError as error:
                # Its queue of connections is full: as good as reset.
                raise ConnectionResetError("its queue of connections is full") from error
            else:
                return link
        raise refused

    def _places(self) -> str:
        return " or ".join(map(str, self._paths))

    def _no_daemon(self) -> Failure:
        return Failure(
            f"no daemon of instance {self.instance} listens",
            code=ExitCode.NO_DAEMON,
            where=self._places(),
            next_step=f"systemctl start tradingd@{self.instance}, or: tradingd run",
        )

    def _no_answer(self, found: str, *, acts: bool = False) -> Failure:
        """Return that nothing came; `acts`: a request to do something is with the daemon."""
        daemon = f"the daemon of instance {self.instance} does not answer"
        look = f"tradingctl -i {self.instance}"
        first = (
            f"{look} events shows how it ends" if acts else f"{look} status: it may still be at it"
        )
        return Failure(
            f"{daemon}; it may still be at it, and do what was asked" if acts else daemon,
            code=ExitCode.NO_DAEMON,
            where=self._places(),
            found=found,
            next_step=f"{first} (wait longer with --timeout); if it hangs with open positions:"
            f" tradingd kill --instance {self.instance} --reason WHY",
        )

    def _uncertain(self) -> Failure:
        return Failure(
            "the daemon went away before it answered; it may have done it or not",
            code=ExitCode.NO_DAEMON,
            where=self._places(),
            next_step="tradingctl status, tradingctl audit tail",
        )

    def _forbidden(self, path: Path) -> Failure:
        return Failure(
            "this user may not use the control socket",
            code=ExitCode.FORBIDDEN,
            where=str(path),
            next_step="become a member of the socket's group (ls -l shows it) and log in again",
        )


class _Answer:
    """A response whose body is still to be read, with the connection it comes over."""

    def __init__(self, link: UnixConnection, response: http.client.HTTPResponse) -> None:
        self._link = link
        self._response = response
        self.status = response.status

    def accepted(self) -> "_Answer":
        """Return itself, or raise what the daemon refused."""
        if self.status != http.client.OK:
            raise self.failure()
        return self

    def failure(self) -> Failure:
        """Return the refusal in the body, and let the connection go."""
        try:
            return failure_of(msgspec.json.decode(self._response.read(), type=m.ErrorBody))
        except msgspec.MsgspecError:
            found = f"{self.status} {self._response.reason}"
            return Failure("the answer is not the daemon's", code=ExitCode.REFUSED, found=found)
        finally:
            self.close()

    def read(self) -> bytes:
        """Return the rest of the body."""
        return self._response.read()

    def readline(self) -> bytes:
        """Return the next line; empty at the end."""
        return self._response.readline()

    def close(self) -> None:
        """Let the connection go."""
        self._response.close()
        self._link.close()


def _decoded[A: m.Message](answer: bytes, kind: type[A]) -> A:
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Failure(
            "the daemon's answer does not fit",
            code=ExitCode.REFUSED,
            where=kind.__name__,
            found=str(error),
            next_step="use the tradingctl of the daemon's version (tradingctl --version)",
        ) from error


def _lines(answer: _Answer) -> Iterator[bytes]:
    while line := answer.readline():
        if line.strip():
            yield line


def _target(verb: str, query: Mapping[str, object] | None = None) -> str:
    return f"/v{m.VERSION}/{verb}" + (f"?{urlencode(query)}" if query else "")
