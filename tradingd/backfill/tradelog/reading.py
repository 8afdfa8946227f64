"""A trade log to entries and to what could not be read of it, nothing silently."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import msgspec

from tradingd.backfill.tradelog.cells import NotRead, day_of, symbol_of
from tradingd.backfill.tradelog.names import Columns, check_overrides, find_columns, plain
from tradingd.backfill.tradelog.sheet import Row, Sheet
from tradingd.backfill.tradelog.text import open_text
from tradingd.backfill.tradelog.workbook import open_workbook
from tradingd.kits.failure import ExitCode, Failure

LOOK_ROWS: Final = 60
"""Rows in which the header must be; titles and sums may stand above it."""

_WORKBOOKS: Final = (".xlsx", ".xlsm")
_TEXTS: Final = (".csv", ".tsv", ".txt")


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How a log is read where it does not say itself.

    Parameters
    ----------
    columns : mapping
        Field (``symbol``, ``date``) -> the column's name.
    sheet : str
        Only this sheet, a hidden one too; empty: every visible one that has the columns.
    day_first : bool
        3/4/2025 is the third of April.
    """

    columns: Mapping[str, str] = {}
    sheet: str = ""
    day_first: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could be read: somebody traded `symbol` on `day`."""

    place: str
    symbol: str
    day: dt.date


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be used: where it is, and why."""

    place: str
    reason: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell about the file as a whole."""

    text: str


def read_log(path: Path, form: Format) -> Iterator[Entry | Rejected | Note]:
    """Yield what is in a trade log, in its order.

    Raises
    ------
    Failure
        UNREADABLE_INPUT: no such file, no header, a damaged workbook, a format that is not read;
        CONFIG: `columns` names an unknown field.
    """
    check_overrides(form.columns)
    seen: list[Sequence[object]] = []
    tables = 0
    with _opened(path, form) as sheets:
        for sheet in _chosen(path, sheets, form.sheet):
            if not sheet.visible and not form.sheet:
                yield Note(text=f"sheet {sheet.name!r} is hidden and was left out")
                continue
            rows = iter(sheet.rows)
            columns = _header(rows, form.columns, seen)
            if columns is None:
                if sheet.name:
                    yield Note(text=f"sheet {sheet.name!r} has no symbol and date columns")
                continue
            tables += 1
            yield from (Note(text=doubt) for doubt in columns.doubts)
            yield from _entries(sheet, rows, columns, form)
    if not tables:
        raise _no_header(path, seen, form.columns)


def _opened(path: Path, form: Format) -> AbstractContextManager[list[Sheet]]:
    if not path.is_file():
        raise Failure(
            "there is no such trade log",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected="an .xlsx or .csv file",
            found="a folder" if path.is_dir() else "nothing",
            next_step="name it with --log or backfill.log",
        )
    kind = path.suffix.lower()
    if kind in _WORKBOOKS:
        return open_workbook(path)
    if kind in _TEXTS:
        return open_text(
            path, lambda cells: find_columns(cells, form.columns) is not None, LOOK_ROWS
        )
    raise Failure(
        "trade logs of this kind are not read",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected=", ".join((*_WORKBOOKS, *_TEXTS)),
        found=kind or "a name without an ending",
        next_step="save it as .xlsx or .csv",
    )


def _chosen(path: Path, sheets: Sequence[Sheet], name: str) -> Sequence[Sheet]:
    if not name:
        return sheets
    chosen = [one for one in sheets if one.name.casefold() == name.casefold()]
    if not chosen:
        raise Failure(
            "the trade log has no such sheet",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected=", ".join(one.name for one in sheets if one.name) or "a workbook",
            found=name,
            next_step="set backfill.sheet",
        )
    return chosen


def _header(
    rows: Iterator[Row], overrides: Mapping[str, str], seen: list[Sequence[object]]
) -> Columns | None:
    """Walk to the header; rows that were not it are kept for a refusal."""
    for count, (_, cells) in enumerate(rows, start=1):
        if columns := find_columns(cells, overrides):
            return columns
        seen.append(cells)
        if count >= LOOK_ROWS:
            break
    return None


def _entries(
    sheet: Sheet, rows: Iterator[Row], columns: Columns, form: Format
) -> Iterator[Entry | Rejected]:
    for number, cells in rows:
        if all(cell is None or not str(cell).strip() for cell in cells):
            continue
        if cells == columns.header:
            continue
        place = sheet.place(number)
        symbol_cell, date_cell = _cell(cells, columns.symbol), _cell(cells, columns.date)
        try:
            symbol = symbol_of(symbol_cell)
            day = day_of(date_cell, day_first=form.day_first, epoch=sheet.epoch)
        except NotRead as problem:
            yield Rejected(place=place, reason=_reason(str(problem), sheet))
        else:
            yield Entry(place=place, symbol=symbol, day=day)


def _cell(cells: Sequence[object], place: int) -> object:
    return cells[place] if place < len(cells) else None


def _reason(problem: str, sheet: Sheet) -> str:
    if sheet.name and problem in ("no symbol", "no date"):
        # The streaming reader cannot tell an empty cell from one whose value was never saved.
        return f"{problem} (or a formula that no spreadsheet program has computed yet)"
    return problem


def _no_header(
    path: Path, seen: Sequence[Sequence[object]], overrides: Mapping[str, str]
) -> Failure:
    widest = max(seen, key=lambda cells: sum(1 for one in cells if plain(one)), default=())
    named = [str(one).strip() for one in widest if plain(one)][:12]
    return Failure(
        "the trade log has no row that names a symbol and a date column",
        code=ExitCode.UNREADABLE_INPUT,
        where=str(path),
        expected=", ".join(overrides.values()) or "columns such as Symbol and Date",
        found=", ".join(named) or "an empty file",
        next_step="tell the names: 'backfill.columns={symbol: NAME, date: NAME}'",
    )
