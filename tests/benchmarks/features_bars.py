"""Synthetic bars for the benchmarks of features: random walks, no gaps."""

import datetime as dt

import numpy as np
import pandas as pd

from tradingd.features.series import Series
from tradingd.features.sessions import place
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
_MINUTE = 60_000_000_000


def walks(symbols: int, bars: int, *, minutes: bool = False) -> list[Series]:
    """Return so many bars of so many symbols, of days or of minutes."""
    sessions = CALENDAR.between(dt.date(2000, 1, 3), dt.date(2030, 12, 31))
    if not minutes:
        stamps = np.array([one.close_ns for one in sessions[:bars]])
    else:
        spans = [
            np.arange(one.open_ns, one.close_ns, _MINUTE) + _MINUTE
            for one in sessions[: bars // 200 + 1]
        ]
        stamps = np.concatenate(spans)[:bars]
    where = place(stamps, CALENDAR)
    dice = np.random.default_rng(1)
    found = []
    for number in range(symbols):
        close = 50 * np.exp(np.cumsum(dice.normal(0, 0.01, bars)))
        before = np.concatenate([close[:1], close[:-1]])
        open_ = before * np.exp(dice.normal(0, 0.003, bars))
        reach = np.abs(dice.normal(0, 0.005, (2, bars)))
        found.append(
            Series(
                symbol=f"S{number:03d}",
                ts=stamps,
                open=open_,
                high=np.maximum(open_, close) * (1 + reach[0]),
                low=np.minimum(open_, close) * (1 - reach[1]),
                close=close,
                volume=np.round(dice.lognormal(10, 1, bars)),
                session=where.session,
                minute=where.minute,
                to_close=where.to_close,
            )
        )
    return found


def table(series: list[Series]) -> pd.DataFrame:
    """Return the same bars as one table, symbol after symbol."""
    names = ("ts", "open", "high", "low", "close", "volume")
    columns = {name: np.concatenate([getattr(one, name) for one in series]) for name in names}
    symbols = np.repeat([one.symbol for one in series], [len(one) for one in series])
    return pd.DataFrame({"symbol": symbols, **columns})
