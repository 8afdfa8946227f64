"""The intraday mean reversion trades its rules, is guarded, and is flat before every close."""

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.integration.strategies.stored_kit import import_bars
from tests.integration.strategies.strategy_kit import (
    CALENDAR,
    MINUTE,
    MemoryFeed,
    bars_table,
    minutes_of,
    run,
)
from tradingd.config.risk import RiskConfig
from tradingd.config.source import LeanSource
from tradingd.config.strategy import IntradayMeanReversion
from tradingd.domain.market import ActionKind, CorporateAction, Resolution

RISK = RiskConfig()
# Two full days and the half day after Thanksgiving.
DAYS = [
    CALENDAR.on(dt.date.fromisoformat(day)) for day in ("2013-11-26", "2013-11-27", "2013-11-29")
]
STAMPS = [ts for session in DAYS for ts in minutes_of(session)]


def wave(seed: int) -> np.ndarray:
    """Return closes that swing around a level: a market made for mean reversion."""
    dice = np.random.default_rng(seed)
    steps = np.arange(len(STAMPS))
    return 100 + 0.6 * np.sin(steps / 17) + np.cumsum(dice.normal(0, 0.004, len(STAMPS)))


@pytest.fixture(scope="module")
def ran():
    return run(
        IntradayMeanReversion(),
        MemoryFeed(
            [bars_table(f"S{n}", STAMPS, wave(n)) for n in range(4)],
            Resolution.MINUTE,
        ),
        risk=RISK,
    )


def test_it_trades_both_ways_under_the_default_limits_and_every_order_has_its_numbers(ran):
    entries = [one for one in ran.entries() if one.status == "FILLED"]
    assert {one.side for one in entries} == {"BUY", "SELL"}
    assert len(entries) > 5
    assert len(ran.tables.denials) < len(entries)
    for one in entries:
        assert "RSI" in one.reason
        assert one.reason.startswith("z -" if one.side == "BUY" else "z ")


def test_no_entry_exceeds_its_budgets(ran):
    for one in ran.entries():
        price = one.average_price or 0
        # 4.5 % of about 100,000 USD; the fill may differ a little from the close decided on
        assert one.quantity * price <= 4_600 * 10**9


def test_nothing_is_held_over_a_close_half_days_included(ran):
    held: Counter[str] = Counter()
    closes = iter(session.close_ns for session in DAYS)
    close = next(closes)
    for fill in sorted(ran.tables.fills, key=lambda one: one.ts):
        if fill.ts > close:
            assert not any(held.values())
            close = next(closes)
        held[fill.symbol] += fill.quantity * (1 if fill.side == "BUY" else -1)
    assert not any(held.values())


def test_positions_are_closed_ten_minutes_before_an_early_close():
    """Fall into the half day's last hour: entry by the rules, exit by the clock."""
    half = DAYS[2]
    closes = np.full(len(STAMPS), 100.0) + 0.01 * (np.arange(len(STAMPS)) % 2)
    late = np.array(STAMPS) > half.close_ns - 20 * MINUTE
    closes[late] = 100 - 0.5 * np.arange(1, late.sum() + 1)
    settings = IntradayMeanReversion(stop_atr=100.0)
    ran = run(
        settings,
        MemoryFeed([bars_table("AAA", STAMPS, closes)], Resolution.MINUTE),
        risk=RISK,
    )
    (entry,) = ran.entries()
    (leave,) = ran.exits()
    assert half.close_ns - 20 * MINUTE < entry.ts_submitted < half.close_ns - 10 * MINUTE
    assert leave.ts_submitted == half.close_ns - 10 * MINUTE
    assert leave.reason == "10 min to the close, flat within 10"


def test_a_stop_ends_a_trade_that_goes_on_falling():
    closes = np.full(len(STAMPS), 100.0) + 0.05 * (np.arange(len(STAMPS)) % 2)
    closes[200:] = np.maximum(100 - 0.3 * np.arange(1, len(STAMPS) - 199), 50.0)
    ran = run(
        IntradayMeanReversion(),
        MemoryFeed([bars_table("AAA", STAMPS, closes)], Resolution.MINUTE),
        risk=RISK,
    )
    first = ran.tables.positions[0]
    assert first.side == "BUY"
    stop = next(one for one in ran.tables.orders if one.purpose == "PROTECT")
    assert stop.status == "FILLED"
    assert stop.reason.startswith(f"protective stop of {ran.entries()[0].order_id}")
    # The same stretch gives no second entry while it lasts.
    assert len([one for one in ran.entries() if one.ts_submitted < DAYS[0].close_ns]) == 1


def test_a_split_between_sessions_changes_no_decision():
    closes = np.round(wave(1), 2)
    cut = len(minutes_of(DAYS[0]))
    raw = closes.copy()
    raw[:cut] *= 2
    split = CorporateAction(
        symbol="AAA", ex_date=DAYS[1].day, kind=ActionKind.SPLIT, numerator=2, denominator=1
    )
    volume = np.full(len(STAMPS), 1_000_000)
    volume[:cut] //= 2
    plain = run(
        IntradayMeanReversion(),
        MemoryFeed([bars_table("AAA", STAMPS, closes)], Resolution.MINUTE),
        risk=RISK,
    )
    opened = raw.copy()
    opened[1:] = raw[:-1]
    opened[cut] = closes[cut - 1]
    ran = run(
        IntradayMeanReversion(),
        MemoryFeed(
            [
                bars_table(
                    "AAA",
                    STAMPS,
                    raw,
                    volume=volume,
                    high=np.maximum(opened, raw),
                    low=np.minimum(opened, raw),
                    opens=opened,
                )
            ],
            Resolution.MINUTE,
            [split],
        ),
        risk=RISK,
    )
    after = DAYS[1].open_ns
    assert [
        (o.ts_submitted, o.side, o.reason) for o in ran.entries() if o.ts_submitted > after
    ] == [(o.ts_submitted, o.side, o.reason) for o in plain.entries() if o.ts_submitted > after]
    assert any(one.ts_submitted > after for one in ran.entries())


@pytest.mark.real_data
def test_it_trades_every_minute_symbol_there_is_and_ends_flat_where_bars_allow(
    real_data: Path, tmp_path: Path
):
    store = import_bars(tmp_path, LeanSource(path=str(real_data / "lean")), Resolution.MINUTE)
    symbols = store.symbols("bars", Resolution.MINUTE)
    feed = store.feed(symbols, Resolution.MINUTE, None, None, chunk_rows=5_000, sessions=CALENDAR)
    ran = run(IntradayMeanReversion(), feed, risk=RISK)
    entries = ran.entries()
    filled = [one for one in entries if one.status == "FILLED"]
    assert {one.symbol for one in filled} >= {"AIG", "BAC", "IBM", "SPY", "TWX"}
    assert len(filled) > len(entries) / 2
    assert all(one.reason.strip() for one in ran.tables.orders)
    assert {one.status for one in entries} <= {"FILLED", "DENIED"}
    # A symbol whose last session has no bar near its close cannot be left in time.
    assert ran.outcome.open_positions <= 1
