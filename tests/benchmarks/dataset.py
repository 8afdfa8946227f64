"""Synthetic minute bars in a real history store; labelled synthetic by their symbols (SYN00...).

Random walks on the exchange calendar: they say nothing about markets, only about machines.
"""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tradingd.domain.market import Resolution
from tradingd.history.schema import BARS
from tradingd.session.calendar import SessionCalendar

MINUTE = 60_000_000_000
FIRST_DAY = dt.date(2016, 1, 4)


def minute_times(bars: int) -> np.ndarray:
    """Return the close times of the first `bars` regular minutes from FIRST_DAY on."""
    calendar = SessionCalendar("XNYS")
    times: list[np.ndarray] = []
    count = 0
    for session in calendar.between(FIRST_DAY, dt.date(2035, 12, 31)):
        day = np.arange(session.open_ns + MINUTE, session.close_ns + 1, MINUTE, dtype=np.int64)
        times.append(day)
        count += len(day)
        if count >= bars:
            break
    return np.concatenate(times)[:bars]


def bars_table(times: np.ndarray, seed: int) -> pa.Table:
    """Return random-walk bars in whole cents with an AR(1) drift, so that averages do cross."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 6.0, (len(times), 4)).cumsum(axis=1)
    close = (
        10_000
        + 2_000 * np.sin(np.arange(len(times)) / 5_000 + seed)
        + rng.normal(0, 3, len(times)).cumsum() * 0.05
        + steps[:, -1]
    )
    cents = np.maximum(np.rint(close), 100).astype(np.int64)
    opened = np.concatenate([cents[:1], cents[:-1]])
    high = np.maximum(opened, cents) + rng.integers(0, 4, len(times))
    low = np.minimum(opened, cents) - rng.integers(0, 4, len(times))
    volume = rng.integers(20_000, 90_000, len(times))
    stamps = pa.array(times, pa.int64()).cast(pa.timestamp("ns"))
    prices = [_decimal(column) for column in (opened, high, low, cents)]
    return pa.table([stamps, stamps, *prices, pa.array(volume, pa.int64())], schema=BARS)


def _decimal(cents: np.ndarray) -> pa.Array:
    hundredths = pa.array(cents, pa.int64()).cast(pa.decimal128(19, 0))
    scaled = pc.multiply(hundredths, pa.scalar("0.01", pa.string()).cast(pa.decimal128(3, 2)))
    return scaled.cast(pa.decimal128(18, 9))


def symbols(count: int) -> list[str]:
    """Return the names of the synthetic symbols."""
    return [f"SYN{index:02d}" for index in range(count)]


def build(root: Path, count: int, bars: int) -> None:
    """Fill a store with `count` symbols of `bars` minute bars each."""
    from tradingd.history.store import Store

    store = Store(root)
    times = minute_times(bars)
    with store.batch("synthetic") as batch:
        for index, symbol in enumerate(symbols(count)):
            batch.bars(Resolution.MINUTE, symbol, bars_table(times, index))
