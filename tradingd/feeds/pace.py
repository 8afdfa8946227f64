"""When the next batch of a replay is due, in the running loop's time."""

import asyncio

from tradingd.domain.market import NANOSECONDS, Resolution


class Pace:
    """Holds a replay to its speed.

    Parameters
    ----------
    speed : float
        Data seconds per wall second; 0: as fast as the consumer asks.
    longest_wait : float
        Most wall seconds between two batches; 0: no limit.
    """

    def __init__(self, speed: float, longest_wait: float) -> None:
        self._speed = speed
        self._longest = longest_wait
        self._last_ts: int | None = None
        self._due = 0.0
        self._frozen_until = 0.0

    def wait(self, data_ns: int) -> float:
        """Return the wall seconds that a stretch of data time takes."""
        if not self._speed:
            return 0.0
        seconds = data_ns / NANOSECONDS / self._speed
        return min(seconds, self._longest) if self._longest else seconds

    def cadence(self, resolution: Resolution) -> float:
        """Return the wall seconds between two batches inside a session."""
        return self.wait(resolution.nanoseconds)

    def freeze(self, seconds: float) -> None:
        """Let nothing through for that long from now."""
        self._frozen_until = asyncio.get_running_loop().time() + seconds

    async def until(self, ts: int) -> None:
        """Return when the batch of a data time is due; the loop gets its turn in any case.

        What a slow consumer lost is not caught up in a burst: the next wait counts from now.
        """
        loop = asyncio.get_running_loop()
        if self._last_ts is not None:
            self._due = max(self._due + self.wait(ts - self._last_ts), loop.time())
        else:
            self._due = loop.time()
        self._last_ts = ts
        await asyncio.sleep(max(0.0, self._due - loop.time()))
        if self._frozen_until > loop.time():
            await asyncio.sleep(self._frozen_until - loop.time())
