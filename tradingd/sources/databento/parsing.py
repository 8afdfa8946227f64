"""Databento's ohlcv records to bars; pure.

Prices are integers of 1e-9, our nanos; `ts_event` is the start of the bar, UTC nanoseconds. A
daily bar covers a UTC day. Source: databento.com/docs/schemas-and-data-formats/ohlcv.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from tradingd.domain.market import Resolution
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars, Mask, select
from tradingd.sources.remote.trouble import Kind, Trouble
from tradingd.sources.remote.vendor import Fetched
from tradingd.sources.times import session_closes

_NEEDED: Final = ("ts_event", "open", "high", "low", "close", "volume")
_UNDEFINED: Final = 2**63 - 1
"""Databento's price for none."""


def fetched(records: Any, resolution: Resolution, calendar: SessionCalendar) -> Fetched:
    """Return bars stamped at their end, daily ones at their session's close.

    Left out and counted: records without a price, and daily records of a UTC day without a
    session (the evening of a Friday in winter is a Saturday's bar there).

    Raises
    ------
    Trouble
        GARBLED when the records are no bars.
    """
    names = getattr(getattr(records, "dtype", None), "names", None) or ()
    missing = [name for name in _NEEDED if name not in names]
    if missing and len(records):
        raise Trouble(Kind.GARBLED, f"records without {missing[0]}")
    if not len(records):
        return Fetched(bars=Bars(*(np.zeros(0, dtype=np.int64) for _ in Bars._fields)))
    columns = {name: records[name].astype(np.int64) for name in _NEEDED}
    opened, high, low, close = (columns[name] for name in ("open", "high", "low", "close"))
    priced: Mask = np.maximum.reduce([opened, high, low, close]) != _UNDEFINED
    starts = columns["ts_event"]
    skipped = {"undefined_price": int((~priced).sum())}
    if resolution is Resolution.DAY:
        days = starts.view("datetime64[ns]").astype("datetime64[D]")
        held = np.array([calendar.on(day) is not None for day in days.tolist()])
        skipped["no_session"] = int((priced & ~held).sum())
        ends, kept = session_closes(calendar, days), priced & held
    else:
        ends, kept = starts + resolution.nanoseconds, priced
    bars = select(Bars(ends, opened, high, low, close, columns["volume"]), kept)
    assert isinstance(bars, Bars)
    return Fetched(bars=bars, skipped=_counted(skipped))


def _counted(skipped: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in skipped.items() if count}
