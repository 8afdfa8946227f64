"""Stored bars to engine bars, in bulk: one Arrow stream per symbol through the engine's wrangler.

Prices go from DECIMAL(18,9) to the engine's DECIMAL(38,16) by an exact rescale in Arrow.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from nautilus_trader.model import Bar, BarType
from nautilus_trader.persistence import BarDataWrangler
from nautilus_trader.serialization import get_arrow_schema_bytes

from tradingd.engine.tape import runs
from tradingd.engine.units import PRECISION

_PRICE = pa.decimal128(38, 16)
_TIME = pa.timestamp("ns", tz="UTC")
_PRICES = ("open", "high", "low", "close")


class BarLoader:
    """Builds the engine's bars of one chunk after another.

    Parameters
    ----------
    bar_types : Mapping[str, BarType]
        The engine's bar type of every symbol in the feed.
    """

    def __init__(self, bar_types: Mapping[str, BarType]) -> None:
        self._lanes = {
            symbol: (
                BarDataWrangler(str(bar_type), PRECISION, 0),
                _schema(Bar.get_metadata(bar_type, PRECISION, 0)),
            )
            for symbol, bar_type in bar_types.items()
        }

    def bars(self, table: pa.Table) -> Iterator[list[Bar]]:
        """Yield each symbol's bars in time order; the table is sorted by symbol, then time."""
        columns = _engine_columns(table)
        for symbol, first, last in runs(table["symbol"]):
            wrangler, schema = self._lanes[symbol]
            batch = pa.RecordBatch.from_arrays(
                [column.slice(first, last - first) for column in columns], schema=schema
            )
            yield wrangler.process_record_batch_bytes(stream_bytes(batch))


def _engine_columns(table: pa.Table) -> list[Any]:
    """Return the engine's columns: four prices, volume, ts_event, ts_init."""
    prices = [_flat(pc.cast(table[name], _PRICE)) for name in _PRICES]
    volume = _flat(pc.cast(table["volume"], _PRICE))
    times = _flat(table["ts_event"].cast(_TIME))
    return [*prices, volume, times, times, pa.nulls(len(table), pa.string())]


def _flat(column: Any) -> Any:
    flat = column.combine_chunks()
    return flat.chunk(0) if isinstance(flat, pa.ChunkedArray) else flat


def stream_bytes(batch: pa.RecordBatch) -> bytes:
    """Return a batch as the bytes of an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _schema(metadata: Mapping[str, str]) -> pa.Schema:
    """Return the engine's own schema with the bar type's metadata."""
    schema = pa.ipc.read_schema(pa.py_buffer(get_arrow_schema_bytes(Bar)))
    return schema.with_metadata({**(schema.metadata or {}), **metadata})
