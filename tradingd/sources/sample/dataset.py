"""Read the packaged table of daily prices.

The table is `stocks.csv.gz`: AAPL, FB, GOOG, IBM and MSFT from 2000-03-01 to 2013-03-01 as
published by Yahoo; prices to the cent as traded, volume, and an adjusted close.
"""

import gzip
import importlib.util
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from tradingd.kits.failure import ExitCode, Failure

_PACKAGE: Final = "bokeh_sampledata"
FILE: Final = "_data/stocks.csv.gz"
_TYPES: Final = {
    "Ticker": pa.string(),
    "Date": pa.date32(),
    "Open": pa.float64(),
    "High": pa.float64(),
    "Low": pa.float64(),
    "Close": pa.float64(),
    "Volume": pa.int64(),
    # Adjusted closes carry up to 14 digits; as text, so that ratios are taken exactly.
    "Adj Close": pa.string(),
}


@cache
def read_dataset() -> pa.Table:
    """Return the whole table, sorted by ticker and date (about 12,000 rows).

    Raises
    ------
    Failure
        UNREADABLE_INPUT when the package or its file is missing or altered.
    """
    path = _dataset_path()
    try:
        with gzip.open(path) as stream:
            table = pacsv.read_csv(
                stream, convert_options=pacsv.ConvertOptions(column_types=_TYPES)
            )
        table = table.select(list(_TYPES))
    except (OSError, EOFError, pa.ArrowException, KeyError) as error:
        raise _unreadable(str(path), str(error)) from error
    return table.sort_by([("Ticker", "ascending"), ("Date", "ascending")])


def _dataset_path() -> Path:
    # Importing the package would import bokeh; only its place is needed.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise _unreadable(f"package {_PACKAGE}", "not installed")
    return Path(found.submodule_search_locations[0]) / FILE


def _unreadable(where: str, found: str) -> Failure:
    return Failure(
        "the sample data cannot be read",
        code=ExitCode.UNREADABLE_INPUT,
        where=where,
        expected=f"bokeh-sampledata's {FILE}",
        found=found,
        next_step="reinstall it: make setup",
    )


def rows_of(table: pa.Table, ticker: str) -> pa.Table:
    """Return one ticker's rows, oldest first."""
    tickers = table["Ticker"].to_numpy(zero_copy_only=False)
    positions = np.flatnonzero(tickers == ticker)
    return table.slice(int(positions[0]), len(positions)) if len(positions) else table.slice(0, 0)


def tickers_of(table: pa.Table) -> list[str]:
    """Return the tickers in order."""
    return sorted(set(table["Ticker"].to_pylist()))
