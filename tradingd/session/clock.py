"""Session time: the data's time in a replay, the wall's in live trading; nothing calls `now()`.

Timers of a replay fire from data time, in the order they are due, before the data that passes
them is delivered. So a replayed day opens, blacks out and flattens when its data says so.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

type Action = Callable[[], None]


class Timer:
    """A timer that was set; `cancel` makes it never fire."""

    def __init__(self, ts: int, label: str, action: Action) -> None:
        self.ts = ts
        self.label = label
        self.action = action
        self.cancelled = False
        self._handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Forget it."""
        self.cancelled = True
        if self._handle is not None:
            self._handle.cancel()

    def bind(self, handle: asyncio.TimerHandle) -> None:
        """Take the loop's handle, so that a cancel frees it."""
        self._handle = handle


class SessionClock(Protocol):
    """What session logic knows of time."""

    def now(self) -> int:
        """Return session time, UTC ns."""
        ...

    def call_at(self, ts: int, label: str, action: Action) -> Timer:
        """Call `action` once session time reaches `ts`; at once (next turn) when it has passed."""
        ...


class ReplayClock:
    """Data time; `advance` moves it and fires what is due.

    Parameters
    ----------
    start : int
        Data time to begin with, UTC ns.
    """

    def __init__(self, start: int = 0) -> None:
        self._now = start
        self._numbers = itertools.count()
        self._due: list[tuple[int, int, Timer]] = []

    def now(self) -> int:
        """Return the data time reached."""
        return self._now

    def call_at(self, ts: int, label: str, action: Action) -> Timer:
        """Fire when `advance` passes `ts`."""
        timer = Timer(ts, label, action)
        heapq.heappush(self._due, (ts, next(self._numbers), timer))
        return timer

    def advance(self, ts: int) -> None:
        """Move to `ts`, firing timers due at or before it in time order, each at its own time.

        Timers set by an action and due by then fire too. Time never goes back.
        """
        while self._due and self._due[0][0] <= ts:
            due, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, due)
            if not timer.cancelled:
                timer.action()
        self._now = max(self._now, ts)


class WallClock:
    """Wall time on the running loop; long waits are split so that a clock step is noticed."""

    _LONGEST = 60.0

    def now(self) -> int:
        """Return the time of day, UTC ns."""
        return time.time_ns()

    def call_at(self, ts: int, label: str, action: Action) -> Timer:
        """Fire at `ts` by the wall clock."""
        timer = Timer(ts, label, action)
        self._arm(timer)
        return timer

    def _arm(self, timer: Timer) -> None:
        if timer.cancelled:
            return
        wait = (timer.ts - self.now()) / 1e9
        loop = asyncio.get_running_loop()
        if wait <= 0:
            timer.bind(loop.call_later(0, self._fire, timer))
        else:
            timer.bind(loop.call_later(min(wait, self._LONGEST), self._arm, timer))

    @staticmethod
    def _fire(timer: Timer) -> None:
        if not timer.cancelled:
            timer.action()
