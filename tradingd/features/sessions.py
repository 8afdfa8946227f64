"""Where bars lie in their sessions: all at once, and one after the other."""

from math import nan
from typing import Final

import msgspec
import numpy as np

from tradingd.features.series import Floats, Integers
from tradingd.session.calendar import SessionCalendar

MINUTE: Final = 60e9
"""Nanoseconds."""


class Places(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Session number, minutes since its open and to its close, as in `Series`."""

    session: Integers
    minute: Floats
    to_close: Floats


def place(ts: Integers, calendar: SessionCalendar) -> Places:
    """Return the places of times (UTC ns, any order); a bar lies in (open, close]."""
    sessions = calendar.sessions
    opens = np.fromiter((one.open_ns for one in sessions), np.int64, len(sessions))
    closes = np.fromiter((one.close_ns for one in sessions), np.int64, len(sessions))
    number = np.minimum(np.searchsorted(closes, ts, side="left"), len(sessions) - 1)
    inside = (opens[number] < ts) & (ts <= closes[number])
    return Places(
        session=np.where(inside, number, -1),
        minute=np.where(inside, (ts - opens[number]) / MINUTE, nan),
        to_close=np.where(inside, (closes[number] - ts) / MINUTE, nan),
    )


class Placer:
    """The same for one time after the other."""

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._number = 0
        self._open = 0
        self._close = 0

    def place(self, ts: int) -> tuple[int, float, float]:
        """Return (session, minute, to_close) of a time, UTC ns."""
        if not self._open < ts <= self._close:
            if (found := self._calendar.number_at(ts)) is None:
                return -1, nan, nan
            self._number, session = found
            self._open, self._close = session.open_ns, session.close_ns
        return self._number, (ts - self._open) / MINUTE, (self._close - ts) / MINUTE
