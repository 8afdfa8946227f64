"""Write every table of a journal to Parquet, for DuckDB and its like.

Prices are DECIMAL(18,9), other money DECIMAL(28,9), times naive UTC TIMESTAMP_NS, truth BOOLEAN, as
in the result files of a backtest. Each file is complete or not there.
"""

import sqlite3
import types
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tradingd.domain.money import Nanos
from tradingd.journal.audit import AuditLine
from tradingd.journal.layout import TABLES, select_sql
from tradingd.journal.opening import reading
from tradingd.kits.atomicfile import replacing
from tradingd.kits.failure import ExitCode, Failure

ROWS: Final = 50_000
"""Rows per row group, and the most that wait in memory."""

PRICE: Final = pa.decimal128(18, 9)
AMOUNT: Final = pa.decimal128(28, 9)
TIME: Final = pa.timestamp("ns")

_PRICES: Final = frozenset(
    ("price", "limit", "stop", "protective_stop", "take_profit", "entry_price", "exit_price")
)
_TIMES: Final = frozenset(
    ("ts", "wall", "closed_wall", "ts_opened", "ts_closed", "since", "expires", "due", "started",
     "ended")
)  # fmt: skip


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was written."""

    table: str
    file: str
    rows: int


def export(path: Path, folder: Path) -> tuple[Exported, ...]:
    """Write ``TABLE.parquet`` for every table, from one snapshot of the journal.

    Raises
    ------
    Failure
        JOURNAL when the journal cannot be read; USAGE when `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise Failure(
            "the target is no folder", code=ExitCode.USAGE, where="--to", found=str(folder)
        )
    wanted = [(table.name, table.record, f"{select_sql(table)} ORDER BY id") for table in TABLES]
    audit = ", ".join(AuditLine.__struct_fields__)
    wanted.append(("audit", AuditLine, f"SELECT {audit} FROM audit ORDER BY number"))
    with reading(path) as connection:
        return tuple(
            _write(connection, name, record, statement, folder)
            for name, record, statement in wanted
        )


def layout(record: type[msgspec.Struct]) -> pa.Schema:
    """Return the columns of a record's file."""
    hints = get_type_hints(record)
    return pa.schema([_field(name, hints[name]) for name in record.__struct_fields__])


def _write(
    connection: sqlite3.Connection,
    name: str,
    record: type[msgspec.Struct],
    statement: str,
    folder: Path,
) -> Exported:
    columns = layout(record)
    target = folder / f"{name}.parquet"
    rows = 0
    found = connection.execute(statement)
    with replacing(target) as temporary:
        with pq.ParquetWriter(
            temporary, columns, version="2.6", compression="zstd", store_decimal_as_integer=True
        ) as writer:
            while batch := found.fetchmany(ROWS):
                writer.write_table(_table(batch, columns))
                rows += len(batch)
    return Exported(table=name, file=str(target), rows=rows)


def _table(rows: Sequence[Sequence[Any]], columns: pa.Schema) -> pa.Table:
    arrays = [
        _array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=columns)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array([bool(value) for value in values], kind)
    if not pa.types.is_decimal(kind):
        return pa.array(values, kind)
    exact = [None if value is None else Decimal(value).scaleb(-9) for value in values]
    return pa.array(exact, kind)


def _field(name: str, hint: Any) -> pa.Field:
    nullable = get_origin(hint) in (Union, types.UnionType)
    kind = next(one for one in get_args(hint) if one is not type(None)) if nullable else hint
    return pa.field(name, _arrow_type(name, kind), nullable)


def _arrow_type(name: str, kind: Any) -> pa.DataType:
    if kind is Nanos:
        return PRICE if name in _PRICES else AMOUNT
    if kind is int:
        return TIME if name in _TIMES else pa.int64()
    return {str: pa.string(), bool: pa.bool_(), bytes: pa.binary()}[kind]
