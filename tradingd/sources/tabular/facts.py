"""Earnings dates, borrowable shares and corporate actions out of small tables."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.kits.failure import ExitCode, Failure
from tradingd.sources.tabular import values
from tradingd.sources.tabular.layouts import LAYOUTS
from tradingd.sources.tabular.reading import read_table
from tradingd.sources.tabular.symbols import upper_symbols

_ACTION_FORMS: Final = {
    ActionKind.SPLIT: "numerator and denominator of at least 1, and different",
    ActionKind.DIVIDEND: "an amount above zero",
    ActionKind.RENAME: "an old_symbol",
    ActionKind.DELISTING: "a date",
}


class Record(msgspec.Struct, frozen=True):
    """One row: its cells by layout column, and where it is."""

    cells: Mapping[str, Any]
    place: str


def earnings(files: list[Path], names: Mapping[str, str]) -> dict[str, tuple[dt.date, ...]]:
    """Return announcement dates per symbol, sorted, each once."""
    found: dict[str, set[dt.date]] = {}
    for record in _records(files, "earnings", names):
        found.setdefault(record.cells["symbol"], set()).add(record.cells["date"])
    return {symbol: tuple(sorted(days)) for symbol, days in sorted(found.items())}


def borrow(files: list[Path], names: Mapping[str, str]) -> dict[str, dict[dt.date, int]]:
    """Return borrowable shares per symbol and day; the last row of a day counts."""
    found: dict[str, dict[dt.date, int]] = {}
    for record in _records(files, "borrow", names):
        shares = _whole(record, "shares", least=0)
        found.setdefault(record.cells["symbol"], {})[record.cells["date"]] = shares
    return found


def actions(files: list[Path], names: Mapping[str, str], source: str) -> list[CorporateAction]:
    """Return the corporate actions in the order of the files."""
    return [_action(record, source) for record in _records(files, "actions", names)]


def _action(record: Record, source: str) -> CorporateAction:
    cells = record.cells
    try:
        kind = ActionKind(str(cells["kind"]).lower())
    except ValueError:
        raise _invalid(record, "one of " + ", ".join(ActionKind)) from None
    action = CorporateAction(
        symbol=cells["symbol"],
        ex_date=cells["ex_date"],
        kind=kind,
        numerator=_whole(record, "numerator", least=1, default=1),
        denominator=_whole(record, "denominator", least=1, default=1),
        amount=_amount(record),
        old_symbol=str(cells.get("old_symbol") or "").upper(),
        source=source,
    )
    complete = {
        ActionKind.SPLIT: action.numerator != action.denominator,
        ActionKind.DIVIDEND: action.amount > 0,
        ActionKind.RENAME: bool(action.old_symbol),
        ActionKind.DELISTING: True,
    }
    if not complete[kind]:
        raise _invalid(record, f"{kind} with {_ACTION_FORMS[kind]}")
    return action


def _records(files: list[Path], data: str, names: Mapping[str, str]) -> Iterator[Record]:
    for path in files:
        table = read_table(path, LAYOUTS[data], names)
        table = table.set_column(
            table.column_names.index("symbol"), "symbol", upper_symbols(table["symbol"], path.name)
        )
        for column in LAYOUTS[data]:
            if column.form == "date":
                table = _with_dates(table, column.name, path.name)
        for number, cells in enumerate(table.to_pylist(), 1):
            yield Record(cells, f"{path.name}, row {number}, {cells['symbol']}")


def _with_dates(table: pa.Table, name: str, label: str) -> pa.Table:
    try:
        days = pa.array(values.dates(table[name]), pa.date32())
    except values.Unreadable as error:
        raise Failure(
            "invalid row (unreadable value)",
            code=ExitCode.INVALID_ROW,
            where=f"{label}, row {error.row + 1}",
            expected=error.expected,
            found=str(table[name][error.row].as_py()),
        ) from None
    if table[name].null_count:
        row = table[name].is_null().index(True).as_py()
        raise _invalid(Record({}, f"{label}, row {row + 1}"), f"a {name}")
    return table.set_column(table.column_names.index(name), name, days)


def _whole(record: Record, name: str, *, least: int, default: int | None = None) -> int:
    value = record.cells.get(name)
    if value is None and default is not None:
        return default
    if value is None or value != value // 1 or value < least:
        raise _invalid(record, f"{name}: a whole number of at least {least}")
    return int(value)


def _amount(record: Record) -> int:
    value = record.cells.get("amount")
    try:
        return nanos(Decimal(str(value))) if value is not None else 0
    except (ValueError, ArithmeticError):
        raise _invalid(record, "amount: dollars with at most nine decimals") from None


def _invalid(record: Record, expected: str) -> Failure:
    return Failure(
        "invalid row",
        code=ExitCode.INVALID_ROW,
        where=record.place,
        expected=expected,
        found=", ".join(f"{name}={value}" for name, value in record.cells.items()),
    )
