"""Columns of numbers to batches of the snapshot layout."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.level2.book import Ints32, Ints64
from tradingd.level2.columns import snapshot_schema


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The columns before the levels, n values each; times in UTC ns."""

    ts: Ints64
    ts_event: Ints64
    ts_recv: Ints64
    sequence: Ints64
    events: Ints32
    on_change: NDArray[np.bool_]
    quality: NDArray[np.int16]


def record_batch(symbol: str, head: Head, book: Ints32, *, null: int) -> pa.RecordBatch:
    """Assemble a batch of `columns.snapshot_schema`.

    Parameters
    ----------
    head : Head
        n rows.
    book : (6 * levels, n) int32
        Per level: bid and ask price, size, number of orders; each row contiguous.
    null : int
        Marks a missing price or number of orders.
    """
    schema = snapshot_schema(len(book) // 6)
    rows = len(head.ts)
    times = [
        _plain(values, pa.timestamp("ns")) for values in (head.ts, head.ts_event, head.ts_recv)
    ]
    arrays = [
        pa.repeat(pa.scalar(symbol, pa.string()), rows),
        *times,
        _plain(head.sequence, pa.int64()),
        _plain(head.events, pa.int32()),
        pa.array(head.on_change),
        _plain(head.quality, pa.int16()),
    ]
    for at, values in enumerate(book):
        sized = at % 6 in (2, 3)
        arrays.append(_plain(values, pa.int32()) if sized else _nullable(values, null))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, data], null_count=0)


def _nullable(values: Ints32, null: int) -> pa.Array:
    present = values != null
    missing = len(values) - int(np.count_nonzero(present))
    if not missing:
        return _plain(values, pa.int32())
    valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    data = pa.py_buffer(np.where(present, values, np.int32(0)))
    return pa.Array.from_buffers(pa.int32(), len(values), [valid, data], null_count=missing)
