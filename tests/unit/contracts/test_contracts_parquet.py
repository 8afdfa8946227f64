"""Parquet files as documents: from the footer alone, whatever the size."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tradingd.contracts.parquet import describe
from tradingd.kits.failure import ExitCode, Failure


def test_a_parquet_file_is_judged_without_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": pa.array(range(500_000))}), path, row_group_size=50_000)
    whole = describe(path)
    assert whole["rows"] == 500_000
    content = bytearray(path.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-footer] = bytes(len(content) - footer - 4)
    path.write_bytes(content)
    # No page can be read any more, so none was.
    with pytest.raises((pa.ArrowException, OSError)):
        pq.read_table(path)
    assert describe(path) == whole


def test_thousands_of_columns_do_not_stop_a_check(tmp_path: Path) -> None:
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{number}": pa.array([1]) for number in range(5_000)}), path)
    began = time.process_time()
    assert len(describe(path)["columns"]) == 5_000
    assert time.process_time() - began < 1.0


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), path)
    with pytest.raises(Failure) as caught:
        describe(path)
    assert (caught.value.code, caught.value.found) == (
        ExitCode.DAMAGED_PARQUET,
        "the column a twice",
    )
