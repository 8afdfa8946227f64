"""The rate limit: so many requests in each minute, as Alpaca's headers tell it."""

import math
from collections.abc import Callable


class RateLimit:
    """Counts requests of one minute after another.

    Parameters
    ----------
    per_minute : int
        How many are let through; 0: all.
    clock : callable
        Seconds that only go forward.
    wall : callable
        Wall time, UTC ns, for the header that names the end of the minute.
    """

    def __init__(
        self, per_minute: int, *, clock: Callable[[], float], wall: Callable[[], int]
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._wall = wall
        self._ends = 0.0
        self._left = per_minute

    def take(self) -> bool:
        """Count a request; False when it is one too many."""
        if not self._per_minute:
            return True
        now = self._clock()
        if now >= self._ends:
            self._ends = now + 60
            self._left = self._per_minute
        self._left -= 1
        return self._left >= 0

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        if not self._per_minute:
            return {}
        reset = self._wall() / 1e9 + max(0.0, self._ends - self._clock())
        return {
            "X-RateLimit-Limit": str(self._per_minute),
            "X-RateLimit-Remaining": str(max(0, self._left)),
            "X-RateLimit-Reset": str(math.ceil(reset)),
        }
