"""Open a Parquet file of books, its pages checked as they are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.kits.failure import ExitCode, Failure


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file for as long as it is read.

    Raises
    ------
    Failure
        DAMAGED_PARQUET, also for what is read within.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise Failure(
            "a Parquet file cannot be read",
            code=ExitCode.DAMAGED_PARQUET,
            where=str(path),
            expected="a complete Parquet file",
            found=str(error),
        ) from error
