"""Trade logs as files: spreadsheets, exports, and what people do to them."""

import contextlib
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from tradingd.backfill.tradelog.names import NAMES
from tradingd.backfill.tradelog.reading import Entry, Format, Note, Rejected, read_log
from tradingd.kits.failure import ExitCode, Failure

DAY = dt.date(2025, 4, 3)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Workbook:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return book


def entries(path: Path, **form: object) -> list[tuple[str, dt.date]]:
    found = read_log(path, Format(**form))
    return [(one.symbol, one.day) for one in found if isinstance(one, Entry)]


def rejected(path: Path, **form: object) -> list[tuple[str, str]]:
    found = read_log(path, Format(**form))
    return [(one.place, one.reason) for one in found if isinstance(one, Rejected)]


def notes(path: Path, **form: object) -> list[str]:
    return [one.text for one in read_log(path, Format(**form)) if isinstance(one, Note)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_is_read_whatever_its_separator_and_encoding(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    rows = [("Trade Date", "Größe", "TICKER"), ("2025-04-03", "10", "FROG")]
    text = "\r\n".join(separator.join(row) for row in rows)
    assert entries(written(tmp_path / "log.csv", text, encoding)) == [("FROG", DAY)]


@pytest.mark.parametrize(
    ("symbol", "date"),
    [*((name, "Date") for name in NAMES["symbol"]), *(("Symbol", name) for name in NAMES["date"])],
)
def test_every_known_name_of_a_column_is_found_in_any_spelling(
    tmp_path: Path, symbol: str, date: str
) -> None:
    head = f"{date.title().replace(' ', '_')},{symbol.upper().replace(' ', '-')} "
    path = written(tmp_path / "log.csv", f"{head}\n2025-04-03,FROG\n")
    assert entries(path) == [("FROG", DAY)]


def test_titles_and_sums_around_the_table_do_no_harm(tmp_path: Path) -> None:
    text = (
        'sep=,\nJournal of a day trader,,\n,,\n"P&L, total",12,\nDate,Symbol,P&L\n'
        "4/3/2025,FROG,1\n,,\nDate,Symbol,P&L\n4/3/2025,AAPL,2\nTotal,,3\n"
    )
    path = written(tmp_path / "log.csv", text)
    assert entries(path) == [("FROG", DAY), ("AAPL", DAY)]
    assert rejected(path) == [("line 10", "no symbol")]


def test_a_row_that_cannot_be_used_is_told_by_its_number_and_why(tmp_path: Path) -> None:
    text = "Date,Symbol\n4/3/2025,\n,FROG\n4/3/2025\nx,FROG\n4/3/2025,FROG\n"
    path = written(tmp_path / "log.csv", text)
    assert [place for place, _ in rejected(path)] == ["line 2", "line 3", "line 4", "line 5"]
    assert entries(path) == [("FROG", DAY)]


def test_a_line_break_within_quotes_does_not_shift_the_numbers(tmp_path: Path) -> None:
    text = 'Date,Symbol,Notes\n4/3/2025,FROG,"one\ntwo"\n4/3/2025,,bad\n'
    assert rejected(written(tmp_path / "log.csv", text))[0][0] == "line 4"


def test_other_names_of_columns_can_be_told(tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", "Wann,Was,Date\n4/3/2025,FROG,x\n")
    assert entries(path, columns={"symbol": "was", "date": "WANN"}) == [("FROG", DAY)]
    with pytest.raises(Failure) as refused:
        entries(path)
    assert refused.value.code is ExitCode.UNREADABLE_INPUT
    assert "Wann, Was, Date" in refused.value.found
    with pytest.raises(Failure) as refused:
        entries(path, columns={"symbl": "Was"})
    assert (refused.value.code, refused.value.where) == (ExitCode.CONFIG, "backfill.columns.symbl")
    assert "symbol" in refused.value.next_step


def test_of_several_columns_the_better_name_counts_and_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", "Exec Time,Date,Symbol\n1/1/2020,4/3/2025,FROG\n")
    assert entries(path) == [("FROG", DAY)]
    assert notes(path) == ["2 columns could be the date: Date, Exec Time; the first is read"]


def test_a_workbook_is_read_with_its_real_dates(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    rows = [
        ("Trades", None),
        ("Trade Date", "Stock"),
        (dt.datetime(2025, 4, 3), "FROG"),  # noqa: DTZ001 - as spreadsheets hold it
        (45_750, "aapl"),
        (None, None),
        ("4/3/2025", True),
        (dt.time(9, 31), "X"),
    ]
    workbook(path, {"Log": rows})
    assert entries(path) == [("FROG", DAY), ("AAPL", DAY), ("TRUE", DAY)]
    assert rejected(path) == [("Log, row 7", "a time of day without its date")]


def test_every_visible_sheet_with_the_columns_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    table = [("Date", "Symbol"), (DAY, "FROG")]
    book = workbook(
        path, {"April": table, "Rules": [("Never average down",)], "Old": [*table, (DAY, "OLD")]}
    )
    book["Old"].sheet_state = "hidden"
    book.create_sheet("May").append(["Date", "Symbol"])
    book["May"].append([dt.date(2025, 5, 1), "AAPL"])
    book.save(path)
    assert entries(path) == [("FROG", DAY), ("AAPL", dt.date(2025, 5, 1))]
    assert notes(path) == [
        "sheet 'Rules' has no symbol and date columns",
        "sheet 'Old' is hidden and was left out",
    ]
    assert entries(path, sheet="old") == [("FROG", DAY), ("OLD", DAY)]
    with pytest.raises(Failure) as refused:
        entries(path, sheet="June")
    assert refused.value.expected == "April, Rules, Old, May"


def test_cells_merged_over_rows_hold_for_each_of_them(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    rows = [("Date", "Symbol"), (DAY, "FROG"), (None, "AAPL"), (None, "MSFT"), (None, "TSLA")]
    book = workbook(path, {"Log": rows})
    book["Log"].merge_cells("A2:A4")
    book.save(path)
    assert [symbol for symbol, _ in entries(path)] == ["FROG", "AAPL", "MSFT"]
    assert rejected(path)[0][0] == "Log, row 5"


def test_a_formula_that_was_never_computed_is_no_empty_cell_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    workbook(path, {"Log": [("Date", "Symbol"), ("=TODAY()", "FROG")]})
    ((place, reason),) = rejected(path)
    assert place == "Log, row 2"
    assert "formula" in reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.xlsx", b"no workbook"),
        ("log.xlsx", b"PK\x03\x04 cut"),
        ("log.xls", b"\xd0\xcf\x11\xe0"),
        ("log", b"Date,Symbol\n"),
        ("log.csv", b""),
        ("log.csv", b"Price,Size\n1,2\n"),
        ("log.csv", bytes(range(256)) * 8),
    ],
)
def test_what_is_no_trade_log_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Failure) as refused:
        entries(path)
    assert refused.value.code is ExitCode.UNREADABLE_INPUT
    assert str(path) in refused.value.where
    assert refused.value.next_step


def test_a_workbook_cut_anywhere_is_refused_or_read_but_never_breaks(tmp_path: Path) -> None:
    whole = tmp_path / "whole.xlsx"
    workbook(whole, {"Log": [("Date", "Symbol"), *((DAY, "FROG") for _ in range(50))]})
    content = whole.read_bytes()
    cut = tmp_path / "cut.xlsx"
    for length in range(0, len(content), 97):
        cut.write_bytes(content[:length])
        with pytest.raises(Failure):
            entries(cut)
    damaged = bytearray(content)
    for place in range(0, len(content), 61):
        damaged[place] ^= 0x55
        cut.write_bytes(damaged)
        damaged[place] ^= 0x55
        with contextlib.suppress(Failure):
            entries(cut)
