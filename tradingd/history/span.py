"""Turn exchange-local days into UTC spans, and cut rows to regular sessions; vectorised."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from tradingd.session.calendar import SessionCalendar, local_midnight_ns

type Stamps = NDArray[np.int64]

_BEGINNING: Final = -(2**63)
_END: Final = 2**63 - 1


class Span(msgspec.Struct, frozen=True):
    """Times after `start_ns` up to and including `end_ns`, UTC.

    The shape suits bars, whose time is their close: the bar that closes at midnight belongs to the
    day before.
    """

    start_ns: int = _BEGINNING
    end_ns: int = _END

    @classmethod
    def of_days(cls, start: dt.date | None, end: dt.date | None) -> "Span":
        """Span of New York days, both inclusive; None is open-ended."""
        return cls(
            local_midnight_ns(start) if start else _BEGINNING,
            local_midnight_ns(end + dt.timedelta(days=1)) if end else _END,
        )

    def touches(self, first: int, last: int) -> bool:
        """Tell whether rows between `first` and `last` (inclusive) may lie inside."""
        return last > self.start_ns and first <= self.end_ns

    def both(self, other: "Span") -> "Span":
        """Return the common part (possibly empty: start at or after end)."""
        return Span(max(self.start_ns, other.start_ns), min(self.end_ns, other.end_ns))

    def slice_of(self, stamps: Stamps) -> tuple[int, int]:
        """Return (offset, length) of the rows inside, of sorted times."""
        low = int(np.searchsorted(stamps, self.start_ns, side="right"))
        high = int(np.searchsorted(stamps, self.end_ns, side="right"))
        return low, max(high - low, 0)


class SessionCut:
    """Regular sessions as two sorted arrays; keeps rows with open < ts_event <= close."""

    def __init__(self, opens: Stamps, closes: Stamps) -> None:
        self._opens = opens
        self._closes = closes

    @classmethod
    def of(cls, calendar: SessionCalendar) -> "SessionCut":
        """Take all sessions of a calendar."""
        sessions = calendar.sessions
        return cls(
            np.array([one.open_ns for one in sessions], dtype=np.int64),
            np.array([one.close_ns for one in sessions], dtype=np.int64),
        )

    def slices_of(self, stamps: Stamps) -> Sequence[tuple[int, int]]:
        """Return (offset, length) of the runs of sorted times that lie inside a session."""
        if not len(stamps):
            return []
        first = int(np.searchsorted(self._closes, stamps[0], side="left"))
        last = int(np.searchsorted(self._opens, stamps[-1], side="left"))
        low = np.searchsorted(stamps, self._opens[first:last], side="right")
        high = np.searchsorted(stamps, self._closes[first:last], side="right")
        runs = zip(low.tolist(), (high - low).tolist(), strict=True)
        return [(offset, length) for offset, length in runs if length > 0]
