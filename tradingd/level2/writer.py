"""Write Parquet files of books: streaming, atomic, small.

Times and sequences are stored as differences, prices and sizes as they are: most levels do not
change from row to row, and zstd makes runs of equal numbers small. README.md has the figures.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.kits.atomicfile import TEMPORARY_SUFFIX, fsync_file, fsync_folder
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import TRADES
from tradingd.level2.facts import with_facts
from tradingd.level2.parquet import opened

ROW_GROUP: Final = 65_536
"""Rows to a row group: what a writer holds in memory, and a reader skips at once."""

_LEVEL: Final = 3
_GRID_LEVEL: Final = 6
_BATCH: Final = 25_000


class SnapshotWriter:
    """Writes one file under a temporary name beside it, which readers and globs skip.

    Opens on the first `write`, or on `commit` (an empty file is a file). After a failed write only
    `abort` is of use. As a context manager: commits, or aborts on an exception.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced by `commit`.
    schema : pa.Schema
        Of the batches.
    facts : mapping
        Kept in the Parquet metadata under ``tradingd.`` (see `facts.snapshot_facts`).
    """

    def __init__(self, path: Path, schema: pa.Schema, facts: Mapping[str, str]) -> None:
        self.path = path
        self.rows = 0
        self._schema = with_facts(schema, facts)
        self._options = _encodings(schema, grid=facts.get("on_change") == "false")
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._file: pq.ParquetWriter | None = None
        self._sink: pa.NativeFile | None = None
        self._over = False

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows.

        Raises
        ------
        Failure
            STORE_WRITE: the disk refuses, or the columns are others.
        """
        if not batch.num_rows:
            return
        self._held.append(batch)
        self._held_rows += batch.num_rows
        while self._held_rows >= ROW_GROUP:
            self._put(ROW_GROUP)

    def commit(self) -> int:
        """Make the file durable and visible under its name; return its rows, again when repeated.

        Raises
        ------
        Failure
            STORE_WRITE: the disk refuses.
        """
        if self._over:
            return self.rows
        try:
            if self._held_rows:
                self._put(self._held_rows)
            self._shut(self._opened())
            if (stored := pq.read_metadata(self._temporary).num_rows) != self.rows:
                raise self.refused(f"{stored} rows stored of {self.rows}")
            fsync_file(self._temporary)
            self._temporary.replace(self.path)
            fsync_folder(self.path.parent)
        except (pa.ArrowException, OSError) as error:
            raise self.refused(error) from error
        self._over = True
        return self.rows

    def abort(self) -> None:
        """Leave nothing behind; nothing happens after a `commit`."""
        if self._over:
            return
        self._over = True
        self._held.clear()
        self._held_rows = 0
        try:
            if self._file is not None:
                self._shut(self._file)
        except (pa.ArrowException, OSError):  # a full disk; the file goes anyway
            pass
        finally:
            self._temporary.unlink(missing_ok=True)

    def _put(self, rows: int) -> None:
        try:
            table = pa.Table.from_batches(self._held)
            self._opened().write_table(
                table.slice(0, rows).replace_schema_metadata(self._schema.metadata), ROW_GROUP
            )
        except (pa.ArrowException, ValueError, OSError) as error:
            raise self.refused(error) from error
        self._held = table.slice(rows).to_batches()
        self._held_rows -= rows
        self.rows += rows

    def _opened(self) -> pq.ParquetWriter:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._sink = pa.OSFile(str(self._temporary), "wb")
            self._file = pq.ParquetWriter(self._sink, self._schema, **self._options)
        return self._file

    def _shut(self, file: pq.ParquetWriter) -> None:
        """Close the file, also where what was still to be written finds no room."""
        sink, self._file, self._sink = self._sink, None, None
        try:
            file.close()
        finally:
            # pyarrow's writer leaves its own file open when its last write fails.
            if sink is not None:
                sink.close()

    def refused(self, found: object) -> Failure:
        """Return the failure of a file that cannot be written, or is not what was written."""
        return Failure(
            "A file of books cannot be written",
            code=ExitCode.STORE_WRITE,
            where=str(self.path),
            found=str(found),
            next_step="free space or fix the folder's permissions, then run again",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.abort()
            return
        try:
            self.commit()
        except BaseException:
            self.abort()
            raise


def trades_writer(path: Path, facts: Mapping[str, str]) -> SnapshotWriter:
    """Return a writer of trades (`columns.TRADES`; see `facts.trade_facts`)."""
    return SnapshotWriter(path, TRADES, facts)


def compact(parts: Sequence[Path], target: Path, facts: Mapping[str, str]) -> int:
    """Stream parts, in the order given, into one file; return its rows.

    Memory is one row group's. The parts stay; remove them when this has returned.

    Raises
    ------
    Failure
        DAMAGED_PARQUET naming the part; STORE_WRITE. `target` is then as it was.
    """
    if not parts:
        raise ValueError("no parts to compact")
    with opened(parts[0]) as file:
        schema = file.schema_arrow.remove_metadata()
    expected = 0
    with SnapshotWriter(target, schema, facts) as writer:
        for part in parts:
            with opened(part) as file:
                expected += file.metadata.num_rows
                for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
                    writer.write(batch.replace_schema_metadata())
        rows = writer.commit()
        if rows != expected:
            raise writer.refused(f"{rows} rows written of {expected}")
    return rows


def _encodings(schema: pa.Schema, *, grid: bool) -> dict[str, Any]:
    """Return the options of the writer.

    On a grid only its own times grow steadily: the others repeat, as the levels do, and a higher
    level of zstd pays. Where every row is a change, that halves the speed for a tenth of the size.
    """
    stamps = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    growing = ["ts"] if grid else [*stamps, "sequence"]
    return {
        "compression": "zstd",
        "compression_level": _GRID_LEVEL if grid else _LEVEL,
        "use_dictionary": [field.name for field in schema if pa.types.is_string(field.type)],
        "column_encoding": dict.fromkeys(growing, "DELTA_BINARY_PACKED"),
        "write_statistics": ["symbol", *stamps],
        "store_decimal_as_integer": True,
        "write_page_checksum": True,
    }
