"""Keep below a limit of requests a minute, from any thread."""

import threading
import time
from collections.abc import Callable
from typing import Final

_BURST_SHARE: Final = 10
"""A tenth of a minute's requests may go at once; the rest is spread."""


class Turnstile:
    """Lets requests through at a rate; those that come too early are told how long to wait.

    Parameters
    ----------
    per_minute : int
        Requests a minute.
    clock : Callable
        Monotonic seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap = 60.0 / per_minute
        self._slack = self._gap * max(1, per_minute // _BURST_SHARE)
        self._clock = clock
        self._next = float("-inf")
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take the next place and return the seconds until it comes."""
        with self._lock:
            now = self._clock()
            # Unused places add up to the burst and no further.
            self._next = max(self._next, now - self._slack) + self._gap
            return max(0.0, self._next - now)
