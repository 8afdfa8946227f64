import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tests.unit.results.result_rows import at, cash, denial, equity, fill, order, position, record
from tradingd.domain.money import nanos
from tradingd.results.layout import RECORDS, schema, table_file

ROWS = (
    order(),
    fill(),
    position(),
    equity("2014-01-02", "100000"),
    denial(),
    cash("dividend", "5"),
)


def test_all_six_files_exist_even_when_nothing_happened(tmp_path: Path) -> None:
    folder = record(tmp_path)
    for table in RECORDS:
        assert pq.read_table(folder.file(table_file(table))).num_rows == 0
        assert pq.read_schema(folder.file(table_file(table))) == schema(table)


def test_money_is_exact_and_times_are_naive_utc_nanoseconds(tmp_path: Path) -> None:
    folder = record(tmp_path, order(average_price=nanos("200.123456789")))
    row = duckdb.sql(f"select * from '{folder.file('orders.parquet')}'").fetchall()[0]
    names = [field.name for field in schema("orders")]
    found = dict(zip(names, row, strict=True))
    assert found["average_price"] == Decimal("200.123456789")
    assert found["limit_price"] is None
    assert found["ts_submitted"] == dt.datetime(2014, 1, 2, 21)  # noqa: DTZ001 - naive by design
    kinds = duckdb.sql(
        f"select typeof(ts_submitted), typeof(average_price) from '{folder.file('orders.parquet')}'"
    ).fetchall()
    assert kinds == [("TIMESTAMP_NS", "DECIMAL(18,9)")]


def test_an_account_may_exceed_what_64_bits_of_nanos_hold(tmp_path: Path) -> None:
    huge = nanos("12345678901.123456789")  # 12.3 billion; 64 bits end at 9.2
    folder = record(tmp_path, equity("2014-01-02", "1", equity=huge), equity("2014-01-03", "-5.5"))
    column = pq.read_table(folder.file("equity.parquet"))["equity"].to_pylist()
    assert column == [Decimal("12345678901.123456789"), Decimal("-5.5")]


def test_a_full_batch_becomes_a_row_group_and_order_is_kept(tmp_path: Path) -> None:
    rows = [order(seq=seq) for seq in range(5)]
    folder = record(tmp_path, *rows, batch_rows=2)
    file = pq.ParquetFile(folder.file("orders.parquet"))
    assert file.metadata.num_row_groups == 3  # 2 + 2 + 1
    assert file.read()["seq"].to_pylist() == [0, 1, 2, 3, 4]


def test_every_field_of_every_record_arrives(tmp_path: Path) -> None:
    folder = record(tmp_path, *ROWS)
    for table, row in zip(RECORDS, ROWS, strict=True):
        stored = pq.read_table(folder.file(table_file(table))).to_pylist()[0]
        for field in schema(table):
            value = getattr(row, field.name)
            if str(field.type).startswith("decimal") and value is not None:
                value = Decimal(value).scaleb(-9)
            if str(field.type) == "timestamp[ns]":
                assert stored[field.name].value == value
            else:
                assert stored[field.name] == value


def test_the_files_name_no_host_and_no_time(tmp_path: Path) -> None:
    first = record(tmp_path / "a", *ROWS)
    second = record(tmp_path / "b", *ROWS)
    for table in RECORDS:
        name = table_file(table)
        assert first.file(name).read_bytes() == second.file(name).read_bytes()


def test_the_helper_builds_the_time_it_says() -> None:
    assert at("1970-01-02", "00:01") == (86_400 + 60) * 1_000_000_000
