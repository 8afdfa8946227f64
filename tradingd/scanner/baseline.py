"""What is usual for a symbol: the prior close and the volume of the same minutes before."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tradingd.domain.money import Nanos

MINUTES_A_DAY: Final = 1_440


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol before a day, in that day's share units (splits up to the day are applied).

    `prior_close` is the close of the session before; None when that session has no bars.
    `usual[m]` is the mean volume, over `sessions` sessions, of the minutes of the day (New York)
    before minute m: what had usually been traded since midnight when minute m began.
    `average_volume` is the mean volume of those whole sessions (regular hours).
    """

    prior_close: Nanos | None
    usual: tuple[float, ...]
    sessions: int
    average_volume: float | None = None

    def between(self, start: int, end: int) -> float:
        """Return the usual volume of minutes [start, end) of the New York day."""
        return self.usual[end] - self.usual[start]


def cumulated(minutes: Sequence[float]) -> tuple[float, ...]:
    """Return running sums with a leading 0: entry m holds minutes [0, m)."""
    sums = [0.0]
    for one in minutes:
        sums.append(sums[-1] + one)
    return tuple(sums)
