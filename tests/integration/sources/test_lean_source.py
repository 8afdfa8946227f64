import datetime as dt
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tradingd.config.source import LeanSource
from tradingd.domain.market import DataKind
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.make import make_source


def at(utc: str) -> dt.datetime:
    """Read a naive UTC time, as the store's columns hold it."""
    return dt.datetime.fromisoformat(utc)


def put(root: Path, name: str, text: str, member: str = "data.csv") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        path.write_text(text)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, text)
    return path


def tables(root: Path, *symbols: str) -> dict[str, pa.Table]:
    source = make_source(LeanSource(path=str(root), symbols=symbols))
    return {symbol: table for task in source.tasks() for symbol, table in task.load()}


def first_row(root: Path) -> Mapping[str, Any]:
    (table,) = tables(root).values()
    row: Mapping[str, Any] = table.slice(0, 1).to_pylist()[0]
    return row


def failure(root: Path, *symbols: str) -> Failure:
    with pytest.raises(Failure) as caught:
        tables(root, *symbols)
    return caught.value


def test_a_minute_bar_is_stamped_at_its_close_in_summer_time(tmp_path: Path) -> None:
    # 09:30 New York is 34,200,000 ms after midnight; the bar closes 09:31 EDT = 13:31 UTC.
    put(
        tmp_path, "minute/spy/20140605_trade.zip", "34200000,1927000,1928000,1926500,1927500,1234\n"
    )
    assert first_row(tmp_path) == {
        "ts_event": at("2014-06-05T13:31"),
        "ts_init": at("2014-06-05T13:31"),
        "open": Decimal("192.7"),
        "high": Decimal("192.8"),
        "low": Decimal("192.65"),
        "close": Decimal("192.75"),
        "volume": 1234,
    }


def test_a_minute_bar_is_stamped_at_its_close_in_winter_time(tmp_path: Path) -> None:
    put(tmp_path, "minute/spy/20140106_trade.zip", "34200000,1827000,1828000,1826500,1827500,1\n")
    assert first_row(tmp_path)["ts_event"] == at("2014-01-06T14:31")


@pytest.mark.parametrize(
    ("day", "close"),
    [
        pytest.param("20140702", at("2014-07-02T20:00"), id="full day"),
        pytest.param("20140703", at("2014-07-03T17:00"), id="half day"),
        pytest.param("20140704", at("2014-07-04T20:00"), id="holiday: nominal 16:00"),
        pytest.param("19850102", at("1985-01-02T21:00"), id="before the calendar"),
    ],
)
def test_a_daily_bar_is_stamped_at_the_close_of_its_session(
    tmp_path: Path, day: str, close: dt.datetime
) -> None:
    put(tmp_path, "daily/spy.zip", f"{day} 00:00,10000,20000,5000,15000,7\n")
    assert first_row(tmp_path)["ts_event"] == close


def test_an_hour_bar_is_stamped_an_hour_after_its_start(tmp_path: Path) -> None:
    put(tmp_path, "hour/spy.zip", "20140605 15:00,10000,20000,5000,15000,7\n")
    (task,) = make_source(LeanSource(path=str(tmp_path))).tasks()
    assert task.resolution == "1h"
    assert first_row(tmp_path)["ts_event"] == at("2014-06-05T20:00")


def test_a_second_bar_is_stamped_a_second_after_its_start(tmp_path: Path) -> None:
    put(tmp_path, "second/spy/20140605_trade.zip", "34200000,10000,20000,5000,15000,7\n")
    assert first_row(tmp_path)["ts_event"] == at("2014-06-05T13:30:01")


def test_a_quote_bar_becomes_its_closing_quote_with_a_missing_side(tmp_path: Path) -> None:
    put(
        tmp_path,
        "minute/foxa/20130701_quote.zip",
        "34200000,270000,272000,269000,271000,300,,,,,0\n34260000,1,1,1,270100,2,1,1,1,270200,3\n",
    )
    (table,) = tables(tmp_path).values()
    assert table.to_pylist() == [
        {
            "ts_event": at("2013-07-01T13:31"),
            "ts_init": at("2013-07-01T13:31"),
            "bid": Decimal("27.1"),
            "ask": None,
            "bid_size": 300,
            "ask_size": None,
        },
        {
            "ts_event": at("2013-07-01T13:32"),
            "ts_init": at("2013-07-01T13:32"),
            "bid": Decimal("27.01"),
            "ask": Decimal("27.02"),
            "bid_size": 2,
            "ask_size": 3,
        },
    ]


def test_tick_trades_keep_exchange_conditions_and_the_suspicious_flag(tmp_path: Path) -> None:
    put(tmp_path, "tick/ibm/20131007_trade.zip", "34200001,1815200,283,P,20002020,1\n")
    row = first_row(tmp_path)
    assert row["ts_event"] == at("2013-10-07T13:30:00.001000")
    assert (row["price"], row["size"]) == (Decimal("181.52"), 283)
    assert (row["exchange"], row["conditions"], row["suspicious"]) == ("P", "20002020", True)


def test_suspicious_and_empty_tick_quotes_are_left_out_and_counted(tmp_path: Path) -> None:
    put(
        tmp_path,
        "tick/ibm/20131007_quote.zip",
        "34200001,1800100,300,0,0,P,1,0\n"
        "34200002,1800100,300,1800200,1,P,1,1\n"
        "34200003,0,0,0,0,P,1,0\n",
    )
    (task,) = make_source(LeanSource(path=str(tmp_path))).tasks()
    ((_, table),) = task.load()
    assert table.num_rows == 1
    assert table["ask"].to_pylist() == [None]
    assert task.skipped == {"empty_quote": 1, "suspicious_quote": 1}


def test_finer_quotes_stand_in_for_coarser_ones_of_the_same_day(tmp_path: Path) -> None:
    minute = "34200000,1,1,1,1,1,2,2,2,2,1\n"
    put(tmp_path, "minute/spy/20131007_quote.zip", minute)
    put(tmp_path, "minute/spy/20131008_quote.zip", minute)
    put(tmp_path, "second/spy/20131007_quote.zip", minute)
    tasks = make_source(LeanSource(path=str(tmp_path))).tasks()
    assert [task.label for task in tasks] == [
        "minute/spy/20131008_quote.zip",
        "second/spy/20131007_quote.zip",
    ]
    assert {task.kind for task in tasks} == {DataKind.QUOTES}


def test_one_file_is_split_between_the_securities_its_ticker_stood_for(tmp_path: Path) -> None:
    line = "{} 00:00,10000,20000,5000,15000,7\n"
    days = ("20040819", "20140402", "20140403")
    put(tmp_path, "daily/goog.zip", "".join(line.format(day) for day in days))
    put(tmp_path, "map_files/goog.csv", "20140327,goocv,Q\n20140402,goocv,Q\n20501231,goog,Q\n")
    put(tmp_path, "map_files/googl.csv", "20040819,goog,Q\n20140402,goog,Q\n20501231,googl,Q\n")
    rows = {symbol: table.num_rows for symbol, table in tables(tmp_path).items()}
    assert rows == {"GOOGL": 2, "GOOG": 1}
    assert {s: t.num_rows for s, t in tables(tmp_path, "GOOGL").items()} == {"GOOGL": 2}


def test_symbols_are_upper_case_and_keep_their_dots(tmp_path: Path) -> None:
    put(tmp_path, "minute/tap.a/20140605_trade.zip", "34200000,10000,20000,5000,15000,7\n")
    assert list(tables(tmp_path)) == ["TAP.A"]


def test_shortable_lists_are_filed_under_the_security_of_that_day(tmp_path: Path) -> None:
    put(tmp_path, "daily/goocv.zip", "20140328 00:00,10000,20000,5000,15000,7\n")
    put(tmp_path, "map_files/goog.csv", "20140327,goocv,Q\n20140402,goocv,Q\n20501231,goog,Q\n")
    put(tmp_path, "shortable/broker/symbols/goocv.csv", "20140328,5000,3.85,\n")
    put(tmp_path, "shortable/broker/dates/20140328.csv", "GOOCV,4000\nAAPL,400\n")
    reference = make_source(LeanSource(path=str(tmp_path))).reference()
    day = dt.date(2014, 3, 28)
    assert reference.shortable == {"AAPL": {day: 400}, "GOOG": {day: 4000}}


def test_a_zip_that_is_not_a_zip_is_a_damaged_archive(tmp_path: Path) -> None:
    put(tmp_path, "daily/spy.zip", "x").write_bytes(b"not a zip at all")
    found = failure(tmp_path)
    assert found.code is ExitCode.DAMAGED_ARCHIVE
    assert found.where == "daily/spy.zip"


def test_a_wrong_checksum_is_a_damaged_archive(tmp_path: Path) -> None:
    path = put(tmp_path, "daily/spy.zip", "20140605 00:00,10000,20000,5000,15000,7\n")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"15000", b"15001"))
    assert failure(tmp_path).code is ExitCode.DAMAGED_ARCHIVE


@pytest.mark.parametrize(
    ("member", "text"), [("data.txt", "x"), ("data.csv", "\n")], ids=["no csv", "empty csv"]
)
def test_a_zip_without_rows_is_a_damaged_archive(tmp_path: Path, member: str, text: str) -> None:
    put(tmp_path, "daily/spy.zip", text, member)
    assert failure(tmp_path).code is ExitCode.DAMAGED_ARCHIVE


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("10000,9000,9500,9200,7", "high_below_low"),
        ("30000,20000,5000,15000,7", "open_outside_range"),
        ("10000,20000,5000,4000,7", "close_outside_range"),
        ("10000,20000,0,15000,7", "non_positive_price"),
        ("10000,20000,5000,15000,-1", "negative_volume"),
    ],
)
def test_an_impossible_bar_is_refused_with_file_row_symbol_time_and_rule(
    tmp_path: Path, line: str, rule: str
) -> None:
    sound = "20140604 00:00,10000,20000,5000,15000,7"
    put(tmp_path, "daily/spy.zip", f"{sound}\n20140605 00:00,{line}\n")
    found = failure(tmp_path)
    assert found.code is ExitCode.INVALID_ROW
    assert found.what == f"invalid row ({rule})"
    assert found.where == "daily/spy.zip, row 2, SPY at 2014-06-05T20:00:00Z"
    assert "\n" not in found.line()


def test_a_repeated_time_is_refused(tmp_path: Path) -> None:
    line = "20140605 00:00,10000,20000,5000,15000,7\n"
    put(tmp_path, "daily/spy.zip", line + line)
    assert failure(tmp_path).what == "invalid row (repeated_time)"


@pytest.mark.parametrize("line", ["34200000,1,1,x,1,1", "34200000,1,1"], ids=["text", "short"])
def test_an_unreadable_value_is_refused_with_its_row(tmp_path: Path, line: str) -> None:
    put(tmp_path, "minute/spy/20140605_trade.zip", f"34140000,1,1,1,1,1\n{line}\n")
    found = failure(tmp_path)
    assert found.code is ExitCode.INVALID_ROW
    assert "Row #2" in found.found


@pytest.mark.parametrize(
    "folders", [(), ("daily",), ("other",)], ids=["missing", "empty", "unknown layout"]
)
def test_a_folder_without_lean_data_is_unreadable(tmp_path: Path, folders: tuple[str, ...]) -> None:
    root = tmp_path / "lean"
    for name in folders:
        (root / name).mkdir(parents=True)
    assert failure(root).code is ExitCode.UNREADABLE_INPUT


def test_a_file_name_that_says_nothing_is_unreadable(tmp_path: Path) -> None:
    put(tmp_path, "minute/spy/20149905_trade.zip", "x")
    found = failure(tmp_path)
    assert found.code is ExitCode.UNREADABLE_INPUT
    assert "20149905_trade.zip" in found.where


def test_an_unknown_symbol_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    put(tmp_path, "daily/aapl.zip", "20140605 00:00,10000,20000,5000,15000,7\n")
    found = failure(tmp_path, "APPL")
    assert found.code is ExitCode.UNKNOWN_SYMBOL
    assert "AAPL" in found.expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map_files/spy.csv", "1998-01-02,spy,P\n"),
        ("factor_files/spy.csv", "19980102,zero,1,1\n"),
        ("factor_files/spy.csv", "19980102,0,1,1\n"),
        ("shortable/b/symbols/spy.csv", "20140328,many\n"),
    ],
)
def test_a_bad_row_of_a_side_file_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    put(tmp_path, "daily/spy.zip", "20140605 00:00,10000,20000,5000,15000,7\n")
    put(tmp_path, name, text)
    source = make_source(LeanSource(path=str(tmp_path)))
    with pytest.raises(Failure) as caught:
        source.actions(), source.reference()
    assert caught.value.code is ExitCode.INVALID_ROW
    assert caught.value.where == f"{name}, row 1"
