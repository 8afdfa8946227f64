"""A made-up market whose returns can be predicted to a chosen degree, for judging the judges."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from tradingd.domain.market import Resolution
from tradingd.history.schema import BARS
from tradingd.history.store import Store
from tradingd.session.calendar import SessionCalendar

REVERSAL_BARS = 5


def write_market(
    root: Path, *, seed: int, strength: float, symbols: int = 80, sessions: int = 900
) -> tuple[dt.date, dt.date]:
    """Write daily bars; return the first and the last day.

    Each symbol's return is noise minus `strength` times a fifth of its own return over the last
    five sessions, relative to the market's: what fell comes back. With `strength` 0 nothing can
    be predicted.
    """
    rng = np.random.default_rng(seed)
    days = SessionCalendar().between(dt.date(2017, 1, 3), dt.date(2030, 1, 1))[:sessions]
    market = rng.normal(0.0003, 0.006, sessions)
    own = rng.normal(0.0, 0.012, (sessions, symbols))
    for day in range(REVERSAL_BARS, sessions):
        own[day] -= strength / REVERSAL_BARS * own[day - REVERSAL_BARS : day].sum(axis=0)
    returns = own + market[:, None]
    closes = 40 * np.exp(np.cumsum(returns, axis=0) + rng.normal(0, 0.4, symbols))
    stamps = np.array([day.close_ns for day in days])
    store = Store(root)
    with store.batch("planted") as batch:
        for column in range(symbols):
            name = f"S{chr(65 + column // 26)}{chr(65 + column % 26)}"
            batch.bars(Resolution.DAY, name, _bars(rng, stamps, closes[:, column]))
    return days[0].day, days[-1].day


def _bars(rng: np.random.Generator, stamps: np.ndarray, close: np.ndarray) -> pa.Table:
    opens = np.concatenate(([close[0]], close[:-1])) * np.exp(rng.normal(0, 0.001, len(close)))
    high = np.maximum(opens, close) * np.exp(np.abs(rng.normal(0, 0.003, len(close))))
    low = np.minimum(opens, close) * np.exp(-np.abs(rng.normal(0, 0.003, len(close))))
    cents = [
        pa.array(np.round(one, 2)).cast(pa.decimal128(18, 9)) for one in (opens, high, low, close)
    ]
    volume = rng.lognormal(14.0, 0.4, len(close)).astype(np.int64)
    ts = pa.array(stamps).cast(pa.timestamp("ns"))
    return pa.table([ts, ts, *cents, pa.array(volume)], names=BARS.names).cast(BARS)
