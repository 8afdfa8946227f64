"""How long the event loop does not come round."""

import asyncio
import time

import msgspec


class Still(msgspec.Struct, frozen=True):
    """The longest stand-still: milliseconds of wall time, and of the thread's own CPU time.

    On a machine that others use too the first contains their time; the second does not.
    """

    wall: float
    cpu: float


class LoopWatch:
    """Turns with the loop all the time and keeps the longest turns."""

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0
        self._task = asyncio.create_task(self._run(), name="loop watch")

    async def _run(self) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0)
            now, used = time.perf_counter(), time.thread_time()
            self._wall = max(self._wall, now - wall)
            self._cpu = max(self._cpu, used - cpu)
            wall, cpu = now, used

    def take(self) -> Still:
        """Return the longest since the last look."""
        found = Still(self._wall * 1e3, self._cpu * 1e3)
        self._wall = self._cpu = 0.0
        return found

    def stop(self) -> None:
        """End."""
        self._task.cancel()
