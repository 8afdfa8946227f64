"""Contracts of columns, structs and control messages, exported from the code that writes them.

A test compares the published files with these, so the code cannot change a layout alone::

    python -m tradingd.app.contracts_exports contracts

writes them anew; `tradingd contracts seal` must follow.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from tradingd.contracts.parquet import document_of
from tradingd.contracts.reading import read_document
from tradingd.contracts.validator import DRAFTS
from tradingd.history import schema as history
from tradingd.history.manifest import FILE_NAME, Commit
from tradingd.history.scan import Coverage
from tradingd.level2.columns import (
    HEAD,
    MAX_LEVELS,
    PRICE_SCALE,
    SCHEMA_VERSION,
    TRADES,
    level_names,
    snapshot_schema,
)
from tradingd.microstructure.report import SCHEMA_VERSION as REPORT_VERSION
from tradingd.microstructure.report import DepthReport

_DRAFT: Final = "https://" + next(name for name, word in DRAFTS.items() if word == "2020-12")
_DAY: Final = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_SYMBOL: Final = "^[A-Z0-9][A-Z0-9.-]{0,19}$"
_CONTROL: Final = "control.v1.schema.json"
_WIDTH: Final = 110
_TEXT: Final = {"type": "string"}
_WORD: Final = {"type": "string", "minLength": 1}
_UTC: Final = "Times are UTC without zone, in nanoseconds."

_PARTITIONS: Final = {
    "bars": ("bars/resolution=*/symbol=*/*.parquet", "bars/resolution=*/symbol=*/year=*/*.parquet"),
    "quotes": ("quotes/symbol=*/date=*/*.parquet",),
    "trades": ("trades/symbol=*/date=*/*.parquet",),
}


def published(root: Path) -> dict[str, dict[str, Any]]:
    """Return every exported contract by the name of its file in `schemas/`.

    `root` is the folder of contracts: the messages of the control socket are published there.
    """
    found = [
        _snapshots(),
        _l2_trades(),
        *(_history(kind.value, one) for kind, one in history.SCHEMAS.items()),
        _bars_manifest(),
        _coverage(),
        _control(root),
        _depth_report(),
    ]
    return {f"{one['x-contract']['name']}.v1.schema.json": one for one in found}


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return a contract as it is published: a line a field, so that a change reads well."""
    return (_lines(document, "") + "\n").encode()


def _lines(value: Any, indent: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    if isinstance(value, list) and len(text) > _WIDTH and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + _lines(one, inner) for one in value) + f"\n{indent}]"
    if not isinstance(value, dict) or len(indent) + len(text) <= _WIDTH:
        return text
    parts = [f"{inner}{json.dumps(k)}: {_lines(v, inner)}" for k, v in value.items()]
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


def _head(name: str, title: str, description: str, files: tuple[str, ...]) -> dict[str, Any]:
    return {
        "$schema": _DRAFT,
        "$id": f"urn:tradingd:contract:{name}:1",
        "title": title,
        "description": description,
        "x-contract": {"name": name, "files": list(files)},
    }


def _file(columns: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules of a Parquet file's description (see `parquet.describe`)."""
    return {
        "type": "object",
        "required": [
            "columns",
            "rows",
            *(["contract", "schema_version", "metadata"] if more else []),
        ],
        "properties": {
            **more,
            "rows": {"type": "integer", "minimum": 0},
            "columns": {"type": "object", "additionalProperties": False, **columns},
        },
    }


def _exact(schema: pa.Schema) -> dict[str, Any]:
    """Return the rule of a column each: name, place, type, whether it may be null."""
    stated = document_of(schema, rows=0, metadata={})["columns"]
    return {
        name: {"properties": {key: {"const": value} for key, value in one.items()}}
        for name, one in stated.items()
    }


def _snapshots() -> dict[str, Any]:
    columns = _exact(snapshot_schema(MAX_LEVELS))
    head = [field.name for field in HEAD]
    whole = {}
    for level in range(MAX_LEVELS):
        names = level_names(level)
        above = level_names(level - 1)[:1] if level else ()
        # Every level whole, and none without the one before it.
        whole[names[0]] = [*names[1:], *above]
        whole |= {name: [names[0]] for name in names[1:]}
    facts = {
        "price_scale": {"const": str(PRICE_SCALE)},
        "symbol": {"type": "string", "pattern": _SYMBOL},
        "day": {"type": "string", "pattern": _DAY},
        "levels": {"type": "string", "pattern": "^([1-9]|[1-4][0-9]|50)$"},
        "interval_ms": {"type": "string", "pattern": "^[0-9]{1,5}$"},
        "on_change": {"enum": ["true", "false"]},
        "source": _WORD,
    }
    return {
        **_head(
            "l2-snapshots",
            "Level-2 snapshots",
            "States of one symbol's order book, of live capture and backfill alike: a grid of the "
            f"data clock, or every change. Prices are 1/{PRICE_SCALE} dollar; a level that does "
            f"not exist has a null price and size 0. {_UTC} At most {MAX_LEVELS} levels a side.",
            ("*_snapshots_*.parquet",),
        ),
        **_file(
            {
                "required": [*head, *level_names(0)],
                "dependentRequired": whole,
                "properties": columns,
            },
            _stated("l2-snapshots", facts),
        ),
        "allOf": [_as_many_as_told(levels) for levels in range(1, MAX_LEVELS + 1)],
    }


def _as_many_as_told(levels: int) -> dict[str, Any]:
    """Bind the number of columns to the number of levels that the metadata states."""
    columns = len(snapshot_schema(levels))
    told = {"properties": {"tradingd.levels": {"const": str(levels)}}}
    many = {"minProperties": columns, "maxProperties": columns}
    return {
        "if": {"properties": {"metadata": told}},
        "then": {"properties": {"columns": many}},
    }


def _stated(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    keyed = {f"tradingd.{key}": rule for key, rule in facts.items()}
    return {
        "contract": {"const": name},
        "schema_version": {"enum": [SCHEMA_VERSION]},
        "metadata": {"type": "object", "required": list(keyed), "properties": keyed},
    }


def _l2_trades() -> dict[str, Any]:
    facts = {
        "symbol": {"type": "string", "pattern": _SYMBOL},
        "day": {"type": "string", "pattern": _DAY},
        "source": _WORD,
    }
    return {
        **_head(
            "l2-trades",
            "Trades beside level-2 snapshots",
            f"Trades of one symbol and window; aggressor B: a buyer took the ask. {_UTC}",
            ("*_trades_*.parquet",),
        ),
        **_file(
            {"required": TRADES.names, "properties": _exact(TRADES)}, _stated("l2-trades", facts)
        ),
    }


def _history(kind: str, schema: pa.Schema) -> dict[str, Any]:
    description = f"One file of the store's {kind}; the symbol is a folder's name. {_UTC}"
    return {
        **_head(kind, f"Stored {kind}", description, _PARTITIONS[kind]),
        **_file({"required": schema.names, "properties": _exact(schema)}, {}),
    }


def _bars_manifest() -> dict[str, Any]:
    (schema,), parts = msgspec.json.schema_components([Commit])
    return {
        **_head(
            "bars-manifest",
            "One line of the store's manifest",
            "What a download or import brought: files that appear and disappear together, and "
            "which source vouches for which times.",
            (FILE_NAME,),
        ),
        **schema,
        "$defs": {**parts, "FileRecord": _file_record(parts["FileRecord"])},
    }


def _file_record(part: dict[str, Any]) -> dict[str, Any]:
    """Add what the struct's types do not say."""
    counted = {name: {"type": "integer", "minimum": 0} for name in ("rows", "bytes")}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    inside = {"type": "string", "minLength": 1, "not": {"pattern": "^/|(^|/)[.][.](/|$)"}}
    return {
        **part,
        "properties": {**part["properties"], **counted, "sha256": digest, "path": inside},
    }


def _coverage() -> dict[str, Any]:
    (series,), parts = msgspec.json.schema_components([Coverage])
    damage = {
        "type": "object",
        "required": ["path", "problem"],
        "properties": {"path": _TEXT, "problem": _TEXT},
    }
    return {
        **_head(
            "coverage",
            "Coverage index of the store",
            "What `tradingd data scan --json` prints: per series its span, rows and sessions "
            "present and missing. `damaged` is null when hashes were not compared.",
            ("coverage.json",),
        ),
        "type": "object",
        "required": ["exit_code", "series", "damaged"],
        "properties": {
            "exit_code": {"type": "integer"},
            "series": {"type": "array", "items": series},
            "damaged": {"anyOf": [{"type": "array", "items": damage}, {"type": "null"}]},
        },
        "$defs": parts,
    }


def _depth_report() -> dict[str, Any]:
    (_,), parts = msgspec.json.schema_components([DepthReport])
    report = parts.pop("DepthReport")
    report["properties"]["schema_version"] = {"enum": [REPORT_VERSION]}
    report["required"] = ["schema_version", *report["required"]]
    return {
        **_head(
            "depth-report",
            "Report of `tradingd analyze depth`",
            "Measures of one source of order books; `definitions` says in words how.",
            ("depth_report*.json", "*_depth_report.json", "*.depth.json"),
        ),
        **{key: value for key, value in report.items() if key not in ("title", "description")},
        "$defs": parts,
    }


def _control(root: Path) -> dict[str, Any]:
    """Return the contract of one message of the control socket, recorded with its kind."""
    kinds = sorted(read_document(root / _CONTROL)["$defs"])
    parts = {kind: {"$ref": f"../{_CONTROL}#/$defs/{kind}"} for kind in kinds}
    head = _head(
        "control-message",
        "A message of the control socket",
        f"A request or answer of `{_CONTROL}`, recorded with its kind. A bare one: --as "
        "'control-message#/$defs/Status'.",
        ("*.control.json", "*.control.jsonl"),
    )
    # References to a file beside this folder need a place to start from; a urn is none.
    del head["$id"]
    return {
        **head,
        "type": "object",
        "additionalProperties": False,
        "required": ["contract", "schema_version", "message", "body"],
        "properties": {
            "contract": {"const": "control-message"},
            "schema_version": {"enum": ["1.0.0"]},
            "message": {"enum": kinds},
            "body": {},
        },
        "allOf": [
            {
                "if": {"properties": {"message": {"const": kind}}},
                "then": {"properties": {"body": {"$ref": f"#/$defs/{kind}"}}},
            }
            for kind in kinds
        ],
        "$defs": parts,
    }


if __name__ == "__main__":
    for _name, _document in published(Path(sys.argv[1])).items():
        (Path(sys.argv[1]) / "schemas" / _name).write_bytes(encoded(_document))
