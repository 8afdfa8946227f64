"""Random bars with everything that goes wrong: gaps, halts, half days, flat stretches, quotes."""

import datetime as dt

import numpy as np

from tradingd.features.series import Series
from tradingd.features.sessions import place
from tradingd.session.calendar import SessionCalendar

CALENDAR = SessionCalendar()
SYMBOLS = ("AAA", "BBB", "CCC", "SPY")
MINUTE = 60_000_000_000


def daily_stamps(bars: int) -> np.ndarray:
    sessions = CALENDAR.between(dt.date(2014, 1, 2), dt.date(2019, 12, 31))[:bars]
    return np.array([one.close_ns for one in sessions])


def minute_stamps(sessions: int) -> np.ndarray:
    """Minutes of the sessions around the half day of 2014-11-28, and five before the open."""
    days = CALENDAR.between(dt.date(2014, 11, 25), dt.date(2015, 6, 1))[:sessions]
    return np.concatenate(
        [np.arange(one.open_ns - 4 * MINUTE, one.close_ns + 1, MINUTE) for one in days]
    )


def series(symbol: str, stamps: np.ndarray, rng: np.random.Generator, market: np.ndarray) -> Series:
    """A walk that follows the market; bars are missing singly and in stretches."""
    bars = len(stamps)
    steps = 0.7 * market + rng.normal(0, 0.01, bars) * (rng.random(bars) < 0.8)
    # A halt: prices stand still; a jump after it.
    halt = int(rng.integers(bars // 3, bars // 2))
    length = min(25, bars // 6)
    steps[halt : halt + length] = 0.0
    steps[halt + length] = 0.08
    close = np.round(40 * np.exp(np.cumsum(steps)), 2)
    before = np.concatenate([close[:1], close[:-1]])
    open_ = np.round(before * np.exp(rng.normal(0, 0.003, bars) * (rng.random(bars) < 0.7)), 2)
    reach = np.round(close * np.abs(rng.normal(0, 0.004, (2, bars))), 2)
    volume = np.round(rng.lognormal(8, 1, bars)) * (rng.random(bars) < 0.97)
    still = slice(halt, halt + length)
    open_[still] = close[still]
    reach[:, still] = 0.0
    volume[still] = 0.0
    spread = np.round(close * rng.uniform(0.0002, 0.002, bars), 2) + 0.01
    keep = rng.random(bars) < 0.95
    gap = int(rng.integers(bars // 2, 2 * bars // 3))
    keep[gap : gap + int(rng.integers(5, 30))] = False
    where = place(stamps, CALENDAR)
    quoted = np.arange(bars) >= 20
    columns = {
        "open": open_,
        "high": np.maximum(open_, close) + reach[0],
        "low": np.maximum(np.minimum(open_, close) - reach[1], 0.01),
        "close": close,
        "volume": volume,
        "bid": np.where(quoted, close - spread / 2, np.nan),
        "ask": np.where(quoted, close + spread / 2, np.nan),
        "bid_size": np.where(quoted, np.round(rng.lognormal(5, 1, bars)), np.nan),
        "ask_size": np.where(quoted, np.round(rng.lognormal(5, 1, bars)), np.nan),
        "session": where.session,
        "minute": where.minute,
        "to_close": where.to_close,
    }
    return Series(
        symbol=symbol, ts=stamps[keep], **{name: one[keep] for name, one in columns.items()}
    )


def market(stamps: np.ndarray, seed: int, symbols: tuple[str, ...] = SYMBOLS) -> list[Series]:
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.008, len(stamps))
    return [series(symbol, stamps, rng, common) for symbol in symbols]
