"""What other programs may rely on: the columns, folders and manifest lines of a store.

Published as `contracts/history-*.json`.
"""

from typing import Any, Final

import msgspec
import pyarrow as pa

from tradingd.history.manifest import FILE_NAME, Commit
from tradingd.history.reference import KEYS, TABLES
from tradingd.history.schema import BARS, QUOTES, TRADES

_FOLDERS: Final = {
    "bars": "bars/resolution={1s|1m|1h|1d}/symbol={SYMBOL}/[year={YYYY}/, of 1s and 1m]",
    "quotes": "quotes/symbol={SYMBOL}/date={YYYY-MM-DD}/",
    "trades": "trades/symbol={SYMBOL}/date={YYYY-MM-DD}/",
}

_SQL: Final = {
    "timestamp[ns]": "TIMESTAMP_NS",
    "decimal128(18, 9)": "DECIMAL(18,9)",
    "int64": "BIGINT",
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
}


def published() -> dict[str, Any]:
    """Return every contract of the store by name."""
    data = {
        name: _table(name, schema, _FOLDERS[name], ["ts_event"])
        for name, schema in (("bars", BARS), ("quotes", QUOTES), ("trades", TRADES))
    }
    facts = {
        name: _table(name, schema, f"reference/{name}/", list(KEYS[name]))
        for name, schema in TABLES.items()
    }
    return {**data, **facts, "manifest": _manifest()}


def _table(name: str, schema: pa.Schema, folder: str, order: list[str]) -> dict[str, Any]:
    return {
        "table": name,
        "files": f"{folder}*.parquet",
        "sorted_by": order,
        "times": "UTC without zone; a bar's ts_event is its close",
        "columns": [
            {"name": field.name, "type": _SQL[str(field.type)], "nullable": field.nullable}
            for field in schema
        ],
    }


def _manifest() -> dict[str, Any]:
    schema = msgspec.json.schema(Commit)
    return {"file": FILE_NAME, "lines": "one commit each, appended", "line": schema}
