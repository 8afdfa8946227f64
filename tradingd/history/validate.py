"""The store's door: a table enters only in its schema, in order, and possible in every row."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.market import DataKind
from tradingd.history.layout import Series, check_symbol, times
from tradingd.history.schema import SCHEMAS
from tradingd.kits.failure import ExitCode, Failure

type Rule = Callable[[pa.Table], pa.ChunkedArray]
"""Marks the rows that break it."""


def _below(left: str, right: str) -> Rule:
    return lambda table: pc.less(table.column(left), table.column(right))


def _not_positive(column: str) -> Rule:
    return lambda table: pc.less_equal(table.column(column), 0)


def _negative(column: str) -> Rule:
    return lambda table: pc.less(table.column(column), 0)


RULES: Final[dict[DataKind, dict[str, Rule]]] = {
    DataKind.BARS: {
        "low > 0": _not_positive("low"),
        "high >= low": _below("high", "low"),
        "high >= open": _below("high", "open"),
        "high >= close": _below("high", "close"),
        "low <= open": _below("open", "low"),
        "low <= close": _below("close", "low"),
        "volume >= 0": _negative("volume"),
    },
    # A crossed quote is a fact of the market; the quality check reports it, the store keeps it.
    DataKind.QUOTES: {
        "bid > 0": _not_positive("bid"),
        "ask > 0": _not_positive("ask"),
        "bid_size >= 0": _negative("bid_size"),
        "ask_size >= 0": _negative("ask_size"),
    },
    DataKind.TRADES: {"price > 0": _not_positive("price"), "size >= 0": _negative("size")},
}


def checked(series: Series, table: pa.Table) -> pa.Table:
    """Return the table in the store's exact schema, or refuse it.

    Raises
    ------
    Failure
        INVALID_ROW, naming symbol, time and the broken rule.
    """
    check_symbol(series.symbol)
    table = _in_schema(series, table)
    _check_order(series, table)
    for rule, broken in RULES[series.kind].items():
        _check_rule(series, table, rule, broken(table))
    return table


def _in_schema(series: Series, table: pa.Table) -> pa.Table:
    schema = SCHEMAS[series.kind]
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise _refused(series, "", f"columns {', '.join(schema.names)}", f"no {', '.join(missing)}")
    try:
        nullable = pa.schema([field.with_nullable(True) for field in schema])
        table = table.select(schema.names).cast(nullable)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise _refused(
            series, "", "values of the column types in contracts/", str(error)
        ) from error
    for field in schema:
        if not field.nullable and table.column(field.name).null_count:
            row = int(pc.index(pc.is_null(table.column(field.name)), True).as_py())
            raise _refused(series, _moment(table, row), f"a value for {field.name}", "null")
    return table.cast(schema)


def _check_order(series: Series, table: pa.Table) -> None:
    steps = np.diff(times(table))
    # Several ticks may share an instant; a bar has its time alone.
    unique = series.kind is DataKind.BARS
    wrong = np.flatnonzero(steps <= 0 if unique else steps < 0)
    if len(wrong):
        row = int(wrong[0]) + 1
        kind = "a duplicate time" if steps[row - 1] == 0 else "an earlier time than the row before"
        expected = "rows sorted by ts_event" + (", each time once" if unique else "")
        raise _refused(series, _moment(table, row), expected, kind)


def _check_rule(series: Series, table: pa.Table, rule: str, broken: pa.ChunkedArray) -> None:
    row = int(pc.index(broken, True).as_py())
    if row < 0:
        return
    values = table.slice(row, 1).to_pylist()[0]
    found = ", ".join(
        f"{key}={_plain(value)}" for key, value in values.items() if not key.startswith("ts_")
    )
    raise _refused(series, _moment(table, row), rule, found)


def _plain(value: object) -> str:
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(table: pa.Table, row: int) -> str:
    cell = table.column("ts_event")[row]
    return f"{np.datetime64(cell.value, 'ns')}Z" if cell.is_valid else f"row {row + 1}"


def _refused(series: Series, moment: str, expected: str, found: str) -> Failure:
    return Failure(
        f"{series} rows are not valid",
        code=ExitCode.INVALID_ROW,
        where=f"{series.symbol} {moment}".strip(),
        expected=expected,
        found=found,
    )
