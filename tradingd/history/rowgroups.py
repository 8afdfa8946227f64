"""The row groups of one series, found by their statistics, read only where they are needed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from tradingd.history import parquet
from tradingd.history.layout import times
from tradingd.history.manifest import FileRecord
from tradingd.history.recovery import located
from tradingd.history.span import Span, Stamps


class Footer(msgspec.Struct, frozen=True):
    """A parsed footer and the first and last time of each row group."""

    metadata: Any
    spans: list[tuple[int, int]]


class RowGroups:
    """Files of one series in time order; footers are kept only while a reader is among them."""

    def __init__(self, root: Path, files: Sequence[FileRecord]) -> None:
        self._root = root
        self._files = files
        self._footers: dict[str, Footer] = {}

    def read(self, window: Span, columns: Sequence[str]) -> pa.Table | None:
        """Return the rows of all row groups that touch the window, or None; not cut to it."""
        parts: list[pa.Table] = []
        for record in self._files:
            if record.last_ts <= window.start_ns:
                self._footers.pop(record.path, None)
            elif window.touches(record.first_ts, record.last_ts):
                parts += self._read_file(record, window, columns)
        return pa.concat_tables(parts) if parts else None

    def stamps(self) -> Iterator[Stamps]:
        """Yield the times of every row group, a file's in bounded batches."""
        for record in self._files:
            path = located(self._root, record.path)
            with parquet.opened(path) as file:
                for batch in file.iter_batches(
                    batch_size=262_144, columns=["ts_event"], use_threads=False
                ):
                    yield times(pa.Table.from_batches([batch]))

    def _read_file(
        self, record: FileRecord, window: Span, columns: Sequence[str]
    ) -> Iterator[pa.Table]:
        path = located(self._root, record.path)
        footer = self._footers.get(record.path)
        with parquet.opened(path, footer.metadata if footer else None) as file:
            if footer is None:
                footer = self._footers[record.path] = _footer(file.metadata)
            wanted = [
                index for index, (low, high) in enumerate(footer.spans) if window.touches(low, high)
            ]
            if wanted:
                yield file.read_row_groups(wanted, columns=list(columns), use_threads=False)


def own_memory(table: pa.Table) -> pa.Table:
    """Copy the rows of a sliced table, so that the row groups they were cut from can be freed."""
    table = table.combine_chunks()
    return pa.table([_copied(column) for column in table.columns], schema=table.schema)


def _copied(column: pa.ChunkedArray) -> pa.Array:
    """Copy one fixed-width column without nulls."""
    array = column.chunk(0)
    width = array.type.bit_width // 8
    start = array.offset * width
    values = np.frombuffer(array.buffers()[1], dtype=np.uint8)
    rows = values[start : start + len(array) * width].copy()
    return pa.Array.from_buffers(array.type, len(array), [None, pa.py_buffer(rows)])


def _footer(metadata: Any) -> Footer:
    column = metadata.schema.names.index("ts_event")
    spans = []
    for index in range(metadata.num_row_groups):
        statistics = metadata.row_group(index).column(column).statistics
        spans.append((_nanoseconds(statistics.min_raw), _nanoseconds(statistics.max_raw)))
    return Footer(metadata, spans)


def _nanoseconds(value: Any) -> int:
    return int(value)
