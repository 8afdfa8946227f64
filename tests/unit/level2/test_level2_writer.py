import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fakes.dbn_records import SECOND, START, record, records
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.columns import TRADES, snapshot_schema
from tradingd.level2.facts import read_facts, snapshot_facts, trade_facts
from tradingd.level2.grid import GridSampler, Sampling
from tradingd.level2.open import open_book
from tradingd.level2.trades import trades_of
from tradingd.level2.writer import SnapshotWriter, compact, trades_writer

A = [(10.0, 10.01, 100, 100, 1, 1)]
FACTS = snapshot_facts(
    symbol="ABC",
    day=dt.date(2025, 4, 3),
    levels=1,
    interval_ms=100,
    on_change=False,
    source="databento",
    dataset="XNAS.ITCH",
)


def batch(rows: int, first: int = 0) -> pa.RecordBatch:
    sampling = Sampling(levels=1, interval_ns=SECOND // 10, on_change=False, stale_ns=0)
    start = START + first * SECOND // 10
    sampler = GridSampler("ABC", sampling, start, start + rows * SECOND // 10)
    sampler.feed(records(record(-SECOND, A)))
    rest = sampler.finish()
    assert rest is not None
    return rest


def written(path: Path, *batches: pa.RecordBatch) -> Path:
    with SnapshotWriter(path, snapshot_schema(1), FACTS) as writer:
        for one in batches:
            writer.write(one)
    return path


def test_a_file_appears_whole_with_its_facts_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "ABC" / "2025-04-03_snapshots_databento.parquet"
    writer = SnapshotWriter(path, snapshot_schema(1), FACTS)
    assert not path.parent.exists()
    writer.write(batch(5))
    writer.write(batch(4, 5))
    assert not path.exists()
    assert writer.commit() == 9
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    table = pq.read_table(path)
    assert table.num_rows == 9
    assert table.schema.remove_metadata() == snapshot_schema(1)
    assert read_facts(table.schema) == FACTS
    assert FACTS["contract"] == "l2-snapshots"
    assert table.schema.metadata[b"tradingd.dataset"] == b"XNAS.ITCH"


def test_what_is_half_written_is_hidden_and_goes_with_an_abort(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    path.write_text("as it was")
    writer = SnapshotWriter(path, snapshot_schema(1), FACTS)
    writer.write(batch(70_000))
    (temporary,) = (one for one in tmp_path.iterdir() if one != path)
    assert temporary.name.startswith(".")
    assert not temporary.name.endswith(".parquet")
    writer.abort()
    writer.abort()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "as it was"


def test_an_exception_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    def dies() -> None:
        path = tmp_path / "one.parquet"
        with SnapshotWriter(path, snapshot_schema(1), FACTS) as writer:
            writer.write(batch(70_000))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        dies()
    assert not list(tmp_path.iterdir())


def test_no_rows_are_a_file_too(tmp_path: Path) -> None:
    path = written(tmp_path / "none.parquet")
    assert pq.read_table(path).num_rows == 0
    source = open_book(path)
    assert list(source.chunks()) == []
    assert source.interval_ns == SECOND // 10


def test_rows_of_another_layout_are_refused(tmp_path: Path) -> None:
    writer = SnapshotWriter(tmp_path / "one.parquet", snapshot_schema(2), FACTS)
    writer.write(batch(5))
    with pytest.raises(Failure) as refused:
        writer.commit()
    assert refused.value.code == ExitCode.STORE_WRITE
    writer.abort()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "ABC").touch()
    writer = SnapshotWriter(tmp_path / "ABC" / "one.parquet", snapshot_schema(1), FACTS)
    with pytest.raises(Failure) as refused:
        writer.commit()
    assert refused.value.code == ExitCode.STORE_WRITE


def test_parts_become_one_file_in_order_and_stay(tmp_path: Path) -> None:
    parts = [written(tmp_path / f"part{n}.parquet", batch(40_000, 40_000 * n)) for n in range(3)]
    target = tmp_path / "whole.parquet"
    assert compact(parts, target, FACTS) == 120_000
    assert all(part.exists() for part in parts)
    whole = pq.read_table(target)
    assert whole["ts"].cast("int64").to_pylist() == list(
        range(START, START + 12_000 * SECOND, SECOND // 10)
    )
    assert read_facts(whole.schema) == FACTS


def test_a_damaged_part_is_named_and_the_target_stays_as_it_was(tmp_path: Path) -> None:
    good = written(tmp_path / "good.parquet", batch(10))
    bad = written(tmp_path / "bad.parquet", batch(10))
    bad.write_bytes(bad.read_bytes()[:-3])
    target = tmp_path / "whole.parquet"
    with pytest.raises(Failure) as refused:
        compact([good, bad], target, FACTS)
    assert refused.value.code == ExitCode.DAMAGED_PARQUET
    assert refused.value.where == str(bad)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.parquet", "good.parquet"]


def test_trades_lie_beside_snapshots_and_are_read_with_them(tmp_path: Path) -> None:
    made = records(
        record(SECOND // 4, A, action="T", side="B", price=10.00505, size=30, sequence=5),
        record(SECOND // 2, A, action="T", side="A", price=10.0, size=40),
        record(SECOND // 2, A),
        record(SECOND, A, action="T", side="N", price=10.01, size=1),
    )
    path = written(tmp_path / "2025-04-03_snapshots_x.parquet", batch(6))
    assert not open_book(path).has_trades
    beside = tmp_path / "2025-04-03_trades_x.parquet"
    facts = trade_facts(symbol="ABC", day=dt.date(2025, 4, 3), source="databento")
    with trades_writer(beside, facts) as writer:
        writer.write(trades_of(made, "ABC"))
    table = pq.read_table(beside)
    assert table.schema.remove_metadata() == TRADES
    first = table.to_pylist()[0]
    assert str(first["price"]) == "10.005050000"
    assert (first["size"], first["aggressor"], first["sequence"]) == (30, "B", 5)
    source = open_book(path)
    assert source.has_trades
    found = []
    states = 0
    for book, trades in source.chunks(2):
        columns = (trades.price, trades.size, trades.sign, trades.before + states)
        found += list(zip(*(column.tolist() for column in columns), strict=True))
        states += book.rows
    assert states == 6
    # Rows at 0.0 .. 0.5 s: a trade at 0.5 s came after the row of 0.4 s.
    assert found == [(100_051, 30, 1, 2), (100_000, 40, -1, 4), (100_100, 1, 0, 5)]


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_a_cut_snapshot_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "one.parquet", batch(10))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Failure) as refused:
        open_book(path)
    assert refused.value.code == ExitCode.DAMAGED_PARQUET


def test_a_flipped_byte_in_a_page_is_found(tmp_path: Path) -> None:
    path = written(tmp_path / "one.parquet", batch(1000))
    content = bytearray(path.read_bytes())
    place = pq.read_metadata(path).row_group(0).column(8)
    content[place.data_page_offset + place.total_compressed_size - 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(Failure) as refused:
        list(open_book(path).chunks())
    assert refused.value.code == ExitCode.DAMAGED_PARQUET


def test_a_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(Failure, match="not one of ours") as refused:
        open_book(path)
    assert refused.value.code == ExitCode.UNREADABLE_INPUT


@pytest.mark.parametrize(
    ("key", "text"),
    [("schema_version", "2.0.0"), ("day", "3 April"), ("interval_ms", "often")],
)
def test_facts_that_are_not_ours_are_refused(tmp_path: Path, key: str, text: str) -> None:
    path = tmp_path / "other.parquet"
    with SnapshotWriter(path, snapshot_schema(1), FACTS | {key: text}) as writer:
        writer.write(batch(1))
    with pytest.raises(Failure, match="not one of ours") as refused:
        open_book(path)
    assert text in refused.value.found
