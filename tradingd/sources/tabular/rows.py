"""A file's table to columns of one kind, plus the defects only a file can have."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.market import DataKind
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.columns import Bars, Integers, Mask, Quotes, Rows, Trades
from tradingd.sources.tabular import values


class Converted(NamedTuple):
    """Rows in the file's order, and which of them break which rule already."""

    rows: Rows
    broken: Mapping[str, Mask]


def convert(
    table: pa.Table, kind: DataKind, *, daily: bool, calendar: SessionCalendar
) -> Converted:
    """Turn a table in a documented layout into columns.

    Raises
    ------
    Unreadable
        Where a cell is not a time or a price at all.
    """
    ts, no_time = values.times(table["ts_event"], daily=daily, calendar=calendar)
    return _BUILDERS[kind](table, ts, no_time)


def _bars(table: pa.Table, ts: Integers, missing: Mask) -> Converted:
    columns = []
    for name in ("open", "high", "low", "close"):
        column, empty = values.prices(table[name])
        columns.append(column)
        missing = missing | empty
    volume, empty, fractional = values.counts(table["volume"])
    opened, high, low, close = columns
    return Converted(
        Bars(ts, opened, high, low, close, volume),
        {"missing_value": missing | empty, "fractional_volume": fractional},
    )


def _quotes(table: pa.Table, ts: Integers, missing: Mask) -> Converted:
    # An empty side is a fact of the market, so only the time must be there.
    bid, ask = (_price_or_zero(table, name) for name in ("bid", "ask"))
    bid_size, ask_size = (_count_or_zero(table, name) for name in ("bid_size", "ask_size"))
    return Converted(Quotes(ts, bid, ask, bid_size, ask_size), {"missing_value": missing})


def _trades(table: pa.Table, ts: Integers, missing: Mask) -> Converted:
    price, no_price = values.prices(table["price"])
    size, no_size, fractional = values.counts(table["size"])
    return Converted(
        Trades(ts, price, size, _text(table, "exchange"), _text(table, "conditions"), _flag(table)),
        {"missing_value": missing | no_price | no_size, "fractional_volume": fractional},
    )


_BUILDERS: Final[Mapping[DataKind, Callable[[pa.Table, Integers, Mask], Converted]]] = {
    DataKind.BARS: _bars,
    DataKind.QUOTES: _quotes,
    DataKind.TRADES: _trades,
}


def _price_or_zero(table: pa.Table, name: str) -> Integers:
    if name in table.column_names:
        return values.prices(table[name])[0]
    return np.zeros(len(table), dtype=np.int64)


def _count_or_zero(table: pa.Table, name: str) -> Integers:
    if name in table.column_names:
        return values.counts(table[name])[0]
    return np.zeros(len(table), dtype=np.int64)


def _text(table: pa.Table, name: str) -> pa.Array:
    if name in table.column_names:
        return table[name].cast(pa.string()).combine_chunks()
    return pa.nulls(len(table), pa.string())


def _flag(table: pa.Table) -> Mask:
    if "suspicious" not in table.column_names:
        return np.zeros(len(table), dtype=np.bool_)
    flag: Mask = pc.fill_null(table["suspicious"].cast(pa.bool_()), False).to_numpy()
    return flag
