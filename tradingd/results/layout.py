"""File names of a run folder and the column layouts of its tables.

The layouts are derived from the record structs (field order is column order) and published in
`contracts/results-*.json`.
"""

import types
from collections.abc import Mapping
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from tradingd.domain.money import Nanos
from tradingd.domain.records import (
    CashRecord,
    DenialRecord,
    EquityRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
)

PRICE: Final = pa.decimal128(18, 9)
"""Dollars per share, as in the history store."""

AMOUNT: Final = pa.decimal128(28, 9)
"""Sums of money: an account may exceed DECIMAL(18,9), whose limit is one billion dollars."""

TIME: Final = pa.timestamp("ns")
"""Naive UTC nanoseconds."""

RECORDS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "orders": OrderRecord,
    "fills": FillRecord,
    "positions": PositionRecord,
    "equity": EquityRecord,
    "denials": DenialRecord,
    "cash": CashRecord,
}

MANIFEST: Final = "manifest.json"
METRICS: Final = "metrics.json"
TEARSHEET: Final = "tearsheet.html"
TIMING: Final = "timing.json"
ERROR: Final = "error.json"


def table_file(table: str) -> str:
    """Return the file name of a result table."""
    return f"{table}.parquet"


def schema(table: str) -> pa.Schema:
    """Return the column layout of a result table."""
    record = RECORDS[table]
    hints = get_type_hints(record)
    return pa.schema(
        [_field(field.name, hints[field.name]) for field in msgspec.structs.fields(record)]
    )


def describe(table: str) -> dict[str, Any]:
    """Return the published description of a result table."""
    record = RECORDS[table]
    columns = [
        {"name": field.name, "type": _type_name(field.type), "nullable": field.nullable}
        for field in schema(table)
    ]
    summary = (record.__doc__ or "").strip().splitlines()[0]
    return {"table": table, "file": table_file(table), "rows": summary, "columns": columns}


def _field(name: str, hint: Any) -> pa.Field:
    nullable = get_origin(hint) in (Union, types.UnionType)
    kind = next(one for one in get_args(hint) if one is not type(None)) if nullable else hint
    return pa.field(name, _arrow_type(name, kind), nullable)


def _arrow_type(name: str, kind: Any) -> pa.DataType:
    if kind is Nanos:
        return PRICE if name.endswith("price") else AMOUNT
    if kind is str:
        return pa.string()
    if kind is int:
        return TIME if name == "ts" or name.startswith("ts_") else pa.int64()
    raise TypeError(f"no column type for {name}: {kind}")


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP_NS"
    return "VARCHAR" if pa.types.is_string(kind) else "BIGINT"
