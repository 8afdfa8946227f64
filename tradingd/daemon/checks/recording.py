"""Whether the order books that are to be recorded are."""

from collections.abc import Callable
from typing import Final

from tradingd.daemon.checks.check import Finding
from tradingd.domain.health import Grade

_WELL: Final = ("off", "recording", "over")


class RecordingCheck:
    """DEGRADED while the recorder is not running, or loses rows: trading does not need it.

    Parameters
    ----------
    state : callable
        (state, why) of the recorder; states as `GET /v1/record` has them.
    dropped : callable
        Records and rows lost since its start.
    """

    name = "order_books"
    beats = False
    critical = False

    def __init__(self, state: Callable[[], tuple[str, str]], dropped: Callable[[], int]) -> None:
        self._state = state
        self._dropped = dropped
        self._before = 0

    def look(self) -> Finding:
        """Return what is so now; lost rows degrade until a look finds no new ones."""
        state, why = self._state()
        lost, self._before = self._dropped() - self._before, self._dropped()
        limit = "recorded without loss"
        # The first try of a start is no trouble; one after a failure has its reason.
        if state not in _WELL and (why or state == "failed"):
            return Finding(
                grade=Grade.DEGRADED,
                value=f"{state}: {why}",
                limit=limit,
                action="tried again by itself; trading goes on",
                next_step="tradingctl record list; is the vendor's gateway up?",
            )
        if lost > 0:
            return Finding(
                grade=Grade.DEGRADED,
                value=f"{lost:,} records or rows lost since the last look",
                limit=limit,
                action="the rows after them are marked",
                next_step="fewer books (record.max_streams), or a faster disk",
            )
        return Finding(grade=Grade.OK, value=state, limit=limit)
