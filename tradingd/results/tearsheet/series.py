"""Series behind the plots: monthly returns, rolling Sharpe, exposure, candles, histogram.

Long series are thinned here, so that the page's size does not grow with the length of a run.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.luck.sharpe import SESSIONS_PER_YEAR
from tradingd.results.tables import DailyEquity, Floats, floats, session_days
from tradingd.session.calendar import NEW_YORK

MAX_POINTS: Final = 4_000
"""Points of a line; longer series keep the last value of equal groups."""

MAX_CANDLES: Final = 1_500
"""Candles of one symbol; longer histories are grouped into wider candles."""

HISTOGRAM_BINS: Final = 40


class Candles(msgspec.Struct, frozen=True):
    """Open, high, low, close per candle; `bars` is how many bars make one."""

    times: list[str]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    bars: int


class MonthlyReturns(msgspec.Struct, frozen=True):
    """Compound returns by year: twelve months (None where there was no session) and the year."""

    years: list[int]
    months: list[list[float | None]]
    totals: list[float]


def thin(values: np.ndarray, limit: int = MAX_POINTS) -> np.ndarray:
    """Return the indices to keep of a series: the last of each of at most `limit` groups."""
    length = len(values)
    step = max(1, -(-length // limit))
    return np.arange(length - 1, -1, -step)[::-1]


def local_times(ts: pa.ChunkedArray, *, daily: bool) -> list[str]:
    """Return exchange-local times as text: the day alone for daily bars, else to the second."""
    if daily:
        return [day.isoformat() for day in session_days(ts).to_pylist()]
    aware = pc.assume_timezone(ts, "UTC").cast(pa.timestamp("s", tz=NEW_YORK.key), safe=False)
    texts: list[str] = pc.strftime(pc.local_timestamp(aware), "%Y-%m-%d %H:%M:%S").to_pylist()
    return texts


def monthly_returns(days: Sequence[dt.date], returns: Floats) -> MonthlyReturns:
    """Compound daily returns into months and years."""
    growth: dict[tuple[int, int], float] = {}
    for day, value in zip(days, returns, strict=True):
        key = (day.year, day.month)
        growth[key] = growth.get(key, 1.0) * (1 + float(value))
    years = sorted({year for year, _ in growth})
    months: list[list[float | None]] = [
        [growth[year, month] - 1 if (year, month) in growth else None for month in range(1, 13)]
        for year in years
    ]
    totals = [
        float(np.prod([1 + value for value in row if value is not None])) - 1 for row in months
    ]
    return MonthlyReturns(years, months, totals)


def rolling_sharpe(returns: Floats, window: int) -> Floats:
    """Return the annual Sharpe ratio of the last `window` sessions; NaN until they exist.

    Also NaN where the window has no variation.
    """
    result = np.full(len(returns), np.nan)
    if len(returns) < window:
        return result
    windows = np.lib.stride_tricks.sliding_window_view(returns, window)
    deviation = windows.std(axis=1, ddof=1)
    np.divide(
        windows.mean(axis=1) * np.sqrt(SESSIONS_PER_YEAR),
        deviation,
        out=result[window - 1 :],
        where=deviation > 1e-12,
    )
    return result


def daily_exposure(equity: pa.Table, daily: DailyEquity) -> tuple[Floats, Floats]:
    """Return the mean long and short share of equity per session day (short is negative)."""
    long, short = sampled_exposure(equity)
    days = session_days(equity["ts"]).cast(pa.int32()).to_numpy()
    starts = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
    counts = np.diff(np.append(starts, len(days)))
    return np.add.reduceat(long, starts) / counts, np.add.reduceat(short, starts) / counts


def sampled_exposure(equity: pa.Table) -> tuple[Floats, Floats]:
    """Return the long and short share of equity of each sample (short is negative)."""
    account = floats(equity["equity"])
    shares = []
    for column in ("long_value", "short_value"):
        value = np.abs(floats(equity[column]))
        shares.append(np.divide(value, account, out=np.zeros(len(value)), where=account > 0))
    return shares[0], -shares[1]


def candles(bars: pa.Table, *, daily: bool) -> Candles:
    """Group bars (ts_event, open, high, low, close) into at most MAX_CANDLES candles.

    A candle carries the time of its last bar.
    """
    rows = bars.num_rows
    step = max(1, -(-rows // MAX_CANDLES))
    starts = np.arange(0, rows, step)
    ends = np.append(starts[1:], rows) - 1
    times = local_times(bars["ts_event"].take(pa.array(ends)), daily=daily)
    return Candles(
        times,
        floats(bars["open"])[starts],
        np.maximum.reduceat(floats(bars["high"]), starts),
        np.minimum.reduceat(floats(bars["low"]), starts),
        floats(bars["close"])[ends],
        step,
    )


def histogram(values: Floats) -> tuple[Floats, Floats]:
    """Return bin centres and counts; zero is always an edge, so no bin mixes wins and losses."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    width = (high - low) / HISTOGRAM_BINS or 1.0
    first, last = np.floor(low / width), np.ceil(high / width)
    edges = np.arange(first, max(last, first + 1) + 1) * width
    counts, _ = np.histogram(values, edges)
    return (edges[:-1] + edges[1:]) / 2, counts.astype(float)
