"""A Parquet file as a JSON document: its columns and its metadata, from the footer alone.

Contracts of columns are ordinary JSON Schemas over this document::

    {"contract": "l2-snapshots", "schema_version": "1.0.0", "rows": 72000,
     "metadata": {"tradingd.symbol": "FROG", ...},
     "columns": {"symbol": {"position": 0, "type": "string", "nullable": false}, ...}}

`contract` and `schema_version` are those metadata keys of the file that are, or end in,
``.contract`` and ``.schema_version``. Types are Arrow's names; how texts are encoded
(large, dictionary) is not told, since every reader undoes it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from tradingd.contracts.reading import open_regular
from tradingd.kits.failure import ExitCode, Failure


def describe(path: Path) -> dict[str, Any]:
    """Return the description of a Parquet file.

    Raises
    ------
    Failure
        DAMAGED_PARQUET when the footer cannot be read, or names a column twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_regular(path) as stream:
        try:
            file = pq.ParquetFile(stream)
            schema, facts = file.schema_arrow, file.metadata
            return document_of(schema, rows=facts.num_rows, metadata=facts.metadata or {})
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise Failure(
                "a Parquet file cannot be read",
                code=ExitCode.DAMAGED_PARQUET,
                where=str(path),
                expected="a footer with columns of distinct names",
                found=str(error)[:200],
            ) from error


def document_of(schema: Any, *, rows: int, metadata: dict[bytes, bytes]) -> dict[str, Any]:
    """Return the description of a `pyarrow.Schema` and key-value metadata."""
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise ValueError(f"the column {twice[0]} twice")
    texts = {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in metadata.items()
        if not key.startswith((b"ARROW:", b"pandas"))
    }
    columns = {
        field.name: {"position": place, "type": _type(field.type), "nullable": field.nullable}
        for place, field in enumerate(schema)
    }
    document: dict[str, Any] = {"rows": rows, "metadata": texts, "columns": columns}
    for name in ("contract", "schema_version"):
        stated = [value for key, value in texts.items() if key.rpartition(".")[2] == name]
        if stated:
            document[name] = stated[0]
    return document


def _type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _type(kind.value_type)
    return "string" if kind in (pa.large_string(), pa.string_view()) else str(kind)
