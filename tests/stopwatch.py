"""Seconds that this process lived through, for tests that say who must not wait for whom.

A machine that is taken away for a while (a paused container, a stolen core) is no wait of the code
under test: a tick that comes late counts as the longest tick.
"""

import threading
import time
from types import TracebackType
from typing import Final, Self

TICK: Final = 0.01
LONGEST_TICK: Final = 0.05


class Stopwatch:
    """Runs inside a `with`.

    Attributes
    ----------
    seconds : float
        Lived through so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stopwatch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.monotonic()
        over = False
        while not over:
            over = self._over.wait(TICK)
            now = time.monotonic()
            self.seconds += min(now - last, LONGEST_TICK)
            last = now
