"""Read the wanted columns of a CSV or Parquet file, named as the layout names them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest
from tradingd.sources.tabular.layouts import Column

_SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")
_CSV_TYPES: Final = {"price": pa.float64(), "count": pa.float64(), "flag": pa.bool_()}


def input_files(path: Path) -> list[Path]:
    """Return the file, or the data files of a folder, sorted by name.

    Raises
    ------
    Failure
        UNREADABLE_INPUT when there is none.
    """
    if path.is_file():
        return [path]
    files = sorted(one for one in path.glob("*") if one.name.endswith(_SUFFIXES))
    if not files:
        raise Failure(
            "nothing to import",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            expected="a file or a folder of " + ", ".join(f"*{suffix}" for suffix in _SUFFIXES),
            found="an empty folder" if path.is_dir() else "no such file or folder",
            next_step="set source.path",
        )
    return files


def read_table(path: Path, columns: Sequence[Column], names: Mapping[str, str]) -> pa.Table:
    """Return the layout's columns of a file; optional ones that it lacks are left out.

    Raises
    ------
    Failure
        DAMAGED_PARQUET, INVALID_ROW (a CSV value that is no number), or UNREADABLE_INPUT
        (a required column is missing, the file cannot be opened).
    """
    try:
        if path.name.endswith(".parquet"):
            return _read_parquet(path, columns, names)
        return _read_csv(path, columns, names)
    except (PermissionError, FileNotFoundError, UnicodeDecodeError) as error:
        raise Failure(
            "cannot read a data file",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(path),
            found=str(error),
        ) from error


def _read_parquet(path: Path, columns: Sequence[Column], names: Mapping[str, str]) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            present = _present(path, file.schema_arrow.names, columns, names)
            table = file.read(columns=[names[column.name] for column in present])
    except (PermissionError, FileNotFoundError):
        raise
    except (pa.ArrowException, OSError) as error:
        raise Failure(
            "damaged Parquet file",
            code=ExitCode.DAMAGED_PARQUET,
            where=str(path),
            expected="a complete Parquet file",
            found=str(error),
            next_step="export or download it again",
        ) from error
    return _layout_names(table, present, names)


def _read_csv(path: Path, columns: Sequence[Column], names: Mapping[str, str]) -> pa.Table:
    types = {names[column.name]: _CSV_TYPES.get(column.form, pa.string()) for column in columns}
    try:
        # One thread, so that an error names its row.
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(use_threads=False),
            convert_options=pacsv.ConvertOptions(column_types=types),
        )
    except pa.ArrowInvalid as error:
        empty = "Empty CSV" in str(error)
        raise Failure(
            "the file is empty" if empty else "invalid row (unreadable value)",
            code=ExitCode.UNREADABLE_INPUT if empty else ExitCode.INVALID_ROW,
            where=str(path),
            expected="a header and rows in the documented layout",
            found=str(error),
        ) from error
    present = _present(path, table.column_names, columns, names)
    return _layout_names(table, present, names)


def _layout_names(table: pa.Table, present: Sequence[Column], names: Mapping[str, str]) -> pa.Table:
    return pa.table({column.name: table[names[column.name]] for column in present})


def _present(
    path: Path, found: Sequence[str], columns: Sequence[Column], names: Mapping[str, str]
) -> list[Column]:
    """Return the layout's columns that the file has; a required one must be there."""
    for column in columns:
        wanted = names[column.name]
        if column.required and wanted not in found:
            close = nearest(wanted, found)
            raise Failure(
                f"the file has no column {wanted!r}",
                code=ExitCode.UNREADABLE_INPUT,
                where=str(path),
                expected=", ".join(names[one.name] for one in columns if one.required),
                found=", ".join(found),
                next_step=f"set source.columns.{column.name}" + (f"={close}" if close else ""),
            )
    return [column for column in columns if names[column.name] in found]
