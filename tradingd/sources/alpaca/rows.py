"""Pages of raw bars to columns: unadjusted prices, stamped at the bar's close."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tradingd.domain.feed import MarketBar
from tradingd.domain.market import Resolution
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars, Integers
from tradingd.sources.times import session_closes
from tradingd.vendors.alpaca.values import Unreadable, bar_of


def bars_of(
    symbol: str,
    rows: Sequence[Mapping[str, Any]],
    resolution: Resolution,
    calendar: SessionCalendar,
) -> Bars:
    """Return the columns of one symbol's raw rows, in their order.

    Raises
    ------
    Failure
        INVALID_ROW, naming symbol, time and value, where a value is none at all.
    """
    read = [_read(symbol, row) for row in rows]
    starts = np.array([start for start, _ in read], dtype=np.int64)
    columns = (
        np.array([getattr(bar, name) for _, bar in read], dtype=np.int64)
        for name in ("open", "high", "low", "close", "volume")
    )
    return Bars(closes(starts, resolution, calendar), *columns)


def closes(starts: Integers, resolution: Resolution, calendar: SessionCalendar) -> Integers:
    """Return when bars close: start + length; a day's bar closes with its session."""
    if resolution is Resolution.DAY:
        # A day's bar starts at New York midnight: 04:00 or 05:00 UTC.
        days = (starts - 2 * Resolution.HOUR.nanoseconds).view("datetime64[ns]")
        return session_closes(calendar, days.astype("datetime64[D]"))
    ends: Integers = starts + resolution.nanoseconds
    return ends


def _read(symbol: str, row: Mapping[str, Any]) -> tuple[int, MarketBar]:
    try:
        return bar_of(symbol, row)
    except Unreadable as error:
        raise Failure(
            "invalid row (unreadable value)",
            code=ExitCode.INVALID_ROW,
            where=f"{symbol} at {row.get('t', 'no time')}",
            expected="t, o, h, l, c, v as Alpaca documents them",
            found=str(error),
        ) from None
