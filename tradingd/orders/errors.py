"""How often the broker failed lately; the kill switch has a limit on it."""

from collections import deque
from collections.abc import Callable
from typing import Final

MINUTE: Final = 60_000_000_000


class BrokerErrors:
    """Rejections, unknown outcomes and unanswered questions of the last minute (wall time)."""

    def __init__(self, wall: Callable[[], int]) -> None:
        self._wall = wall
        self._times: deque[int] = deque(maxlen=1_000)
        self.total = 0

    def note(self) -> None:
        """Count one error."""
        self._times.append(self._wall())
        self.total += 1

    def count(self, now: int) -> int:
        """Return the errors of the minute before `now` (UTC ns)."""
        while self._times and self._times[0] <= now - MINUTE:
            self._times.popleft()
        return len(self._times)
