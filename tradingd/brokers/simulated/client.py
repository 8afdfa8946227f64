"""Transport: requests and replies by id over one connection; nothing here knows of orders."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

LINE_LIMIT: Final = 64 * 1024 * 1024
"""Longest line accepted, bytes: an answer with every order of a long session."""

_TURN: Final = 64
"""Lines between two turns of the loop: what has arrived already is read without waiting."""

type Body = dict[str, object]


class NothingSent(Exception):
    """There was no connection to write to: the broker cannot have the request."""


class Lost(Exception):
    """The connection broke after the request was written: it may have arrived."""


class NoAnswer(Exception):
    """No reply within the time limit: the request may have arrived, or may yet."""


class Client:
    """One connection at a time to a Unix socket with a JSON object per line.

    Parameters
    ----------
    path : Path
        The socket.
    on_event : Callable
        Hears every line that is no reply.
    on_lost : Callable
        Hears at once that the connection is gone, and why.
    """

    def __init__(
        self, path: Path, on_event: Callable[[Body], None], on_lost: Callable[[str], None]
    ) -> None:
        self._path = path
        self._on_event = on_event
        self._on_lost = on_lost
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Body]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        OSError
            When nobody listens.
        """
        reader, self._writer = await asyncio.open_unix_connection(str(self._path), limit=LINE_LIMIT)
        self._lost = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(reader), name="simulated broker reader")

    async def lost(self) -> None:
        """Wait until the connection is gone."""
        assert self._lost is not None
        await asyncio.shield(self._lost)

    async def ask(self, op: str, timeout: float, fields: Mapping[str, object]) -> Body:  # noqa: ASYNC109 - part of the meaning
        """Send a request once and return its reply.

        Raises
        ------
        NothingSent, Lost, NoAnswer
            By what may have happened to the request.
        """
        writer = self._writer
        if writer is None or writer.is_closing():
            raise NothingSent("not connected")
        number = next(self._ids)
        line = msgspec.json.encode({"id": number, "op": op, **fields}) + b"\n"
        reply: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            writer.write(line)
            async with asyncio.timeout(timeout):
                return await reply
        except TimeoutError:
            raise NoAnswer(f"no answer to {op} within {timeout:g} s") from None
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        """Disconnect and wait for the reader's end."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        why = "the broker closed the connection"
        try:
            lines = 0
            while line := await reader.readline():
                self._take(line)
                lines += 1
                if lines % _TURN == 0:
                    await asyncio.sleep(0)
        except OSError as error:
            why = f"the connection broke: {error}"
        except (msgspec.DecodeError, ValueError) as error:
            why = f"the broker sent what is no message: {error}"
        except asyncio.CancelledError:
            why = "disconnected by us"
            raise
        finally:
            self._drop(why)

    def _take(self, line: bytes) -> None:
        body = msgspec.json.decode(line, type=dict[str, object])
        if "id" not in body:
            self._on_event(body)
            return
        waiting = self._waiting.get(body["id"]) if isinstance(body["id"], int) else None
        # A reply that comes after its time limit finds nobody; the events tell what it would.
        if waiting is not None and not waiting.done():
            waiting.set_result(body)

    def _drop(self, why: str) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(Lost(why))
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
            self._on_lost(why)
