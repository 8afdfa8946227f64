"""From the times that files carry to UTC nanoseconds."""

import datetime as dt
from bisect import bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tradingd.domain.market import NANOSECONDS
from tradingd.session.calendar import SessionCalendar, local_midnight_ns
from tradingd.sources.columns import Integers

_NOMINAL_CLOSE: Final = 16 * 3_600 * NANOSECONDS

type Days = NDArray[np.datetime64]


def session_closes(calendar: SessionCalendar, days: Days) -> Integers:
    """Return the close of each day's session, in UTC nanoseconds.

    Half days close early. A day without a session (or outside the calendar's years) gets the
    nominal 16:00 New York, so that no row is lost; the quality check reports it.
    """
    distinct, positions = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    closes = [_close(calendar, day) for day in distinct.tolist()]
    return np.array(closes, dtype=np.int64)[positions]


def _close(calendar: SessionCalendar, day: dt.date) -> int:
    session = calendar.on(day)
    return session.close_ns if session else local_midnight_ns(day) + _NOMINAL_CLOSE


def midnights(days: Days) -> Integers:
    """Return New York midnight at the start of each day, in UTC nanoseconds."""
    distinct, positions = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    starts = [local_midnight_ns(day) for day in distinct.tolist()]
    return np.array(starts, dtype=np.int64)[positions]


def next_session_day(calendar: SessionCalendar, day: dt.date) -> dt.date:
    """Return the first session day after `day`; the next weekday outside the calendar's years."""
    sessions = calendar.sessions
    index = bisect_right(sessions, day, key=lambda session: session.day)
    if 0 < index < len(sessions):
        return sessions[index].day
    following = day + dt.timedelta(days=1)
    while following.weekday() >= 5:
        following += dt.timedelta(days=1)
    return following
