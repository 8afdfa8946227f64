"""The one thread that writes: jobs in order, a full disk is waited out, nothing blocks the loop."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from tradingd.kits.failure import ExitCode, Failure

NAME: Final = "recorder-writer"


class Job(Protocol):
    """Something to write."""

    @property
    def lasting(self) -> bool:
        """Whether it is tried again when the disk refuses it."""
        ...

    def run(self) -> None:
        """Do it, in the writer's thread; what fails may be run again."""
        ...


type Report = Callable[[Job, BaseException | None, bool, float], None]
"""Told on the loop: the job, what went wrong, whether it is kept, the seconds that it took."""


class DiskWorker:
    """Runs jobs one after the other in a thread of its own.

    A job that the disk refuses stays the first in line and is tried again at the next `kick`; the
    others wait behind it, since they would meet the same disk.

    Parameters
    ----------
    report : callable
        Hears of every job on the loop; must not raise.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._refused = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Event = asyncio.Event()
        self._open = 0
        self.submitted = 0
        """Jobs so far; they are done in this order."""

    @property
    def open_jobs(self) -> int:
        """Jobs that are not reported yet."""
        return self._open

    @property
    def refused(self) -> bool:
        """Whether the first job waits for the disk."""
        return self._refused

    def start(self) -> None:
        """Start the thread; on the running loop."""
        self._loop = asyncio.get_running_loop()
        # A daemon thread: a process that ends without an orderly stop must not wait for a disk.
        self._thread = threading.Thread(target=self._work, name=NAME, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Put a job at the end of the line."""
        self._open += 1
        self.submitted += 1
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()

    def kick(self) -> None:
        """Try again what the disk refused."""
        with self._wake:
            self._refused = False
            self._wake.notify()

    async def done(self, jobs: int, *, within: float) -> bool:
        """Wait until the first so many jobs are done; False: not in so many seconds."""
        try:
            async with asyncio.timeout(within):
                while self.submitted - self._open < jobs:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def drained(self, patience: float) -> bool:
        """Wait until every job is done; False: the disk refused for longer than `patience`."""
        loop = asyncio.get_running_loop()
        until: float | None = None
        while self._open:
            if self._refused:
                until = loop.time() + patience if until is None else until
                if loop.time() > until:
                    return False
                self.kick()
            else:
                until = None
            self._changed.clear()
            try:
                async with asyncio.timeout(0.2):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return True

    async def stop(self) -> None:
        """End the thread after the job that it works on."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    # -- the writer's thread ---------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._next()) is not None:
            began = time.perf_counter()
            error: BaseException | None = None
            try:
                job.run()
            except BaseException as caught:  # noqa: BLE001 - reported on the loop, whatever it is
                error = caught
            kept = error is not None and job.lasting and by_the_disk(error)
            with self._wake:
                if kept:
                    self._refused = True
                else:
                    self._jobs.popleft()
            self._tell(job, error, kept, time.perf_counter() - began)

    def _next(self) -> Job | None:
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or (self._jobs and not self._refused))
            return None if self._stopping else self._jobs[0]

    def _tell(self, job: Job, error: BaseException | None, kept: bool, seconds: float) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(self._heard, job, error, kept, seconds)

    def _heard(self, job: Job, error: BaseException | None, kept: bool, seconds: float) -> None:
        if not kept:
            self._open -= 1
        self._changed.set()
        self._report(job, error, kept, seconds)


def by_the_disk(error: BaseException) -> bool:
    """Tell whether an error is the disk's, so that the same write may succeed later."""
    if isinstance(error, Failure):
        return error.code is ExitCode.STORE_WRITE
    return isinstance(error, OSError)
