"""Read a run's tables back: exact sums, float columns for statistics, daily equity."""

import datetime as dt
from decimal import Decimal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tradingd.results.folder import RunFolder
from tradingd.results.layout import table_file
from tradingd.session.calendar import NEW_YORK

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


class DailyEquity(msgspec.Struct, frozen=True):
    """Equity at the last sample of each session day (exchange-local calendar days)."""

    days: tuple[dt.date, ...]
    equity: Floats

    def returns(self, cash: float) -> Floats:
        """Return daily returns; the first day's is measured from the starting cash."""
        return self.equity / np.concatenate(([cash], self.equity[:-1])) - 1


def read(folder: RunFolder, table: str, columns: list[str] | None = None) -> pa.Table:
    """Read columns of a result table into memory."""
    return pq.read_table(folder.file(table_file(table)), columns=columns)


def floats(column: pa.ChunkedArray) -> Floats:
    """Return a numeric column as floats, for statistics only."""
    values: Floats = column.cast(pa.float64()).to_numpy()
    return values


def total(column: pa.ChunkedArray) -> Decimal:
    """Return the exact sum of a money column."""
    found = pc.sum(column).as_py()
    return money(Decimal(0) if found is None else found)


def money(amount: Decimal) -> Decimal:
    """Return the same amount with two decimals, or as many more as it needs."""
    needed = -int(amount.normalize().as_tuple().exponent)
    return amount.quantize(Decimal(1).scaleb(-max(2, needed)))


def session_days(ts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the exchange-local calendar day of naive UTC times."""
    aware = pc.assume_timezone(ts, "UTC").cast(pa.timestamp("ns", tz=NEW_YORK.key))
    return pc.local_timestamp(aware).cast(pa.date32(), safe=False)


def daily_equity(equity: pa.Table) -> DailyEquity:
    """Return the last sample of each session day from the equity table (sorted by ts)."""
    days = session_days(equity["ts"]).cast(pa.int32()).to_numpy()
    if not len(days):
        return DailyEquity((), np.empty(0))
    last = np.flatnonzero(np.append(days[1:] != days[:-1], True))
    epoch = dt.date(1970, 1, 1)
    dates = tuple(epoch + dt.timedelta(days=int(day)) for day in days[last])
    return DailyEquity(dates, floats(equity["equity"])[last])
