"""How a judged strategy did in quiet and in stormy markets, and year by year."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence

import numpy as np

from tradingd.learning.dataset import Floats, Integers
from tradingd.learning.report import Regime
from tradingd.luck.sharpe import SESSIONS_PER_YEAR, sharpe

WINDOW = 21
_LEAST = 20
_NAMES = ("calm market", "usual market", "stormy market")


def regimes(
    days: Sequence[dt.date], returns: Floats, market_days: Sequence[dt.date], market: Floats
) -> tuple[Regime, ...]:
    """Return the strategy's days by kind.

    Parameters
    ----------
    days, returns : sequence of date, array of float
        The judged days.
    market_days, market : sequence of date, array of float
        Mean daily log return of the universe. Its deviation over the 21 sessions before a day
        puts the day into one of three equal parts.
    """
    known = dict(zip(market_days, _storm(market).tolist(), strict=True))
    storm = np.array([known.get(day, math.nan) for day in days])
    return (*_by_storm(storm, returns), *_by_year(days, returns))


def _storm(market: Floats) -> Floats:
    """Deviation of the sessions before each day; that day is not among them."""
    found = np.full(len(market), np.nan)
    if len(market) > WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(market, WINDOW)[:-1]
        found[WINDOW:] = windows.std(axis=1, ddof=1)
    return found


def _by_storm(storm: Floats, returns: Floats) -> Iterator[Regime]:
    known = np.isfinite(storm)
    if known.sum() < len(_NAMES):
        return
    edges = np.quantile(storm[known], [1 / 3, 2 / 3])
    part: Integers = np.searchsorted(edges, storm, side="right").astype(np.int64)
    for number, name in enumerate(_NAMES):
        yield _regime(name, returns[known & (part == number)])


def _by_year(days: Sequence[dt.date], returns: Floats) -> Iterator[Regime]:
    years = np.array([day.year for day in days], dtype=np.int64)
    for year in np.unique(years).tolist():
        yield _regime(str(year), returns[years == year])


def _regime(name: str, returns: Floats) -> Regime:
    varies = len(returns) >= _LEAST and float(returns.std(ddof=1)) > 0
    return Regime(
        name=name,
        sessions=len(returns),
        sharpe=sharpe(returns) * math.sqrt(SESSIONS_PER_YEAR) if varies else None,
        total_return=float(np.prod(1 + returns) - 1),
    )
