"""Columns of bars: Arrow decimals on one side, integer Nanos and nanoseconds on the other."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.history.digest import price_nanos
from tradingd.history.schema import PRICE, TIME

type Integers = NDArray[np.int64]

PRICES: Final = ("open", "high", "low", "close")
SCHEMA: Final = pa.schema(
    [
        pa.field("symbol", pa.string()),
        pa.field("ts_event", TIME),
        *(pa.field(name, PRICE) for name in PRICES),
        pa.field("volume", pa.int64()),
    ]
)
"""Columns of a `BarChunk`."""


def nanos_of(column: pa.ChunkedArray) -> Integers:
    """Return a DECIMAL(18,9) column as Nanos."""
    parts = [price_nanos(chunk) for chunk in column.chunks if len(chunk)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def times_of(column: pa.ChunkedArray) -> Integers:
    """Return a time column as UTC nanoseconds."""
    times: Integers = column.cast(pa.int64()).to_numpy()
    return times


def decimals(nanos: Integers) -> pa.Array:
    """Return Nanos as DECIMAL(18,9): the low word, then the sign extended."""
    words = np.empty((len(nanos), 2), dtype=np.int64)
    words[:, 0] = nanos
    words[:, 1] = nanos >> 63
    return pa.Array.from_buffers(PRICE, len(nanos), [None, pa.py_buffer(words)])


def bar_table(symbols: Sequence[str], columns: Mapping[str, Integers]) -> pa.Table:
    """Return rows in the layout of a `BarChunk`; `columns` are integers by column name."""
    times = pa.array(columns["ts_event"]).cast(TIME)
    prices = [decimals(columns[name]) for name in PRICES]
    volume = pa.array(columns["volume"])
    return pa.Table.from_arrays(
        [pa.array(symbols, pa.string()), times, *prices, volume], schema=SCHEMA
    )
