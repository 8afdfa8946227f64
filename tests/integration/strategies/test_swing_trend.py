"""The swing trend enters the strongest pull-backs, trails a stop and leaves in time."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tests.integration.strategies.stored_kit import import_bars
from tests.integration.strategies.strategy_kit import CALENDAR, MemoryFeed, bars_table, run
from tradingd.config.risk import RiskConfig
from tradingd.config.source import TabularSource
from tradingd.config.strategy import SwingTrend
from tradingd.domain.market import ActionKind, CorporateAction, Resolution
from tradingd.strategies.swing_trend.signal import SwingSignal

RISK = RiskConfig()
SESSIONS = CALENDAR.between(dt.date(2021, 1, 4), dt.date(2021, 12, 31))
STAMPS = [one.close_ns for one in SESSIONS]
COUNT = len(STAMPS)


def rising(seed: int, drift: float = 0.003) -> np.ndarray:
    """Return closes of a trend with a pull-back every twenty days."""
    dice = np.random.default_rng(seed)
    steps = np.arange(COUNT)
    return 50 * np.exp(
        drift * steps + 0.05 * np.sin(steps / 20 * 2 * np.pi) + dice.normal(0, 0.004, COUNT)
    )


def bars(symbol: str, closes: np.ndarray):
    return bars_table(symbol, STAMPS, closes)


def candidates(closes: np.ndarray, settings: SwingTrend) -> dict[int, float]:
    """Return the bars on which the signal alone asks for an entry, with its strength."""
    signal, found = SwingSignal(settings), {}
    close = np.round(closes, 2)
    opened = np.concatenate([close[:1], close[:-1]])
    for index in range(COUNT):
        signal.update(
            max(opened[index], close[index]), min(opened[index], close[index]), close[index]
        )
        if entry := signal.entry():
            found[index] = entry.strength
    return found


def test_it_enters_the_first_pull_back_at_the_close_and_fills_at_the_next_open():
    closes = rising(1)
    ran = run(SwingTrend(), MemoryFeed([bars("AAA", closes)], Resolution.DAY), risk=RISK)
    first = ran.entries()[0]
    index = min(candidates(closes, SwingTrend()))
    # The close's handlers run a nanosecond after the last bar.
    assert first.ts_submitted - STAMPS[index] <= 1
    assert SESSIONS[index + 1].open_ns <= first.ts_closed < SESSIONS[index + 1].open_ns + 10**9
    assert first.status == "FILLED"
    assert first.reason.startswith("uptrend (EMA 20 ")


def test_a_position_is_held_ten_sessions_at_most():
    settings = SwingTrend(trail_atr=20.0, risk_percent=0.3)
    ran = run(settings, MemoryFeed([bars("AAA", rising(1))], Resolution.DAY), risk=RISK)
    exits = [one for one in ran.exits() if one.status == "FILLED"]
    assert exits
    opened_on = {one.order_id: one.ts_closed for one in ran.entries()}
    for leave in exits:
        assert leave.reason == "held 10 sessions, at most 10"
        entered = max(ts for ts in opened_on.values() if ts and ts < leave.ts_submitted)
        held = [one for one in SESSIONS if entered <= one.close_ns <= leave.ts_submitted]
        assert len(held) == 10


def test_the_stop_trails_upwards_and_takes_the_profit():
    closes = rising(1)
    top = min(candidates(closes, SwingTrend())) + 6
    closes[top:] = closes[top - 1] * 0.97 ** np.arange(1, COUNT - top + 1)
    ran = run(SwingTrend(), MemoryFeed([bars("AAA", closes)], Resolution.DAY), risk=RISK)
    entry, stop = ran.entries()[0], next(o for o in ran.tables.orders if o.purpose == "PROTECT")
    first_stop = float(entry.reason.split("stop ")[1].split(" ")[0])
    assert stop.status == "FILLED"
    assert stop.stop_price > first_stop * 10**9


def test_a_fall_of_both_averages_is_left_at_the_reverse_cross():
    closes = rising(1)
    top = min(candidates(closes, SwingTrend())) + 3
    closes[top:] = closes[top - 1] * 0.985 ** np.arange(1, COUNT - top + 1)
    settings = SwingTrend(trail_atr=60.0, max_days=200, risk_percent=0.4)
    ran = run(settings, MemoryFeed([bars("AAA", closes)], Resolution.DAY), risk=RISK)
    assert ran.exits()[0].reason.startswith("reverse cross: EMA 20 ")


def test_the_strongest_trends_get_the_free_places_not_the_first_letters():
    names = [f"S{n}" for n in range(8)]
    asked = {name: candidates(rising(n), SwingTrend()) for n, name in enumerate(names)}
    feed = MemoryFeed([bars(name, rising(n)) for n, name in enumerate(names)], Resolution.DAY)
    ran = run(SwingTrend(max_positions=1), feed, risk=RISK)
    contested = 0
    for entry in ran.entries():
        index = int(np.searchsorted(STAMPS, entry.ts_submitted - 1))
        strengths = {name: found[index] for name, found in asked.items() if index in found}
        assert entry.symbol == max(strengths, key=strengths.__getitem__)
        contested += len(strengths) > 1
    assert contested > 2


def test_never_more_positions_than_allowed():
    feed = MemoryFeed([bars(f"S{n}", rising(n)) for n in range(8)], Resolution.DAY)
    ran = run(SwingTrend(max_positions=3), feed, risk=RISK)
    held: dict[str, int] = {}
    most = 0
    for fill in ran.tables.fills:
        sign = 1 if fill.side == "BUY" else -1
        held[fill.symbol] = held.get(fill.symbol, 0) + sign * fill.quantity
        most = max(most, sum(quantity != 0 for quantity in held.values()))
    assert most == 3


def test_a_split_changes_no_decision_and_moves_the_stop_with_the_price():
    closes = np.round(rising(1), 2)
    plain = run(SwingTrend(), MemoryFeed([bars("AAA", closes)], Resolution.DAY), risk=RISK)
    # The split comes while the second position is open.
    second = plain.tables.positions[1]
    cut = int(np.searchsorted(STAMPS, second.ts_opened)) + 2
    assert STAMPS[cut] < second.ts_closed
    raw = np.where(np.arange(COUNT) < cut, closes * 4, closes)
    opened = np.concatenate([raw[:1], raw[:-1]])
    opened[cut] = closes[cut - 1]
    split = CorporateAction(
        symbol="AAA", ex_date=SESSIONS[cut].day, kind=ActionKind.SPLIT, numerator=4, denominator=1
    )
    high, low = np.maximum(opened, raw), np.minimum(opened, raw)
    table = bars_table("AAA", STAMPS, raw, opens=opened, high=high, low=low)
    ran = run(SwingTrend(), MemoryFeed([table], Resolution.DAY, [split]), risk=RISK)
    after = STAMPS[cut]

    def decided(one):
        found = (*one.entries(), *one.exits())
        return [(o.ts_submitted, o.side, o.reason) for o in found if o.ts_submitted > after]

    assert decided(ran) == decided(plain)
    assert decided(ran)
    assert ran.tables.positions[1].ts_closed == second.ts_closed


@pytest.mark.slow
@pytest.mark.real_data
def test_it_trades_the_sp500_set_and_is_mostly_not_denied(real_data: Path, tmp_path: Path):
    source = TabularSource(
        path=str(real_data / "sp500" / "sp500_daily_2013_2016.parquet"),
        resolution="1d",
        adjusted=True,
        skip_invalid=True,
        columns={"symbol": "name", "ts_event": "date"},
    )
    store = import_bars(tmp_path, source, Resolution.DAY)
    symbols = store.symbols("bars", Resolution.DAY)
    assert len(symbols) > 490
    feed = store.feed(symbols, Resolution.DAY, None, None, chunk_rows=100_000, sessions=CALENDAR)
    ran = run(SwingTrend(), feed, risk=RISK)
    entries = ran.entries()
    filled = [one for one in entries if one.status == "FILLED"]
    assert len(filled) > 500
    assert len(filled) > 2 / 3 * len(entries)
    assert all(one.reason.strip() for one in ran.tables.orders)
    # Only orders of the very last day may stay unfilled.
    last_day = ran.outcome.last_ts
    expired = [o for o in ran.tables.orders if o.status == "EXPIRED" and o.purpose != "PROTECT"]
    assert all(one.ts_submitted >= last_day for one in expired)
