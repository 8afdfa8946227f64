"""Write and read one Parquet file of the store.

Integers, times and prices (decimals stored as integers) are delta-encoded: on minute bars that is
a quarter of the size of the default dictionary pages, and reads faster; README.md has the numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.config.store import StoreConfig
from tradingd.kits.failure import ExitCode, Failure


def write(table: pa.Table, path: Path, settings: StoreConfig) -> None:
    """Write a table with the store's encodings; the caller makes it atomic."""
    text = [field.name for field in table.schema if pa.types.is_string(field.type)]
    plain = [field.name for field in table.schema if pa.types.is_boolean(field.type)]
    pq.write_table(
        table,
        path,
        row_group_size=settings.row_group_rows,
        compression=settings.compression.upper(),
        compression_level=settings.compression_level if settings.compression == "zstd" else None,
        store_decimal_as_integer=True,
        use_dictionary=text,
        column_encoding={
            name: "DELTA_BINARY_PACKED" for name in table.column_names if name not in text + plain
        },
        write_page_checksum=True,
    )


def read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a whole file.

    Raises
    ------
    Failure
        DAMAGED_PARQUET when the file is missing, truncated or fails its page checksums.
    """
    with reading(path):
        return pq.ParquetFile(path, page_checksum_verification=True).read(
            columns=list(columns) if columns is not None else None, use_threads=False
        )


@contextmanager
def opened(path: Path, metadata: Any = None) -> Iterator[pq.ParquetFile]:
    """Open a file of the store; pass kept `metadata` to save parsing its footer again."""
    with reading(path), pq.ParquetFile(path, metadata=metadata) as file:
        yield file


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translate what Arrow raises on a bad file into one Failure."""
    try:
        yield
    except FileNotFoundError as error:
        raise damaged(path, "no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, found: str) -> Failure:
    """Return the failure for a file of the store that cannot be read."""
    return Failure(
        "a Parquet file cannot be read",
        code=ExitCode.DAMAGED_PARQUET,
        where=str(path),
        expected="a complete Parquet file",
        found=found,
        next_step="tradingd data scan --verify lists damaged files; restore a snapshot, or "
        "delete the file's rows by importing its source again",
    )
