"""The running list of what happened, for the operator's event stream."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from tradingd.control.messages import Event

KEPT: Final = 5_000


class EventLog:
    """Keeps the latest events and lets any number of readers follow; one loop's thread only.

    Parameters
    ----------
    first : int
        Number of the first event.
    """

    def __init__(self, first: int = 1) -> None:
        self._next = first
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._changed = asyncio.Event()

    def add(self, kind: str, text: str, *, wall: int, ts: int = 0, **fields: str) -> Event:
        """Append an event and wake the readers."""
        event = Event(seq=self._next, kind=kind, text=text, wall=wall, ts=ts, fields=fields)
        self._next += 1
        self._kept.append(event)
        self._changed.set()
        return event

    def last(self, count: int) -> list[Event]:
        """Return the latest events, oldest first."""
        return list(self._kept)[-count:]

    async def follow(self, after: int) -> AsyncIterator[Event]:
        """Yield events with a number above `after`, then new ones as they come.

        A reader that falls behind what is kept goes on with the oldest kept: the gap shows in the
        numbers.
        """
        while True:
            fresh = [event for event in self._kept if event.seq > after]
            for event in fresh:
                after = event.seq
                yield event
            if not fresh:
                self._changed.clear()
                await self._changed.wait()
