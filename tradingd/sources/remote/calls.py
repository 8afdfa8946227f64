"""Requests that only read: paced to the vendor's allowance, tried again after capped waits."""

import random
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from tradingd.kits.backoff import jittered
from tradingd.sources.remote.trouble import Trouble

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 60.0
"""Seconds before the second try, and at most before any."""

LONGEST_ASKED: Final = 300.0
"""Seconds that a vendor's own Retry-After is believed."""

_MINUTE: Final = 60.0


class Calls:
    """The one door to a vendor; not for several threads.

    Parameters
    ----------
    per_minute : int
        Requests in any 60 seconds, tries included.
    tries : int
        Tries of one request.
    clock, sleep : callable
        Monotonic seconds, and how to wait for some.
    chance : callable
        Uniform in [0, 1): spreads the waits of many clients.
    """

    def __init__(
        self,
        *,
        per_minute: int,
        tries: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._recent: deque[float] = deque(maxlen=per_minute)
        self._tries = tries
        self._clock = clock
        self._sleep = sleep
        self._chance = chance

    def run[T](self, call: Callable[[], T]) -> T:
        """Return what `call` returns; try again where its `Trouble` says that it may help.

        Raises
        ------
        Trouble
            Of the last try.
        """
        for tried in range(1, self._tries):
            try:
                return self._paced(call)
            except Trouble as trouble:
                if not trouble.again:
                    raise
                self._sleep(self._wait(tried, trouble.wait))
        return self._paced(call)

    def _paced[T](self, call: Callable[[], T]) -> T:
        now = self._clock()
        if len(self._recent) == self._recent.maxlen:
            due = self._recent[0] + _MINUTE
            if due > now:
                self._sleep(due - now)
                now = max(due, self._clock())
        self._recent.append(now)
        return call()

    def _wait(self, tried: int, asked: float) -> float:
        """Return a wait that doubles; never less than the vendor asked for."""
        spread = jittered(tried - 1, first=FIRST_WAIT, longest=LONGEST_WAIT, chance=self._chance)
        return max(spread, min(asked, LONGEST_ASKED))
