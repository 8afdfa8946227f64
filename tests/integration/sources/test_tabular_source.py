import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tradingd.config.source import TabularSource
from tradingd.domain.market import ActionKind
from tradingd.domain.money import nanos
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.make import make_source

HEADER = "symbol,ts_event,open,high,low,close,volume\n"


def at(utc: str) -> dt.datetime:
    """Read a naive UTC time, as the store's columns hold it."""
    return dt.datetime.fromisoformat(utc)


def load(config: TabularSource) -> dict[str, pa.Table]:
    return {symbol: table for task in make_source(config).tasks() for symbol, table in task.load()}


def failure(config: TabularSource) -> Failure:
    with pytest.raises(Failure) as caught:
        load(config)
    assert "\n" not in caught.value.line()
    return caught.value


def csv(tmp_path: Path, text: str) -> str:
    path = tmp_path / "data.csv"
    path.write_text(text)
    return str(path)


def test_daily_csv_rows_are_sorted_by_symbol_and_stamped_at_the_session_close(
    tmp_path: Path,
) -> None:
    rows = "brk.b,2014-07-03,1,2,0.5,1.5,10\nAAPL,2014-07-03,1,2,1,2,5\nAAPL,2014-07-02,1,2,1,2,5\n"
    found = load(TabularSource(path=csv(tmp_path, HEADER + rows)))
    assert list(found) == ["AAPL", "BRK.B"]
    assert found["AAPL"]["ts_event"].to_pylist() == [
        at("2014-07-02T20:00"),
        at("2014-07-03T17:00"),
    ]
    assert found["BRK.B"]["low"].to_pylist() == [Decimal("0.5")]


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    table = pa.table(
        {
            "name": ["A"],
            "date": pa.array(["2013-02-08"]).cast(pa.timestamp("us")),
            **{name: [45.07] for name in ("open", "high", "low", "close")},
            "volume": [7],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    config = TabularSource(path=str(tmp_path), columns={"symbol": "name", "ts_event": "date"})
    assert load(config)["A"]["close"].to_pylist() == [Decimal("45.07")]


def test_one_sided_quotes_have_null_on_the_other_side(tmp_path: Path) -> None:
    text = "symbol,ts_event,bid,ask,bid_size,ask_size\nSPY,2014-06-05T09:31:00-04:00,,1.5,,3\n"
    found = load(TabularSource(path=csv(tmp_path, text), data="quotes"))
    (row,) = found["SPY"].to_pylist()
    assert (row["bid"], row["ask"], row["ask_size"]) == (None, Decimal("1.5"), 3)
    assert row["ts_event"] == at("2014-06-05T13:31")


def test_trades_without_the_optional_columns_are_not_suspicious(tmp_path: Path) -> None:
    text = "symbol,ts_event,price,size\nSPY,2014-06-05T13:31:00.000001Z,1.5,3\n"
    found = load(TabularSource(path=csv(tmp_path, text), data="trades"))
    (row,) = found["SPY"].to_pylist()
    assert (row["exchange"], row["suspicious"]) == (None, False)
    assert row["ts_event"] == at("2014-06-05T13:31:00.000001")


BAD_ROWS = {
    "missing_value": "A,2014-07-02,1,,1,2,5",
    "fractional_volume": "A,2014-07-02,1,2,1,2,5.5",
    "high_below_low": "A,2014-07-02,1,1,2,1,5",
    "open_outside_range": "A,2014-07-02,3,2,1,2,5",
    "close_outside_range": "A,2014-07-02,1,2,1,2.5,5",
    "non_positive_price": "A,2014-07-02,1,2,-1,2,5",
    "negative_volume": "A,2014-07-02,1,2,1,2,-5",
    "repeated_time": "A,2014-07-01,1,2,1,2,6",
}


@pytest.mark.parametrize("rule", BAD_ROWS)
def test_an_impossible_row_is_refused_by_default_and_left_out_on_request(
    tmp_path: Path, rule: str
) -> None:
    path = csv(tmp_path, f"{HEADER}A,2014-07-01,1,2,1,2,5\n{BAD_ROWS[rule]}\n")
    found = failure(TabularSource(path=path))
    assert (found.code, found.what) == (ExitCode.INVALID_ROW, f"invalid row ({rule})")
    assert found.where.startswith("data.csv, row 2, A at 2014-07-0")
    (task,) = make_source(TabularSource(path=path, skip_invalid=True)).tasks()
    ((_, table),) = task.load()
    assert table.num_rows == 1
    assert task.skipped == {rule: 1}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("A,2014-07-02 09:31,1,2,1,2,5", id="time without offset"),
        pytest.param("A,yesterday,1,2,1,2,5", id="no time"),
        pytest.param("A,2014-07-02,1,much,1,2,5", id="no number"),
        pytest.param("A B,2014-07-02,1,2,1,2,5", id="no symbol"),
        pytest.param(",2014-07-02,1,2,1,2,5", id="empty symbol"),
    ],
)
def test_an_unreadable_cell_is_refused_even_where_bad_rows_are_left_out(
    tmp_path: Path, row: str
) -> None:
    path = csv(tmp_path, f"{HEADER}A,2014-07-01,1,2,1,2,5\n{row}\n")
    found = failure(TabularSource(path=path, skip_invalid=True))
    assert found.code is ExitCode.INVALID_ROW
    assert "row 2" in found.line().lower() or "Row #3" in found.found


def test_a_truncated_parquet_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"symbol": ["A"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert failure(TabularSource(path=str(path))).code is ExitCode.DAMAGED_PARQUET


def test_a_parquet_file_with_a_broken_page_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    names = ("open", "high", "low", "close", "volume")
    table = pa.table({"symbol": ["A"], "ts_event": ["2014-07-01"], **{n: [1.0] for n in names}})
    pq.write_table(table, path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:40] = b"\xff" * 36
    path.write_bytes(content)
    assert failure(TabularSource(path=str(path))).code is ExitCode.DAMAGED_PARQUET


def test_a_missing_column_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    found = failure(TabularSource(path=csv(tmp_path, HEADER.replace("volume", "volum") + "\n")))
    assert found.code is ExitCode.UNREADABLE_INPUT
    assert found.next_step == "set source.columns.volume=volum"


def test_a_mapping_of_an_unknown_column_is_a_configuration_error(tmp_path: Path) -> None:
    found = failure(TabularSource(path=csv(tmp_path, HEADER), columns={"symbl": "name"}))
    assert found.code is ExitCode.CONFIG
    assert "'symbol'" in found.next_step


@pytest.mark.parametrize("name", ["absent", "."], ids=["missing", "empty folder"])
def test_nothing_to_import_is_unreadable(tmp_path: Path, name: str) -> None:
    assert failure(TabularSource(path=str(tmp_path / name))).code is ExitCode.UNREADABLE_INPUT


def test_an_empty_file_is_unreadable(tmp_path: Path) -> None:
    assert failure(TabularSource(path=csv(tmp_path, ""))).code is ExitCode.UNREADABLE_INPUT


def test_earnings_dates_come_sorted_and_once(tmp_path: Path) -> None:
    text = "symbol,date\nA,2014-08-18\nA,2014-05-14\nA,2014-05-14\n"
    source = make_source(TabularSource(path=csv(tmp_path, text), data="earnings"))
    assert source.tasks() == []
    assert source.reference().earnings == {"A": (dt.date(2014, 5, 14), dt.date(2014, 8, 18))}


def test_borrowable_shares_come_per_day(tmp_path: Path) -> None:
    text = "symbol,date,shares\nA,2014-08-18,500\n"
    source = make_source(TabularSource(path=csv(tmp_path, text), data="borrow"))
    assert source.reference().shortable == {"A": {dt.date(2014, 8, 18): 500}}


def test_actions_of_every_kind_are_read(tmp_path: Path) -> None:
    text = (
        "symbol,ex_date,kind,numerator,denominator,amount,old_symbol\n"
        "AAPL,2014-06-09,split,7,1,,\nAAPL,2014-05-08,dividend,,,3.29,\n"
        "META,2022-06-09,rename,,,,fb\nTWTR,2022-10-28,delisting,,,,\n"
    )
    found = make_source(TabularSource(path=csv(tmp_path, text), data="actions")).actions()
    assert [one.kind for one in found] == list(ActionKind)
    assert (found[0].numerator, found[0].denominator) == (7, 1)
    assert found[1].amount == nanos("3.29")
    assert found[2].old_symbol == "FB"


@pytest.mark.parametrize(
    "row",
    [
        "A,2014-06-09,merger,1,1,,",
        "A,2014-06-09,split,1,1,,",
        "A,2014-06-09,split,1.5,1,,",
        "A,2014-06-09,dividend,,,,",
        "A,2014-06-09,rename,,,,",
        "A,soon,split,7,1,,",
    ],
)
def test_an_incomplete_action_is_refused(tmp_path: Path, row: str) -> None:
    header = "symbol,ex_date,kind,numerator,denominator,amount,old_symbol\n"
    source = make_source(TabularSource(path=csv(tmp_path, header + row), data="actions"))
    with pytest.raises(Failure) as caught:
        source.actions()
    assert caught.value.code is ExitCode.INVALID_ROW
    assert "row 1" in caught.value.where
