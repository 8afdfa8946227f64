"""A token bucket with priorities: so many requests a minute, the urgent ones first."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Final

MINUTE: Final = 60.0


class Pace:
    """Hands out permission to send a request; runs on one event loop.

    Parameters
    ----------
    per_minute : int
        Requests that are allowed in a minute.
    clock : Callable
        Monotonic time in seconds, that of the running loop in use.
    burst : int, optional
        Requests that may go at once after a pause; a quarter of `per_minute` by default, so that
        with what is refilled meanwhile no window of a minute exceeds 1.25 times the rate. A server
        that counts calendar minutes is satisfied through `remaining`.

    Notes
    -----
    A waiting request with a lower priority number always goes before one with a higher number;
    among equals, first come first served. A request that is cancelled while it waits takes nothing.
    """

    def __init__(
        self, per_minute: int, *, clock: Callable[[], float], burst: int | None = None
    ) -> None:
        self._interval = MINUTE / per_minute
        self._burst = float(max(1, per_minute // 4 if burst is None else burst))
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()
        self._paused = 0.0
        self._count = itertools.count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, priority: int = 1) -> None:
        """Wait for the turn; 0 goes first."""
        self._refill()
        self._forget()
        if not self._queue and self._tokens >= 1 and not self._pause(priority):
            self._tokens -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._count), turn))
        self._schedule()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The turn had come in the same moment: it is for somebody else.
                self._tokens = min(self._burst, self._tokens + 1)
            self._schedule()
            raise

    def waits(self, priority: int = 1) -> float:
        """Return the seconds that a request made now would wait, as far as can be told."""
        self._refill()
        self._forget()
        ahead = sum(1 for rank, _, _ in self._queue if rank <= priority)
        pause = self._pause(priority)
        tokens = min(1.0, self._tokens + pause / self._interval) if pause else self._tokens
        return pause + max(0.0, ahead + 1 - tokens) * self._interval

    def slow(self, seconds: float, *, urgent: float | None = None) -> None:
        """Let nothing go for so long: the server said that it is too much.

        What has priority 0 tries again after `urgent` seconds, when that is told, and then one by
        one by the rate.
        """
        self._refill()
        first = seconds if urgent is None else min(seconds, urgent)
        # So few that the first one is whole then.
        self._tokens = min(self._tokens, 1 - first / self._interval)
        self._paused = max(self._paused, self._clock() + seconds)
        self._schedule()

    def remaining(self, count: int) -> None:
        """Take the server's count of what may still be sent, when it is lower than ours."""
        self._refill()
        self._tokens = min(self._tokens, float(max(0, count)))

    # -- private ---------------------------------------------------------------------------------

    def _pause(self, priority: int) -> float:
        return 0.0 if priority == 0 else max(0.0, self._paused - self._clock())

    def _refill(self) -> None:
        now, at = self._clock(), self._at
        if at < self._paused <= now:
            # What a pause has saved is no burst for its end.
            self._tokens = min(1.0, self._tokens + (self._paused - at) / self._interval)
            at = self._paused
        self._tokens = min(self._burst, self._tokens + (now - at) / self._interval)
        self._at = now

    def _forget(self) -> None:
        while self._queue and self._queue[0][2].done():
            heapq.heappop(self._queue)

    def _schedule(self) -> None:
        """Wake up when the next request may go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._forget()
        if self._queue:
            tokens = max(0.0, 1 - self._tokens) * self._interval
            wait = max(self._pause(self._queue[0][0]), tokens)
            self._timer = asyncio.get_running_loop().call_later(wait, self._serve)

    def _serve(self) -> None:
        self._timer = None
        self._refill()
        self._forget()
        # Timers fire a little early: a token that is all but whole counts.
        while self._queue and self._tokens >= 1 - 1e-6 and not self._pause(self._queue[0][0]):
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                self._tokens = max(0.0, self._tokens - 1)
                turn.set_result(None)
        self._schedule()
