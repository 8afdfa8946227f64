"""LEAN's CSV lines to columns: prices from 1/10,000 USD, times to the close of the bar, UTC."""

import io
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tradingd.domain.market import NANOSECONDS, Resolution
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar, local_midnight_ns
from tradingd.sources.columns import Bars, Integers, Mask, Quotes, Rows, Trades
from tradingd.sources.lean.layout import DataFile
from tradingd.sources.times import Days, midnights, session_closes

PRICE_UNIT: Final = 100_000
"""Nanos in LEAN's price unit of 1/10,000 USD."""

_MILLISECOND: Final = 1_000_000
_OHLC: Final = ("open", "high", "low", "close")
_TRADE_BAR: Final = ("time", *_OHLC, "volume")
_QUOTE_BAR: Final = (
    "time",
    *(f"bid_{name}" for name in (*_OHLC, "size")),
    *(f"ask_{name}" for name in (*_OHLC, "size")),
)
_TRADE_TICK: Final = ("time", "price", "size", "exchange", "conditions", "suspicious")
_QUOTE_TICK: Final = (
    *("time", "bid", "bid_size", "ask", "ask_size"),
    *("exchange", "conditions", "suspicious"),
)
_TEXT: Final = {"exchange", "conditions"}


class Parsed(NamedTuple):
    """Columns of one file in its order, and the rows to leave out, by reason."""

    rows: Rows
    left_out: dict[str, Mask]


def parse(content: bytes, file: DataFile, calendar: SessionCalendar) -> Parsed:
    """Turn the CSV of one file into columns, in the file's order."""
    table = _read(content, _columns(file), file)
    ts = _times(table["time"], file, calendar)
    if not file.quotes:
        trades = _trade_ticks(table, ts) if file.length is None else _trade_bars(table, ts)
        return Parsed(trades, {})
    quotes = _quote_ticks(table, ts) if file.length is None else _quote_bars(table, ts)
    return Parsed(quotes, _quotes_to_leave_out(table, quotes))


def _quotes_to_leave_out(table: pa.Table, quotes: Quotes) -> dict[str, Mask]:
    """Mark quotes without any side, and those flagged suspicious (quotes keep no such flag)."""
    reasons = {"empty_quote": (quotes.bid == 0) & (quotes.ask == 0)}
    if "suspicious" in table.column_names:
        reasons["suspicious_quote"] = _integers(table["suspicious"]) != 0
    return reasons


def _columns(file: DataFile) -> tuple[str, ...]:
    if file.length is None:
        return _QUOTE_TICK if file.quotes else _TRADE_TICK
    return _QUOTE_BAR if file.quotes else _TRADE_BAR


def _read(content: bytes, columns: tuple[str, ...], file: DataFile) -> pa.Table:
    types = {name: pa.string() if name in _TEXT else pa.int64() for name in columns}
    if file.day is None:
        types["time"] = pa.timestamp("s")
    try:
        # One thread, so that an error names its row.
        return pacsv.read_csv(
            io.BytesIO(content),
            read_options=pacsv.ReadOptions(column_names=list(columns), use_threads=False),
            convert_options=pacsv.ConvertOptions(
                column_types=types, timestamp_parsers=["%Y%m%d %H:%M"]
            ),
        )
    except pa.ArrowInvalid as error:
        raise Failure(
            "invalid row (unreadable value)",
            code=ExitCode.INVALID_ROW,
            where=file.label,
            expected=",".join(columns),
            found=str(error),
        ) from error


def _times(column: pa.ChunkedArray, file: DataFile, calendar: SessionCalendar) -> Integers:
    """Return when each row could be known: a bar's close, a tick's own time."""
    if file.day is None:
        return _history_times(column, file.length, calendar)
    start = local_midnight_ns(file.day) + _integers(column) * _MILLISECOND
    return start if file.length is None else start + file.length.nanoseconds


def _history_times(
    column: pa.ChunkedArray, length: Resolution | None, calendar: SessionCalendar
) -> Integers:
    local = column.to_numpy().astype("datetime64[s]")
    days: Days = local.astype("datetime64[D]")
    if length is Resolution.DAY:
        return session_closes(calendar, days)
    into_day: Integers = (local - days).astype(np.int64) * NANOSECONDS
    return midnights(days) + into_day + Resolution.HOUR.nanoseconds


def _trade_bars(table: pa.Table, ts: Integers) -> Bars:
    opened, high, low, close = (_prices(table[name]) for name in _OHLC)
    return Bars(ts, opened, high, low, close, _integers(table["volume"]))


def _quote_bars(table: pa.Table, ts: Integers) -> Quotes:
    """Keep the last quote of each bar; an empty side stays missing."""
    return Quotes(
        ts,
        _prices(table["bid_close"]),
        _prices(table["ask_close"]),
        _integers(table["bid_size"]),
        _integers(table["ask_size"]),
    )


def _trade_ticks(table: pa.Table, ts: Integers) -> Trades:
    return Trades(
        ts,
        _prices(table["price"]),
        _integers(table["size"]),
        table["exchange"].combine_chunks(),
        table["conditions"].combine_chunks(),
        _integers(table["suspicious"]) != 0,
    )


def _quote_ticks(table: pa.Table, ts: Integers) -> Quotes:
    return Quotes(
        ts,
        _prices(table["bid"]),
        _prices(table["ask"]),
        _integers(table["bid_size"]),
        _integers(table["ask_size"]),
    )


def _prices(column: pa.ChunkedArray) -> Integers:
    return _integers(column) * PRICE_UNIT


def _integers(column: pa.ChunkedArray) -> Integers:
    filled: Integers = pc.fill_null(column, 0).to_numpy()
    return filled


def new_york_days(ts: Integers) -> Days:
    """Return the New York date of each bar close of a whole-history file."""
    # Standard time all year is enough: closes lie between 04:01 and 24:00 New York, and the
    # hour that summer time shifts cannot carry them over midnight; a close at 24:00 belongs
    # to the day that ends.
    shifted = ts - 5 * Resolution.HOUR.nanoseconds - 1
    days: Days = shifted.view("datetime64[ns]").astype("datetime64[D]")
    return days
