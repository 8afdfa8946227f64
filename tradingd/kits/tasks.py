"""Named, guarded tasks: an eternal one that ends, and any that raises, is a fault.

The first fault is reported once; what happens then is its hearer's decision (the daemon begins its
orderly stop). Nothing is swallowed: later faults and errors at the stop are kept and logged.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

log = logging.getLogger(__name__)


class TaskEnded(Exception):
    """A task that must never end has ended, or somebody cancelled it."""


class Fault(msgspec.Struct, frozen=True):
    """A task that failed, by name, and how."""

    task: str
    error: BaseException


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """How a stop went: names of tasks that did not end in time, and errors of the others."""

    survivors: tuple[str, ...]
    errors: tuple[Fault, ...]


class Tasks:
    """The long-lived tasks of a process; all methods run on the loop's thread.

    Parameters
    ----------
    on_fault : callable
        Hears of the first fault, once, on the loop; must not raise.
    """

    def __init__(self, on_fault: Callable[[Fault], None] = lambda fault: None) -> None:
        self._on_fault = on_fault
        self._running: dict[asyncio.Task[Any], bool] = {}
        self._stopping = False
        self._faulted = asyncio.Event()
        self.faults: list[Fault] = []
        """Every fault in the order it happened; the first is the root."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks that run."""
        return tuple(task.get_name() for task in self._running)

    def spawn(
        self, name: str, work: Coroutine[Any, Any, Any], *, eternal: bool = True
    ) -> asyncio.Task[Any]:
        """Run a coroutine under a name.

        Parameters
        ----------
        name : str
            Shown in faults and in the list of survivors.
        work : coroutine
            What to run.
        eternal : bool
            True: its end is a fault as well; False: it may end, but not raise.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running[task] = eternal
        task.add_done_callback(self._ended)
        return task

    async def serve(self, stop: asyncio.Event, *, grace: float) -> Stopped:
        """Wait for `stop` or the first fault, then stop all."""
        waits = [asyncio.ensure_future(one.wait()) for one in (stop, self._faulted)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        return await self.stop(grace=grace)

    async def stop(self, *, grace: float) -> Stopped:
        """Cancel every task and wait up to `grace` seconds for them to end."""
        self._stopping = True
        before = len(self.faults)
        tasks = [task for task in self._running if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        late: set[asyncio.Task[Any]] = set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
        # The callbacks of what has just ended run before the next turn of the loop is over.
        await asyncio.sleep(0)
        survivors = tuple(sorted(task.get_name() for task in late))
        if survivors:
            log.error("tasks that did not stop within %.1f s: %s", grace, ", ".join(survivors))
        return Stopped(survivors=survivors, errors=tuple(self.faults[before:]))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        eternal = self._running.pop(task)
        error = _error_of(task, eternal=eternal, stopping=self._stopping)
        if error is None:
            return
        fault = Fault(task.get_name(), error)
        self.faults.append(fault)
        log.error("task %s failed: %r", fault.task, error, exc_info=error)
        if len(self.faults) == 1 and not self._stopping:
            self._faulted.set()
            self._on_fault(fault)


def _error_of(task: asyncio.Task[Any], *, eternal: bool, stopping: bool) -> BaseException | None:
    """Return what is wrong with the end of a task, None when nothing is."""
    if task.cancelled():
        return TaskEnded("cancelled by somebody else") if eternal and not stopping else None
    if (error := task.exception()) is not None:
        return error
    return TaskEnded("ended, which it must never do") if eternal and not stopping else None
