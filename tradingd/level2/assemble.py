"""Columns of numbers to batches of the snapshot layout."""

from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.level2.book import NO_ASK, NO_BID, Ints32, Ints64
from tradingd.level2.columns import snapshot_schema

NOT_COUNTED: Final = -1
"""Number of orders where the vendor does not count them."""

_NONE: Final = (NO_BID, NO_ASK, None, None, NOT_COUNTED, NOT_COUNTED)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The columns before the levels, n values each; times in UTC ns."""

    ts: Ints64
    ts_event: Ints64
    ts_recv: Ints64
    sequence: Ints64
    events: Ints32
    on_change: NDArray[np.bool_]
    quality: NDArray[np.int16]


def record_batch(symbol: str, head: Head, book: Ints32) -> pa.RecordBatch:
    """Assemble a batch of `columns.snapshot_schema`.

    Parameters
    ----------
    head : Head
        n rows.
    book : (6 * levels, n) int32
        Per level: bid and ask price, size, number of orders; each row contiguous. Where there is
        none: `NO_BID`, `NO_ASK`, size 0, `NOT_COUNTED`.
    """
    schema = snapshot_schema(len(book) // 6)
    rows = len(head.ts)
    times = [
        column(values, pa.timestamp("ns")) for values in (head.ts, head.ts_event, head.ts_recv)
    ]
    arrays = [
        repeated(symbol, rows),
        *times,
        column(head.sequence, pa.int64()),
        column(head.events, pa.int32()),
        flags(head.on_change),
        column(head.quality, pa.int16()),
    ]
    for at, values in enumerate(book):
        none = _NONE[at % 6]
        arrays.append(column(values, pa.int32()) if none is None else _nullable(values, none))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def column(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return numbers as a column without nulls; `pa.array` and `pa.scalar` import pandas."""
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, data], null_count=0)


def repeated(text: str, rows: int) -> pa.Array:
    """Return one text as a whole column."""
    one = text.encode()
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * np.int32(len(one)))
    data = pa.py_buffer(one * rows)
    return pa.Array.from_buffers(pa.string(), rows, [None, offsets, data], null_count=0)


def flags(values: NDArray[np.bool_]) -> pa.Array:
    """Return booleans as a column without nulls."""
    data = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, data], null_count=0)


def _nullable(values: Ints32, null: int) -> pa.Array:
    present = values != null
    missing = len(values) - int(np.count_nonzero(present))
    if not missing:
        return column(values, pa.int32())
    valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    data = pa.py_buffer(np.where(present, values, np.int32(0)))
    return pa.Array.from_buffers(pa.int32(), len(values), [valid, data], null_count=missing)
