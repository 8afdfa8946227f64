"""Columns on their way into the store: integer nanos and nanoseconds, then Arrow.

Prices travel as int64 units of 1e-9 USD, times as int64 UTC nanoseconds, so that every check is
plain integer arithmetic on NumPy arrays; the Arrow decimals are made once, at the end.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.history.schema import BARS, PRICE, QUOTES, TIME, TRADES

type Integers = NDArray[np.int64]
type Mask = NDArray[np.bool_]


class Bars(NamedTuple):
    """Bars of one file: close times, prices in nanos, share volume."""

    ts: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers


class Quotes(NamedTuple):
    """Quotes of one file; a price of zero means that side is missing."""

    ts: Integers
    bid: Integers
    ask: Integers
    bid_size: Integers
    ask_size: Integers


class Trades(NamedTuple):
    """Trade prints of one file; exchange and conditions are Arrow strings."""

    ts: Integers
    price: Integers
    size: Integers
    exchange: pa.Array
    conditions: pa.Array
    suspicious: Mask


Rows = Bars | Quotes | Trades


def select(rows: Rows, which: Mask | Integers) -> Rows:
    """Keep the rows of a mask, or take them in the order of an index."""
    # Boolean and integer indexing differ for Arrow arrays, so normalise to positions.
    index = np.flatnonzero(which) if which.dtype == np.bool_ else which
    return rows._replace(**{name: _take(getattr(rows, name), index) for name in rows._fields})


def _take(column: Any, index: Any) -> Any:
    return column.take(pa.array(index)) if isinstance(column, pa.Array) else column[index]


def to_table(rows: Rows) -> pa.Table:
    """Build the Arrow table in the store's schema."""
    match rows:
        case Bars():
            return _bars_table(rows)
        case Quotes():
            return _quotes_table(rows)
        case Trades():
            return _trades_table(rows)


def _bars_table(bars: Bars) -> pa.Table:
    times = time_array(bars.ts)
    prices = [price_array(column) for column in (bars.open, bars.high, bars.low, bars.close)]
    return pa.Table.from_arrays([times, times, *prices, pa.array(bars.volume)], schema=BARS)


def _quotes_table(quotes: Quotes) -> pa.Table:
    times = time_array(quotes.ts)
    no_bid, no_ask = quotes.bid == 0, quotes.ask == 0
    return pa.Table.from_arrays(
        [
            times,
            times,
            price_array(quotes.bid, no_bid),
            price_array(quotes.ask, no_ask),
            pa.array(quotes.bid_size, mask=no_bid),
            pa.array(quotes.ask_size, mask=no_ask),
        ],
        schema=QUOTES,
    )


def _trades_table(trades: Trades) -> pa.Table:
    times = time_array(trades.ts)
    return pa.Table.from_arrays(
        [
            times,
            times,
            price_array(trades.price),
            pa.array(trades.size),
            trades.exchange,
            trades.conditions,
            pa.array(trades.suspicious),
        ],
        schema=TRADES,
    )


def time_array(nanoseconds: Integers) -> pa.Array:
    """Reinterpret UTC nanoseconds as the store's time type."""
    return pa.array(nanoseconds, pa.int64()).view(TIME)


def price_array(nanos: Integers, missing: Mask | None = None) -> pa.Array:
    """Reinterpret nanos as DECIMAL(18,9); rows of `missing` become null."""
    # A decimal128 is a little-endian 128-bit integer: low word, then the sign extended.
    limbs = np.empty((len(nanos), 2), dtype=np.int64)
    limbs[:, 0] = nanos
    limbs[:, 1] = nanos >> 63
    valid = None if missing is None else pa.array(~missing).buffers()[1]
    return pa.Array.from_buffers(PRICE, len(nanos), [valid, pa.py_buffer(limbs)])


def price_nanos(prices: pa.ChunkedArray | pa.Array) -> Integers:
    """Return DECIMAL(18,9) values without nulls as nanos; the inverse of `price_array`."""
    if isinstance(prices, pa.ChunkedArray):
        prices = prices.combine_chunks()
    if isinstance(prices, pa.ChunkedArray):
        prices = prices.chunk(0)
    words = np.frombuffer(prices.buffers()[1], dtype=np.int64)
    low: Integers = words[0::2][prices.offset : prices.offset + len(prices)]
    return low
