import datetime as dt
import os
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.integration.history.history_samples import (
    DAY_BARS,
    MINUTE_BARS,
    bars,
    content,
    daily_bars,
    files_on_disk,
    minute_bars,
    ns,
    quotes,
    trades,
)
from tradingd.config.store import StoreConfig
from tradingd.domain.market import (
    ActionKind,
    CorporateAction,
    DataKind,
    Instrument,
    ReferenceData,
)
from tradingd.history.merge import Written
from tradingd.history.store import Store
from tradingd.kits.failure import ExitCode, Failure


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def write(store: Store, symbol: str = "SPY", start: str = "2013-10-07T14:00:00") -> Written:
    with store.batch("test") as batch:
        return batch.bars(MINUTE_BARS, symbol, minute_bars(start, 10))


def test_bars_come_back_as_they_went_in(store: Store) -> None:
    write(store)
    assert store.read(DataKind.BARS, "SPY", MINUTE_BARS).equals(
        minute_bars("2013-10-07T14:00:00", 10)
    )


def test_any_parquet_reader_understands_the_folders(store: Store) -> None:
    write(store, "BRK.B")
    table = pq.read_table(store.root / "bars", partitioning="hive")
    assert table.num_rows == 10
    assert set(table.column("symbol").to_pylist()) == {"BRK.B"}
    assert set(table.column("year").to_pylist()) == {2013}


def test_importing_the_same_rows_again_writes_nothing(store: Store) -> None:
    write(store)
    before = {path: (store.root / path).stat().st_mtime_ns for path in files_on_disk(store)}
    lines = (store.root / "manifest.jsonl").read_bytes()
    assert write(store) == Written(rows_same=10)
    assert {path: (store.root / path).stat().st_mtime_ns for path in before} == before
    assert (store.root / "manifest.jsonl").read_bytes() == lines


def test_a_revised_row_replaces_the_file_that_held_it(store: Store) -> None:
    write(store)
    [old] = files_on_disk(store)
    with store.batch("revision") as batch:
        counts = batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:05:00", 1, price=7))
    assert counts == Written(rows_revised=1)
    closes = store.read(DataKind.BARS, "SPY", MINUTE_BARS).column("close").to_pylist()
    assert [float(one) for one in closes[4:7]] == [100.04, 7.0, 100.06]
    [record] = store.contents().files()
    assert files_on_disk(store) == [record.path] != [old]
    assert record.source == "revision+test"


def test_a_reader_that_began_before_a_revision_still_finds_its_files(store: Store) -> None:
    write(store)
    feed = store.feed(["SPY"], MINUTE_BARS, None, None, chunk_rows=1000, sessions=None)
    with store.batch("revision") as batch:
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:05:00", 1, price=7))
    [chunk] = feed.chunks()
    assert float(chunk.table.column("close")[5].as_py()) == 100.05


def test_many_small_imports_of_one_batch_become_one_file(store: Store) -> None:
    with store.batch("days") as batch:
        for day in range(1, 8):
            with batch.unit():
                batch.bars(MINUTE_BARS, "SPY", minute_bars(f"2013-10-0{day}T14:00:00", 5))
    assert len(files_on_disk(store)) == 1
    assert store.read(DataKind.BARS, "SPY", MINUTE_BARS).num_rows == 35


def test_a_unit_that_fails_leaves_nothing_and_earlier_units_stay(store: Store) -> None:
    bad = bars([ns("2013-10-09T14:00:00")], ["-1"])

    def import_two_files() -> None:
        with store.batch("files") as batch:
            with batch.unit():
                batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:00:00", 5))
            with batch.unit():
                batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-08T14:00:00", 5))
                batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:02:00", 1, price=9))
                batch.bars(MINUTE_BARS, "SPY", bad)

    with pytest.raises(Failure) as refusal:
        import_two_files()
    assert refusal.value.code is ExitCode.INVALID_ROW
    assert store.read(DataKind.BARS, "SPY", MINUTE_BARS).equals(
        minute_bars("2013-10-07T14:00:00", 5)
    )
    assert files_on_disk(store) == [one.path for one in store.contents().files()]


def test_a_unit_may_revise_its_own_rows(store: Store) -> None:
    with store.batch("twice") as batch, batch.unit():
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:00:00", 5))
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:00:00", 5, price=200))
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-10-07T14:00:00", 5))
    assert store.read(DataKind.BARS, "SPY", MINUTE_BARS).equals(
        minute_bars("2013-10-07T14:00:00", 5)
    )
    assert files_on_disk(store) == [one.path for one in store.contents().files()]


def test_quotes_and_trades_are_kept_by_day(store: Store) -> None:
    stamps = [ns("2013-10-07T14:00:00"), ns("2013-10-07T14:00:00"), ns("2013-10-08T14:00:00")]
    with store.batch("ticks") as batch:
        batch.trades("TAP.A", trades(stamps, ["1", "2", "3"]))
        batch.quotes("TAP.A", quotes(stamps, ["1", None, "3"], ["2", "2", "4"]))
    assert store.read(DataKind.TRADES, "TAP.A").num_rows == 3
    day = dt.date(2013, 10, 8)
    assert store.read(DataKind.QUOTES, "TAP.A", start=day, end=day).num_rows == 1
    assert any("trades/symbol=TAP.A/date=2013-10-07/" in path for path in files_on_disk(store))
    assert store.symbols(DataKind.TRADES) == ["TAP.A"]


def test_reference_data_comes_back_and_the_latest_value_wins(store: Store) -> None:
    day = dt.date(2014, 6, 9)
    split = CorporateAction(symbol="AAPL", ex_date=day, kind=ActionKind.SPLIT, numerator=7)
    first = ReferenceData(earnings={"AAPL": (day,)}, shortable={"AAPL": {day: 5}})
    with store.batch("facts") as batch:
        assert batch.actions([split]) == Written(rows_new=1)
        assert batch.actions([split]) == Written(rows_same=1)
        batch.reference(first)
        later = ReferenceData(shortable={"AAPL": {day: 9}})
        assert batch.reference(later) == Written(rows_revised=1)
        batch.instruments([Instrument(symbol="AAPL", venue="XNAS")])
    assert store.actions(["AAPL"]) == [split]
    assert store.reference(["AAPL"]) == ReferenceData(
        earnings={"AAPL": (day,)}, shortable={"AAPL": {day: 9}}
    )
    assert [one.venue for one in store.instruments(["AAPL", "SPY"])] == ["XNAS", "XNYS"]


def test_ticker_history_follows_renames_back(store: Store) -> None:
    with store.batch("names") as batch:
        for day, old, new in [("2001-01-02", "A", "B"), ("2005-01-03", "B", "C")]:
            batch.actions(
                [
                    CorporateAction(
                        symbol=new,
                        ex_date=dt.date.fromisoformat(day),
                        kind=ActionKind.RENAME,
                        old_symbol=old,
                    )
                ]
            )
    assert [one.old_symbol for one in store.ticker_history("C")] == ["A", "B"]


def test_a_name_handed_on_the_same_day_belongs_to_another_security(store: Store) -> None:
    day = dt.date(2014, 4, 3)
    with store.batch("test") as batch:
        batch.actions(
            [
                CorporateAction(symbol=new, ex_date=day, kind=ActionKind.RENAME, old_symbol=old)
                for old, new in (("GOOCV", "GOOG"), ("GOOG", "GOOGL"))
            ]
        )
    assert [one.old_symbol for one in store.ticker_history("GOOGL")] == ["GOOG"]
    assert [one.old_symbol for one in store.ticker_history("GOOG")] == ["GOOCV"]


def test_adjusted_and_unadjusted_prices_of_one_symbol_do_not_mix(store: Store) -> None:
    write(store)
    with (
        pytest.raises(Failure, match="adjusted and unadjusted") as refusal,
        store.batch("other", adjusted=True) as batch,
    ):
        batch.bars(MINUTE_BARS, "SPY", minute_bars("2013-11-07T14:00:00", 10))
    assert refusal.value.code is ExitCode.INVALID_ROW


@pytest.mark.parametrize(
    ("symbol", "year", "code"),
    [
        ("SPX", 2013, ExitCode.UNKNOWN_SYMBOL),
        ("SPY", 2012, ExitCode.EMPTY_RANGE),
    ],
)
def test_a_question_without_an_answer_has_its_own_failure(
    store: Store, symbol: str, year: int, code: ExitCode
) -> None:
    write(store)
    start, end = dt.date(year, 1, 1), dt.date(year, 12, 31)
    for ask in (
        lambda: store.read(DataKind.BARS, symbol, MINUTE_BARS, start, end),
        lambda: store.feed([symbol], MINUTE_BARS, start, end, chunk_rows=1000, sessions=None),
    ):
        with pytest.raises(Failure) as refusal:
            ask()
        assert refusal.value.code is code


def test_an_empty_or_absent_store_holds_no_data(store: Store) -> None:
    assert store.symbols(DataKind.BARS) == []
    with pytest.raises(Failure) as refusal:
        store.read(DataKind.BARS, "SPY", DAY_BARS)
    assert refusal.value.code is ExitCode.NO_DATA
    assert store.connect().execute("SELECT count(*) FROM bars_total").fetchone() == (0,)
    assert not store.root.exists()


def test_a_truncated_file_is_named_and_other_symbols_stay_readable(store: Store) -> None:
    write(store, "AAA")
    write(store, "SPY")
    record = next(one for one in store.contents().files() if one.symbol == "SPY")
    path = store.root / record.path
    path.write_bytes(path.read_bytes()[:-20])
    for ask in (
        lambda: store.read(DataKind.BARS, "SPY", MINUTE_BARS),
        lambda: store.feed(["SPY"], MINUTE_BARS, None, None, chunk_rows=1000, sessions=None),
    ):
        with pytest.raises(Failure) as refusal:
            ask()
        assert refusal.value.code is ExitCode.DAMAGED_PARQUET
        assert record.path in refusal.value.where
    assert store.read(DataKind.BARS, "AAA", MINUTE_BARS).num_rows == 10


def test_a_second_writer_is_refused_while_the_first_writes(store: Store) -> None:
    with store.batch("first"):
        code = (
            "from pathlib import Path; from tradingd.history.store import Store\n"
            "from tradingd.kits.failure import Failure\n"
            "try:\n"
            f"    with Store(Path({str(store.root)!r})).batch('second'): pass\n"
            "except Failure as failure: print(int(failure.code), failure.found)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert done.stdout.split() == [str(int(ExitCode.STORE_LOCKED)), "process", str(os.getpid())]


def test_a_full_disk_is_one_failure_and_loses_nothing(store: Store) -> None:
    write(store)
    before = content(store)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(Failure) as refusal:
            write(store, "AAPL")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refusal.value.code is ExitCode.STORE_WRITE
    assert content(store) == before
    assert write(store, "AAPL") == Written(rows_new=10)
    assert files_on_disk(store) == [one.path for one in store.contents().files()]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Failure) as refusal:
        write(Store(tmp_path / "store"))
    assert refusal.value.code is ExitCode.STORE_WRITE


def test_a_file_in_place_of_the_store_folder_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(Failure) as refusal:
        write(Store(tmp_path / "store"))
    assert refusal.value.code is ExitCode.STORE_WRITE


def test_row_groups_follow_the_configuration(tmp_path: Path) -> None:
    store = Store(tmp_path, StoreConfig(row_group_rows=1_000, compression="none"))
    with store.batch("test") as batch:
        batch.bars(DAY_BARS, "SPY", minute_bars("2013-10-07T00:00:00", 2_500))
    [path] = files_on_disk(store)
    metadata = pq.ParquetFile(store.root / path).metadata
    assert metadata.num_row_groups == 3
    assert metadata.row_group(0).column(0).compression == "UNCOMPRESSED"


def test_daily_bars_of_many_years_read_in_order(store: Store) -> None:
    with store.batch("days") as batch:
        batch.bars(DAY_BARS, "SPY", daily_bars(["2012-12-31", "2013-01-02"], ["1", "2"]))
        batch.bars(DAY_BARS, "SPY", daily_bars(["2011-12-30"], ["3"]))
    closes = store.read(DataKind.BARS, "SPY", DAY_BARS).column("close").to_pylist()
    assert [float(one) for one in closes] == [3, 1, 2]
