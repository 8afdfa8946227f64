"""Threads that work on jobs; the caller's thread gets the outcomes as they come."""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from types import FrameType
from typing import Final

from tradingd.backfill.attempt import Stopped
from tradingd.backfill.job import Job, Outcome

GRACE: Final = 5.0
"""Seconds that workers get to end after a stop; a download in progress may take longer."""


class _Said(Enum):
    """What is said apart from outcomes."""

    ENDED = auto()
    """A worker ended: there was nothing left to do, or the run stops."""
    STOP = auto()
    """Somebody wants the run to end."""


type _Message = tuple[Job, Outcome] | BaseException | _Said


class Crew:
    """So many workers for the jobs of one run.

    The threads are daemons: one that hangs in a vendor's library after a stop does not keep the
    process.

    Parameters
    ----------
    work : Callable
        Does a job; raises `Stopped` after the stop.
    stopping : threading.Event
        Set when the run ends early.
    """

    def __init__(
        self,
        work: Callable[[Job], Outcome],
        stopping: threading.Event,
    ) -> None:
        self._work = work
        self._stopping = stopping
        self._deadline = 0.0
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[_Message] = queue.SimpleQueue()

    def outcomes(self, jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Outcome]]:
        """Start the workers; yield outcomes in the order in which they come.

        After a stop, what is ready within the grace time still comes.

        Raises
        ------
        BaseException
            What a worker met and is nobody's refusal: a bug.
        """
        for job in jobs:
            self._jobs.put(job)
        alive = min(workers, len(jobs))
        for number in range(alive):
            name = f"backfill-{number}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        bug: BaseException | None = None
        while alive:
            try:
                message = self._said.get(timeout=self._patience())
            except queue.Empty:
                break
            if isinstance(message, tuple):
                yield message
            elif isinstance(message, BaseException):
                bug = bug or message
                self._stop()
            elif message is _Said.ENDED:
                alive -= 1
            else:
                self._stop()
        if bug is not None:
            raise bug

    def interrupt(self) -> None:
        """Let nobody begin another job.

        For signal handlers: takes no lock that the interrupted thread may hold.
        """
        self._said.put(_Said.STOP)

    def _stop(self) -> None:
        self._deadline = time.monotonic() + GRACE
        self._stopping.set()

    def _patience(self) -> float | None:
        return max(0.0, self._deadline - time.monotonic()) if self._stopping.is_set() else None

    def _serve(self) -> None:
        try:
            while not self._stopping.is_set():
                job = self._jobs.get_nowait()
                outcome = self._work(job)
                if outcome.fatal:
                    self._stop()
                self._said.put((job, outcome))
        except (queue.Empty, Stopped):
            pass
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._said.put(error)
        finally:
            self._said.put(_Said.ENDED)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, or SIGTERM, into a call of `stop`; the second one interrupts.

    Yields
    ------
    Callable
        Tells whether that happened. Only the main thread hears signals; elsewhere: never.
    """
    heard: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) > 1:
            raise KeyboardInterrupt
        stop()

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {one: signal.signal(one, hear) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(heard)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
