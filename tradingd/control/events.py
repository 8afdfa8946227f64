"""The event stream's memory: a ring of the latest events that every reader walks at its own pace.

A publisher never waits: it appends and goes on. A reader that is overtaken is told how many events
it missed and goes on with the oldest that is kept, so memory is bounded whoever reads.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from itertools import islice

from tradingd.control.answers import Event

MISSED = "missed"
"""Kind of the line that says how many events a reader did not get."""


class EventHub:
    """Numbered events, kept up to `capacity`; used on one event loop.

    Parameters
    ----------
    capacity : int
        Events kept for readers that are behind.
    first : int
        Number of the first event. A daemon passes its start time in milliseconds, so that numbers
        go on rising over a restart and a reader can resume.
    """

    def __init__(self, *, capacity: int = 4096, first: int = 1) -> None:
        self._ring: deque[Event] = deque(maxlen=capacity)
        self._first = first
        self._next = first
        self._grown = asyncio.Event()

    def publish(
        self,
        kind: str,
        text: str,
        *,
        wall: int,
        ts: int = 0,
        fields: Mapping[str, str] | None = None,
    ) -> int:
        """Append one event and return its number; never waits.

        Parameters
        ----------
        wall, ts : int
            When it happened here, and in data time; UTC ns.
        """
        event = Event(
            seq=self._next, kind=kind, text=text, wall=wall, ts=ts, fields=dict(fields or {})
        )
        self._next += 1
        self._ring.append(event)
        self._grown.set()
        self._grown = asyncio.Event()
        return event.seq

    def latest(self, count: int) -> list[Event]:
        """Return up to so many of the latest events, oldest first."""
        return list(islice(self._ring, max(len(self._ring) - count, 0), None))

    async def subscribe(self, after: int) -> AsyncIterator[Event]:
        """Yield the events after number `after` (negative: that many of the latest), then new ones.

        It never ends by itself.
        """
        seen = self._start(after)
        while True:
            oldest = self._ring[0].seq if self._ring else self._next
            if seen < oldest - 1:
                yield self._gap(seen, oldest)
                seen = oldest - 1
            # A slice of its own: the ring may turn while the reader holds an event.
            for event in list(islice(self._ring, seen + 1 - oldest, seen + 129 - oldest)):
                seen = event.seq
                yield event
            if seen >= self._next - 1:
                await self._grown.wait()

    def _start(self, after: int) -> int:
        if after < 0:
            return max(self._next - 1 + after, self._oldest() - 1)
        # Nothing was missed by who asks for all that is kept; a number of the future is no number.
        return self._oldest() - 1 if after == 0 else min(after, self._next - 1)

    def _oldest(self) -> int:
        return self._ring[0].seq if self._ring else self._next

    def _gap(self, seen: int, oldest: int) -> Event:
        wall = self._ring[0].wall if self._ring else 0
        if seen < self._first - 1:
            text = "the daemon was started again; events of before are in its journal"
            missed = oldest - self._first
        else:
            missed = oldest - seen - 1
            text = f"{missed} events missed: they are no longer kept"
        return Event(
            seq=oldest - 1, kind=MISSED, text=text, wall=wall, fields={"missed": str(missed)}
        )
