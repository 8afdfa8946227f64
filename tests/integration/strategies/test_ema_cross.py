"""The EMA cross buys on a cross upwards and sells on a cross downwards, with the numbers."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tests.integration.strategies.strategy_kit import (
    CALENDAR,
    MemoryFeed,
    bars_table,
    minutes_of,
    run,
)
from tradingd.config.load import load
from tradingd.config.risk import RiskConfig
from tradingd.config.strategy import EmaCross
from tradingd.domain.market import ActionKind, CorporateAction, Resolution

DAYS = CALENDAR.between(dt.date(2021, 3, 1), dt.date(2021, 3, 3))
STAMPS = [ts for session in DAYS for ts in minutes_of(session)]


@pytest.fixture(scope="module")
def open_risk() -> RiskConfig:
    return load(["risk=open"]).config.risk


def walk(seed: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return np.round(100 * np.exp(np.cumsum(dice.normal(0, 0.001, len(STAMPS)))), 2)


def crosses(closes: np.ndarray, fast: int, slow: int) -> list[tuple[int, str]]:
    """Return what pandas says should be traded: (bar, side)."""
    series = pd.Series(closes)
    above = (
        series.ewm(span=fast, adjust=False).mean() > series.ewm(span=slow, adjust=False).mean()
    ).to_numpy()
    held, found = False, []
    for index in range(slow - 1, len(closes)):
        if above[index] != held:
            held = bool(above[index])
            found.append((index, "BUY" if held else "SELL"))
    return found


def test_it_trades_exactly_the_crosses_that_pandas_finds(open_risk):
    closes = walk(3)
    ran = run(
        EmaCross(fast=10, slow=30, quantity=7),
        MemoryFeed([bars_table("AAA", STAMPS, closes)], Resolution.MINUTE),
        risk=open_risk,
    )
    expected = crosses(closes, 10, 30)
    assert len(expected) > 10
    assert [(one.ts_submitted, one.side) for one in ran.tables.orders] == [
        (STAMPS[index], side) for index, side in expected
    ]
    assert {one.quantity for one in ran.tables.orders} == {7}
    first = ran.tables.orders[0]
    series = pd.Series(closes)
    fast, slow = (series.ewm(span=n, adjust=False).mean()[expected[0][0]] for n in (10, 30))
    assert first.reason == f"EMA 10 {fast:.4f} above EMA 30 {slow:.4f}"


def test_a_split_makes_no_cross(open_risk):
    closes = walk(3)
    cut = len(minutes_of(DAYS[0]))
    raw = closes.copy()
    raw[cut:] = np.round(closes[cut:] / 4, 2)
    split = CorporateAction(
        symbol="AAA", ex_date=DAYS[1].day, kind=ActionKind.SPLIT, numerator=4, denominator=1
    )
    ran = run(
        EmaCross(fast=10, slow=30, quantity=4),
        MemoryFeed([bars_table("AAA", STAMPS, raw)], Resolution.MINUTE, [split]),
        risk=open_risk,
    )
    adjusted = raw.copy()
    adjusted[:cut] /= 4
    ours = [one for one in ran.tables.orders if one.purpose != "CORPORATE"]
    assert [(one.ts_submitted, one.side) for one in ours] == [
        (STAMPS[index], side) for index, side in crosses(adjusted, 10, 30)
    ]


def test_the_default_risk_profile_denies_its_entries_because_they_carry_no_stop():
    ran = run(
        EmaCross(fast=10, slow=30, quantity=7),
        MemoryFeed([bars_table("AAA", STAMPS, walk(3))], Resolution.MINUTE),
        risk=RiskConfig(),
    )
    assert ran.outcome.fills == 0
    assert "require_stop" in {one.limit for one in ran.tables.denials}
