"""When to say that batches wait: a daemon that lags must not drown its log in that news."""

from typing import Final

BEGINS: Final = 10
"""Batches that wait at once before it is worth a word; below half of them it is over."""

PAUSE: Final = 10.0
"""Seconds between two lines at least, whatever happens."""


class Backlog:
    """Tells when a line is due: when batches begin to wait, then whenever twice as many do.

    Parameters
    ----------
    begins : int
        Batches.
    pause : float
        Seconds.
    """

    def __init__(self, *, begins: int = BEGINS, pause: float = PAUSE) -> None:
        self._begins = begins
        self._pause = pause
        self._next = begins
        self._quiet_until = float("-inf")

    def due(self, waiting: int, now: float) -> bool:
        """Return whether to tell of so many batches at a time in seconds of any one clock."""
        if 2 * waiting < self._begins:
            self._next = self._begins
        if waiting < self._next or now < self._quiet_until:
            return False
        self._next = 2 * waiting
        self._quiet_until = now + self._pause
        return True
