"""Where rows live: Hive partitions, named so that any Parquet tool reads them.

``bars/resolution=1m/symbol=SPY/year=2013/``, ``quotes/symbol=SPY/date=2013-10-07/`` and
``trades/...`` alike; ``reference/<table>/``. Years and dates are those of ``ts_event`` in UTC.
Hours and days of all years lie together in ``bars/resolution=1d/symbol=SPY/``: a file a year would
hold a few hundred rows.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from tradingd.domain.market import DataKind, Resolution
from tradingd.kits.failure import ExitCode, Failure

_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,19}")
_REFERENCE: Final = "reference"


class Series(msgspec.Struct, frozen=True):
    """One symbol's rows of one kind; `resolution` is None for quotes and trades."""

    kind: DataKind
    symbol: str
    resolution: Resolution | None = None

    def __str__(self) -> str:
        return " ".join(part for part in (self.symbol, self.resolution, self.kind) if part)


# Few rows a year: one folder for all of them.
_WHOLE: Final = (Resolution.HOUR, Resolution.DAY)


class Partition(msgspec.Struct, frozen=True):
    """One folder of a series: a year of bars (hours, days: all), a day of quotes or trades."""

    series: Series
    period: str

    @property
    def folder(self) -> str:
        """Path below the store's root, with forward slashes."""
        kind, symbol = self.series.kind, self.series.symbol
        if kind is DataKind.BARS:
            resolution = self.series.resolution
            year = f"/year={self.period}" if self.period else ""
            return f"{kind}/resolution={resolution}/symbol={symbol}{year}"
        return f"{kind}/symbol={symbol}/date={self.period}"

    @classmethod
    def at(cls, series: Series, folder: str) -> "Partition":
        """Return the partition of a series that has this folder."""
        name, _, value = folder.rpartition("/")[2].partition("=")
        return cls(series, value if name in ("year", "date") else "")


def reference_folder(table: str) -> str:
    """Return the folder of a reference table (``actions``, ``earnings`` ...)."""
    return f"{_REFERENCE}/{table}"


def check_symbol(symbol: str) -> str:
    """Return `symbol`, or refuse one that could not be a folder name on every system."""
    if _SYMBOL.fullmatch(symbol):
        return symbol
    raise Failure(
        f"symbol {symbol!r} cannot be stored",
        code=ExitCode.INVALID_ROW,
        expected="capital letters, digits, dots and dashes, at most 20, e.g. BRK.B",
        found=repr(symbol),
    )


def split(series: Series, table: pa.Table) -> Iterator[tuple[Partition, pa.Table]]:
    """Cut a table that is sorted by ts_event at the borders of its partitions."""
    if not table.num_rows:
        return
    if series.resolution in _WHOLE:
        yield Partition(series, ""), table
        return
    unit = "Y" if series.kind is DataKind.BARS else "D"
    periods = times(table).view("datetime64[ns]").astype(f"datetime64[{unit}]")
    borders = np.flatnonzero(periods[1:] != periods[:-1]) + 1
    starts = [0, *borders.tolist()]
    for start, end in zip(starts, [*borders.tolist(), len(periods)], strict=True):
        yield Partition(series, str(periods[start])), table.slice(start, end - start)


def times(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the ts_event column as UTC nanoseconds."""
    column = table.column("ts_event").cast(pa.int64())
    values: np.ndarray[tuple[int], np.dtype[np.int64]] = column.to_numpy()
    return values
