"""Free questions to a vendor: spaced, and tried again after capped waits, until told to stop."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from tradingd.backfill.provider import Retry
from tradingd.kits.backoff import jittered

LONGEST_ASKED: Final = 60.0
"""Seconds that a vendor's own wish to wait is followed at most."""


class Asking:
    """Spaces and repeats questions that cost nothing; for several threads.

    Parameters
    ----------
    per_second : float
        Questions a second at most, tries included.
    tries : int
        Tries of one question.
    first_wait, longest_wait : float
        Seconds before the second try, and before any; a vendor may ask for more.
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
                return self.once(question)
            except Retry as retry:
                wait = jittered(attempt, first=self._first, longest=self._longest)
                if self._stopped.wait(max(wait, min(retry.wait or 0.0, LONGEST_ASKED))):
                    raise
        return self.once(question)

    def once[T](self, question: Callable[[], T]) -> T:
        """Return the answer of one try, spaced like the others; who asks may try again itself."""
        with self._lock:
            due = max(self._next, self._clock())
            self._next = due + self._interval
        self._stopped.wait(max(0.0, due - self._clock()))
        return question()

    def each[A, T](
        self, question: Callable[[A], T], things: Sequence[A], *, at_once: int
    ) -> list[T]:
        """Ask about each thing, several at once; return the answers in the order of the things.

        The threads are daemons: one that hangs in a vendor's library does not keep the process.

        Raises
        ------
        Exception
            The first that comes; nothing more is asked then, and nobody waits for the others.
        """
        left: queue.SimpleQueue[int] = queue.SimpleQueue()
        said: queue.SimpleQueue[tuple[int, T | None, Exception | None]] = queue.SimpleQueue()
        ended = threading.Event()
        for place in range(len(things)):
            left.put(place)

        def serve() -> None:
            while not ended.is_set():
                try:
                    place = left.get_nowait()
                except queue.Empty:
                    return
                try:
                    said.put((place, question(things[place]), None))
                except Exception as error:  # noqa: BLE001 - the caller's thread raises it
                    said.put((place, None, error))

        for number in range(min(at_once, len(things))):
            threading.Thread(target=serve, name=f"asking-{number}", daemon=True).start()
        answers: dict[int, T] = {}
        try:
            while len(answers) < len(things):
                place, answer, error = said.get()
                if error is not None:
                    raise error
                # Without an error there is an answer, which may itself be None.
                answers[place] = answer  # type: ignore[assignment]
        except Retry:
            raise
        except BaseException:
            # A refusal of everything, or Ctrl-C: the others' waits end too.
            self.stop()
            raise
        finally:
            ended.set()
        return [answers[place] for place in range(len(things))]
