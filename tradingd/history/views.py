"""DuckDB over the store: views of the files that the manifest names, adjusted views on top."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from tradingd.domain.market import DataKind, Resolution
from tradingd.history import adjustment, reference
from tradingd.history.layout import Series
from tradingd.history.manifest import Commit, FileRecord, Manifest
from tradingd.history.recovery import located
from tradingd.history.schema import SCHEMAS
from tradingd.history.span import Span
from tradingd.kits.failure import ExitCode, Failure

_TYPES: Final = {
    "timestamp[ns]": "TIMESTAMP_NS",
    "decimal128(18, 9)": "DECIMAL(18, 9)",
    "int64": "BIGINT",
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
}

# Stated, because a symbol such as TRUE or 1E5 would otherwise be read as another type.
_BARS_FOLDERS: Final = {"resolution": "VARCHAR", "symbol": "VARCHAR"}
_YEAR_FOLDERS: Final = {**_BARS_FOLDERS, "year": "INTEGER"}
_TICK_FOLDERS: Final = {"symbol": "VARCHAR", "date": "DATE"}

_FILE_ERRORS: Final = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.SerializationException,
    duckdb.InternalException,
)

VIEWS: Final = ("bars", "bars_split", "bars_total", "quotes", "trades", *reference.TABLES)


def connect(root: Path, contents: Manifest, *, sealed: bool) -> duckdb.DuckDBPyConnection:
    """Return a connection whose views show the store's files; see `Store.connect`.

    Raises
    ------
    Failure
        DAMAGED_PARQUET when a file that a view opens cannot be read.
    """
    connection = duckdb.connect(
        ":memory:", config={"autoinstall_known_extensions": False, "temp_directory": ""}
    )
    with translated():
        for statement in _statements(root, contents):
            connection.execute(statement)
    if sealed:
        # Later statements can read below the store's folder, and nothing else on this machine.
        connection.execute(f"SET allowed_directories = [{_quoted(str(root.resolve()))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn DuckDB's complaints about a file into DAMAGED_PARQUET, about a query into USAGE."""
    try:
        yield
    except duckdb.Error as error:
        found = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        if isinstance(error, _FILE_ERRORS) and ".parquet" in found:
            raise Failure(
                "a Parquet file cannot be read",
                code=ExitCode.DAMAGED_PARQUET,
                found=found,
                next_step="tradingd data scan --verify lists damaged files",
            ) from error
        raise Failure(
            "the query cannot be run",
            code=ExitCode.USAGE,
            expected=f"DuckDB SQL over {', '.join(VIEWS)}",
            found=found,
        ) from error


def read_adjusted(
    root: Path, contents: Manifest, series: Series, span: Span, adjust: str
) -> pa.Table:
    """Return the adjusted bars of one series in the store's schema, by ts_event."""
    part = _of_symbol(contents, series)
    names = ", ".join(SCHEMAS[DataKind.BARS].names)
    with connect(root, part, sealed=False) as connection, translated():
        table = connection.sql(
            f"SELECT {names} FROM bars_{adjust} WHERE resolution = $resolution "
            "AND epoch_ns(ts_event) > $low AND epoch_ns(ts_event) <= $high ORDER BY ts_event",
            params={"resolution": series.resolution, "low": span.start_ns, "high": span.end_ns},
        ).to_arrow_table()
    return pa.table(table).cast(SCHEMAS[DataKind.BARS])


def _of_symbol(contents: Manifest, series: Series) -> Manifest:
    """Only what the adjusted views of one series need: its bars, daily bars, actions."""
    day = Series(DataKind.BARS, series.symbol, Resolution.DAY)
    wanted = {one.path: one for one in (*contents.of_series(series), *contents.of_series(day))}
    part = Manifest()
    part.apply(Commit(at="", source="", add=(*wanted.values(), *contents.of_table("actions"))))
    return part


def _statements(root: Path, contents: Manifest) -> Iterator[str]:
    bars = contents.of_table(DataKind.BARS)
    yield "CREATE TEMP VIEW stored_bars AS " + " UNION ALL ".join(
        _bars(root, bars, adjusted, yearly)
        for adjusted in (False, True)
        for yearly in (False, True)
    )
    yield "CREATE TEMP VIEW bars AS SELECT * EXCLUDE (adjusted) FROM stored_bars"
    yield _series_table(bars)
    for kind in (DataKind.QUOTES, DataKind.TRADES):
        yield (
            f"CREATE TEMP VIEW {kind} AS "
            + _select(root, contents.of_table(kind), SCHEMAS[kind], _TICK_FOLDERS)
        )
    for table, schema in reference.TABLES.items():
        yield (
            f"CREATE TEMP VIEW {table} AS " + _select(root, contents.of_table(table), schema, {})
        )
    yield from adjustment.STATEMENTS


def _bars(root: Path, bars: Sequence[FileRecord], adjusted: bool, yearly: bool) -> str:
    # DuckDB reads files together only when they lie equally deep.
    files = [one for one in bars if one.adjusted == adjusted and ("/year=" in one.path) == yearly]
    folders = _YEAR_FOLDERS if yearly else _BARS_FOLDERS
    rows = _select(root, files, SCHEMAS[DataKind.BARS], folders)
    return (
        f"SELECT * EXCLUDE (year), {adjusted} AS adjusted FROM ({rows})"
        if yearly
        else (f"SELECT *, {adjusted} AS adjusted FROM ({rows})")
    )


def _series_table(bars: Sequence[FileRecord]) -> str:
    pairs = sorted({(one.symbol, str(one.resolution)) for one in bars})
    rows = ", ".join(f"({_quoted(symbol)}, {_quoted(length)})" for symbol, length in pairs)
    values = f"(VALUES {rows or '(NULL, NULL)'}) t(symbol, resolution)"
    return f"CREATE TEMP TABLE stored_series AS SELECT * FROM {values} WHERE symbol IS NOT NULL"


def _select(
    root: Path, files: Sequence[FileRecord], schema: pa.Schema, folders: Mapping[str, str]
) -> str:
    """SELECT over exactly these files; over none, the same columns without rows."""
    columns = {**folders, **{field.name: _TYPES[str(field.type)] for field in schema}}
    if not files:
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
        return f"SELECT {empty} WHERE false"
    paths = ", ".join(_quoted(str(located(root, one.path).resolve())) for one in files)
    types = ", ".join(f"'{name}': {kind}" for name, kind in folders.items())
    hive = f", hive_partitioning = true, hive_types = {{{types}}}" if folders else ""
    return f"SELECT {', '.join(columns)} FROM read_parquet([{paths}]{hive})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
