"""Measure how late the event loop runs a timer: what every order and command would wait."""

import asyncio
from collections import deque
from typing import Final

import msgspec

WINDOW: Final = 60.0
"""Seconds a sample counts for."""

INTERVAL: Final = 0.05
"""Seconds between samples; a stall is seen whole, whenever it begins."""


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """Lateness within the window, milliseconds."""

    samples: int
    p50_ms: float
    max_ms: float


class LagSampler:
    """Samples while `run` runs; read `window` at any time.

    Parameters
    ----------
    interval, window : float
        Seconds between samples, seconds each counts for.
    """

    def __init__(self, *, interval: float = INTERVAL, window: float = WINDOW) -> None:
        self._interval = interval
        self._length = window
        self._samples: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Sample for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._interval
            await asyncio.sleep(self._interval)
            self.note(loop.time(), due)

    def note(self, now: float, due: float) -> None:
        """Keep one sample: a timer that was due then ran now; forget what has aged."""
        self._samples.append((now, max(now - due, 0.0)))
        while self._samples[0][0] < now - self._length:
            self._samples.popleft()

    def forget(self) -> None:
        """Start anew; after warm-up, whose stalls are not the session's."""
        self._samples.clear()

    def window(self) -> Lag:
        """Return the lateness of the last minute."""
        lags = sorted(lag for _, lag in self._samples)
        if not lags:
            return Lag(samples=0, p50_ms=0.0, max_ms=0.0)
        return Lag(samples=len(lags), p50_ms=lags[len(lags) // 2] * 1_000, max_ms=lags[-1] * 1_000)
