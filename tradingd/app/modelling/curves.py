"""Curves to hold a judged strategy against."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from tradingd.learning.dataset import Floats
from tradingd.learning.report import Curve


def equal_weight(days: Sequence[dt.date], market_days: Sequence[dt.date], market: Floats) -> Curve:
    """Return what every symbol alike would have earned over some days, without costs.

    Parameters
    ----------
    market_days, market : sequence of date, array of float
        Mean daily log return of all symbols.
    """
    known = dict(zip(market_days, market.tolist(), strict=True))
    steps = np.array([known.get(day, 0.0) for day in days])
    return Curve(
        name="all symbols alike, no costs",
        days=tuple(days),
        equity=tuple(np.exp(np.cumsum(steps)).tolist()),
    )
