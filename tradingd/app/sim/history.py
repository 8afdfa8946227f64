"""Invented minute bars in a history store, for drills without keys and without data."""

import datetime as dt
from itertools import pairwise
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.market import Resolution
from tradingd.feeds.synthetic import FIRST_DAY, LABEL, SyntheticBars
from tradingd.history.schema import BARS
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar

WARM_UP_DAYS: Final = 3
"""Sessions before the traded ones that a strategy warms up on."""


def fill_store(
    store: Store, *, symbols: int, days: int, seed: int, calendar: SessionCalendar
) -> tuple[list[str], dt.date, dt.date]:
    """Write invented bars, labelled SYNTHETIC; return symbols, first and last day to be traded."""
    bars = SyntheticBars(
        symbols=symbols, days=days + WARM_UP_DAYS, seed=seed, calendar=calendar, start=FIRST_DAY
    )
    with store.batch(LABEL) as batch:
        for chunk in bars.between(FIRST_DAY, None).chunks():
            for symbol, rows in _by_symbol(chunk.table):
                batch.bars(Resolution.MINUTE, letters(symbol), rows)
    sessions = [one.day for one in calendar.sessions if one.day >= FIRST_DAY]
    return (
        [letters(name) for name in bars.names],
        sessions[WARM_UP_DAYS],
        sessions[WARM_UP_DAYS + days - 1],
    )


def letters(name: str) -> str:
    """Return an invented symbol as one of US equities may look: letters only, at most five."""
    high, low = divmod(int(name.removeprefix("SYN")) - 1, 26)
    return f"SYN{chr(ord('A') + high)}{chr(ord('A') + low)}"


def _by_symbol(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """Cut a table that is sorted by symbol; the columns are the store's."""
    ends = pc.run_end_encode(table["symbol"].combine_chunks()).run_ends.to_pylist()
    names = table["symbol"].to_pylist()
    rows = table.append_column("ts_init", table["ts_event"]).select(BARS.names)
    return [(names[begin], rows.slice(begin, end - begin)) for begin, end in pairwise([0, *ends])]
