"""Free questions to a vendor: spaced, and tried again after capped waits, until told to stop."""

import threading
import time
from collections.abc import Callable

from tradingd.backfill.provider import Retry
from tradingd.kits.backoff import jittered


class Asking:
    """Spaces and repeats questions that cost nothing; for several threads.

    Parameters
    ----------
    per_second : float
        Questions a second at most, tries included.
    tries : int
        Tries of one question.
    first_wait, longest_wait : float
        Seconds before the second try, and before any; a vendor's own wish may be longer.
    clock : Callable
        Monotonic seconds.
    """

    def __init__(
        self,
        *,
        per_second: float,
        tries: int,
        first_wait: float,
        longest_wait: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 1 / per_second
        self._tries = tries
        self._first = first_wait
        self._longest = longest_wait
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End every wait at once; what is asked afterwards is not repeated."""
        self._stopped.set()

    def run[T](self, question: Callable[[], T]) -> T:
        """Return the answer; try again where it raises `Retry`.

        Raises
        ------
        Retry
            Of the last try.
        """
        for attempt in range(self._tries - 1):
            try:
                return self._spaced(question)
            except Retry as retry:
                wait = jittered(attempt, first=self._first, longest=self._longest)
                if self._stopped.wait(max(wait, retry.wait or 0.0)):
                    raise
        return self._spaced(question)

    def _spaced[T](self, question: Callable[[], T]) -> T:
        with self._lock:
            due = max(self._next, self._clock())
            self._next = due + self._interval
        self._stopped.wait(max(0.0, due - self._clock()))
        return question()
