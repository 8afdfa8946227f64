"""Write result rows to Parquet as they happen, in bounded memory.

Rows wait as the structs they are (an append is all the hot path pays) until a batch is full, then
become one zstd row group. Row groups depend on the rows alone, not on how the caller cuts its
data into chunks, so the same rows always give the same bytes.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.domain.records import (
    CashRecord,
    DenialRecord,
    EquityRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
)
from tradingd.results.folder import RunFolder
from tradingd.results.layout import RECORDS, schema, table_file

BATCH_ROWS: Final = 4_096
"""Rows per row group: about 2 MB of waiting orders, some 100 kB of Parquet."""


class RunRecorder:
    """A `tradingd.domain.records.Recorder` into a run folder's six tables.

    Parameters
    ----------
    folder : RunFolder
        Where the files go; they are opened on the first full batch or by `close`.
    batch_rows : int
        Rows a table holds in memory at most.
    """

    def __init__(self, folder: RunFolder, *, batch_rows: int = BATCH_ROWS) -> None:
        tables = {name: _Table(folder, name, batch_rows) for name in RECORDS}
        self._tables = tuple(tables.values())
        self._orders = tables["orders"]
        self._fills = tables["fills"]
        self._positions = tables["positions"]
        self._equity = tables["equity"]
        self._denials = tables["denials"]
        self._cash = tables["cash"]
        folder.closes(self.close)

    def order(self, row: OrderRecord) -> None:
        """Take an order's final state."""
        self._orders.add(row)

    def fill(self, row: FillRecord) -> None:
        """Take an execution."""
        self._fills.add(row)

    def position(self, row: PositionRecord) -> None:
        """Take a closed round trip."""
        self._positions.add(row)

    def equity(self, row: EquityRecord) -> None:
        """Take a sample of the account."""
        self._equity.add(row)

    def denial(self, row: DenialRecord) -> None:
        """Take a limit's denial."""
        self._denials.add(row)

    def cash(self, row: CashRecord) -> None:
        """Take a cash movement that is not a trade."""
        self._cash.add(row)

    def flush(self) -> None:
        """Do nothing: batches bound the memory, and their size must not follow the chunks."""

    def close(self) -> None:
        """Write what waits and finish all six files, empty ones included; idempotent."""
        for table in self._tables:
            table.close()


class _Table:
    """One result table: rows that wait, and the Parquet file behind them."""

    def __init__(self, folder: RunFolder, name: str, batch_rows: int) -> None:
        self._path = folder.file(table_file(name))
        self._schema = schema(name)
        self._batch_rows = batch_rows
        self._rows: list[msgspec.Struct] = []
        self._writer: pq.ParquetWriter | None = None
        self._closed = False

    def add(self, row: msgspec.Struct) -> None:
        """Keep a row; write a row group when the batch is full."""
        rows = self._rows
        rows.append(row)
        if len(rows) >= self._batch_rows:
            self._write()

    def close(self) -> None:
        """Write the rest and the file's footer."""
        if self._closed:
            return
        self._write()
        self._open().close()
        self._closed = True

    def _write(self) -> None:
        if self._rows:
            self._open().write_table(to_table(self._rows, self._schema))
            self._rows.clear()

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path,
                self._schema,
                version="2.6",
                compression="zstd",
                store_decimal_as_integer=True,
            )
        return self._writer


def to_table(rows: Sequence[msgspec.Struct], layout: pa.Schema) -> pa.Table:
    """Turn record structs into columns of a result table."""
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    arrays = [_array(values, field.type) for values, field in zip(columns, layout, strict=True)]
    return pa.Table.from_arrays(arrays, schema=layout)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_decimal(kind):
        return pa.array(values, kind)
    try:
        # An integer of 1e-9 units has the very bytes of a 64-bit decimal with nine decimals.
        return pa.array(values, pa.int64()).view(pa.decimal64(18, 9)).cast(kind)
    except OverflowError:
        # Beyond 9.2 billion dollars an amount no longer fits 64 bits.
        exact = [None if value is None else Decimal(value).scaleb(-9) for value in values]
        return pa.array(exact, kind)
