"""Frames on their way to one client; a task writes them."""

import asyncio
import contextlib
from typing import Final

from aiohttp import WSCloseCode, web

_MOST_WAITING: Final = 10_000
_FEW: Final = 100
_CLOSING_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.05


class Outbox:
    """Sends frames in order.

    Parameters
    ----------
    socket : web.WebSocketResponse
        A prepared one.
    binary : bool
        Whether frames are binary.
    transport : asyncio.Transport or None
        Below the socket, to break it.
    """

    def __init__(
        self, socket: web.WebSocketResponse, *, binary: bool, transport: asyncio.Transport | None
    ) -> None:
        self._socket = socket
        self._binary = binary
        self._transport = transport
        self._frames: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._silent = False
        self._ending: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._write(), name="simalpaca-data-writer")

    def put(self, frame: bytes, seconds: float = 0.0) -> bool:
        """Queue a frame, sent in so many seconds at the earliest; False when too many wait."""
        if self._silent or self._ending is not None or self._task.done():
            return True
        if self._frames.qsize() >= _MOST_WAITING:
            return False
        due = asyncio.get_running_loop().time() + seconds if seconds else 0.0
        self._frames.put_nowait((frame, due))
        if self._frames.qsize() > _FEW:
            self._room.clear()
        return True

    def forget(self) -> None:
        """Drop what waits."""
        while not self._frames.empty():
            self._frames.get_nowait()
            self._frames.task_done()

    def last(self) -> None:
        """Close after what waits now."""
        self._ending = asyncio.create_task(self.finish(), name="simalpaca-data-ending")

    def silence(self) -> None:
        """Send nothing from now on, not even what waits."""
        self._silent = True
        self._room.set()

    def cut(self) -> None:
        """Break the TCP connection."""
        self.silence()
        if self._transport is not None:
            self._transport.abort()

    async def gone(self) -> None:
        """Wait until the client has broken the TCP connection."""
        # A transport has nothing to wait on.
        while self._transport is not None and not self._transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def room(self, seconds: float) -> None:
        """Wait until few frames wait, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._room.wait()

    async def finish(self) -> None:
        """Send what waits and close; a client that does not take it is cut off."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                if not self._silent and not self._task.done():
                    await self._frames.join()
                    await self._socket.close(code=WSCloseCode.GOING_AWAY)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._room.set()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                frame, due = await self._frames.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if not self._silent:
                    await self._send(frame)
                self._frames.task_done()
                if self._frames.qsize() < _FEW:
                    self._room.set()
        except ConnectionError:
            # The client is gone; its reader sees that as well and ends the connection.
            self.silence()
            self._frames.task_done()
            self.forget()

    async def _send(self, frame: bytes) -> None:
        if self._binary:
            await self._socket.send_bytes(frame)
        else:
            await self._socket.send_str(frame.decode())
