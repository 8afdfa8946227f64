"""One client's connection: lines out, and the events it subscribed to with their faults."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from tradingd.simbroker.faults import Faults

_FLUSH_SECONDS: Final = 0.05
"""An event that was held back to be overtaken is sent at the latest after this."""

_BUFFER_LIMIT: Final = 64 * 1024 * 1024


class Connection:
    """The writing half of a connection.

    Parameters
    ----------
    number : int
        Number of the connection since the broker started.
    writer : asyncio.StreamWriter
        Where lines go.

    Attributes
    ----------
    subscription : int
        Number of its subscription, 0 while it hears no events.
    """

    def __init__(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.subscription = 0
        self._writer = writer
        self._held: list[tuple[int, str]] = []
        self._flush: asyncio.TimerHandle | None = None

    @property
    def gone(self) -> bool:
        """True when nothing can be written any more."""
        return self._writer.transport.is_closing()

    def answer(self, request: Mapping[str, object], reply: Mapping[str, object]) -> None:
        """Send a reply with the id of its request."""
        self._send(json.dumps({"id": request.get("id"), **reply}, separators=(",", ":")))

    def event(self, seq: int, line: str, faults: Faults) -> None:
        """Send an event, or let it be lost, repeated, or overtaken by later ones."""
        copies, held = faults.event(seq, self.subscription)
        if held and copies:
            self._held.append((held, line))
            self._arm()
            copies -= 1
        for _ in range(copies):
            self._send(line)
        if not held:
            self._release()

    def _release(self) -> None:
        """Count an event that overtook those held back, and send what has been overtaken enough."""
        self._held = [(left - 1, line) for left, line in self._held]
        for left, line in self._held:
            if left <= 0:
                self._send(line)
        self._held = [(left, line) for left, line in self._held if left > 0]

    def _arm(self) -> None:
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Send what is held back."""
        self._flush = None
        held, self._held = self._held, []
        for _, line in held:
            self._send(line)

    def replay(self, line: str) -> None:
        """Send an event that was missed, as it is."""
        self._send(line)

    def _send(self, line: str) -> None:
        if self.gone:
            return
        self._writer.write(line.encode() + b"\n")
        if self._writer.transport.get_write_buffer_size() > _BUFFER_LIMIT:
            self.abort()

    def abort(self) -> None:
        """Break the connection; what was not sent yet is lost."""
        if self._flush is not None:
            self._flush.cancel()
        self._writer.transport.abort()

    def close(self) -> None:
        """End the connection after what is written."""
        if self._flush is not None:
            self._flush.cancel()
        self._writer.close()
