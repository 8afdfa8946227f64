"""Minute bars into longer bars that begin at the session's open.

A bar never crosses a session: on a half day, or where the size does not divide the session, the
last bar is shorter and ends at the close. Minutes outside regular sessions are left out.
"""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from tradingd.domain.market import NANOSECONDS, Session
from tradingd.session.calendar import SessionCalendar

_MINUTE = 60 * NANOSECONDS


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of one symbol as NumPy columns.

    Parameters
    ----------
    ts : ndarray of int64
        Close of every bar, UTC ns.
    opens : ndarray of bool
        True for the first bar of a session.
    to_close : ndarray of float
        Minutes from the bar's end to the session's close.
    """

    ts: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    opens: Any
    to_close: Any


def daily(table: pa.Table) -> Series:
    """Return stored daily bars as they are."""
    columns = _columns(table)
    count = len(columns["ts"])
    return Series(**columns, opens=np.ones(count, bool), to_close=np.zeros(count))


def resample(table: pa.Table, minutes: int, calendar: SessionCalendar) -> Series:
    """Return bars of so many minutes, or of whole sessions when `minutes` is 0."""
    columns = _columns(table)
    ts = columns["ts"]
    opens, closes = _edges(calendar)
    index = np.searchsorted(closes, ts)
    inside = index < len(closes)
    inside[inside] = opens[index[inside]] < ts[inside]
    columns = {name: column[inside] for name, column in columns.items()}
    ts, index = ts[inside], index[inside]
    length = minutes * _MINUTE if minutes else int((closes - opens).max())
    bucket = (ts - opens[index] - 1) // length
    first = np.flatnonzero(np.diff(index, prepend=-1) | np.diff(bucket, prepend=-1))
    session = index[first]
    ends = np.minimum(opens[session] + (bucket[first] + 1) * length, closes[session])
    return Series(
        ts=ends,
        high=_reduced(np.maximum, columns["high"], first),
        low=_reduced(np.minimum, columns["low"], first),
        close=columns["close"][np.append(first, len(ts))[1:] - 1],
        volume=_reduced(np.add, columns["volume"], first),
        opens=np.diff(session, prepend=-1) != 0,
        to_close=(closes[session] - ends) / _MINUTE,
    )


def scaled(series: Series, factor: float) -> Series:
    """Return the bars with prices multiplied by `factor` and volumes divided by it."""
    if factor == 1.0:
        return series
    return msgspec.structs.replace(
        series,
        high=series.high * factor,
        low=series.low * factor,
        close=series.close * factor,
        volume=series.volume / factor,
    )


def _reduced(how: Any, column: Any, first: Any) -> Any:
    return how.reduceat(column, first) if len(first) else column


def _edges(calendar: SessionCalendar) -> tuple[Any, Any]:
    sessions: tuple[Session, ...] = calendar.sessions
    opens = np.array([one.open_ns for one in sessions], np.int64)
    closes = np.array([one.close_ns for one in sessions], np.int64)
    return opens, closes


def _columns(table: pa.Table) -> dict[str, Any]:
    """Return times as integers and prices as floats: indicators are statistics, not money."""
    return {
        "ts": table["ts_event"].cast(pa.int64()).to_numpy(),
        # Arrow's cast from decimal may miss the nearest float; rounding to the stored nine
        # decimals finds it.
        **{
            name: np.round(table[name].cast(pa.float64()).to_numpy(), 9)
            for name in ("high", "low", "close")
        },
        "volume": table["volume"].cast(pa.float64()).to_numpy(),
    }
