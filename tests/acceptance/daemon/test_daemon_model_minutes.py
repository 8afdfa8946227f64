"""Minute bars: the model of a session sees what training would, over nights, halves and splits."""

import csv
import datetime as dt
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.daemon.model_market import ModelMarket
from tests.acceptance.daemon.paper import Paper
from tradingd.session.calendar import SessionCalendar

pytestmark = pytest.mark.slow

type Make = Callable[..., Paper]

ASKING = (
    "strategy.max_positions=1",
    "strategy.use_model.min_confidence=0.6",
    "model.drift_limit=1000",
    "model.record_days=1000",
)
HALF_DAY, MONDAY = dt.date(2019, 11, 29), dt.date(2019, 12, 2)
DAYS = (*(dt.date(2019, 11, one) for one in (25, 26, 27)), HALF_DAY, MONDAY, dt.date(2019, 12, 3))
SPLIT_DAY = dt.date(2019, 12, 3)
SYMBOLS = ("AAA", "BBB", "GAPS")


def few(**more: str) -> str:
    """Return features that remember little, so that two days are warm-up enough."""
    declared = {
        "return_1": "kind: return, bars: 1",
        "return_15": "kind: return, bars: 15",
        "sma_20": "kind: sma_ratio, bars: 20",
        "channel_30": "kind: price_channel, bars: 30",
        "zscore_30": "kind: zscore, bars: 30",
        "garman_klass_30": "kind: garman_klass, bars: 30",
        "volume_ratio_30": "kind: volume_ratio, bars: 30",
        "obv_slope_30": "kind: obv_slope, bars: 30",
        "vwap_distance": "kind: vwap_distance",
        "session_return": "kind: session_return",
        "session_range": "kind: session_range_position",
        "overnight_gap": "kind: overnight_gap",
        "minute": "kind: minute_of_session",
        "rank_15": "kind: rank, of: return_15",
        "breadth": "kind: breadth, of: sma_20",
        **more,
    }
    return (
        f"features.declared={{{', '.join(f'{key}: {{{one}}}' for key, one in declared.items())}}}"
    )


def rows() -> Iterator[tuple[object, ...]]:
    """Yield bars that wander; GAPS trades two minutes of three, BBB splits two for one."""
    chance = random.Random(9)
    last = dict.fromkeys(SYMBOLS, Decimal("60.00"))
    calendar = SessionCalendar()
    for day in DAYS:
        session = calendar.on(day)
        assert session is not None
        if day == SPLIT_DAY:
            last["BBB"] = (last["BBB"] / 2).quantize(Decimal("0.01"))
        for minute in range(1, (session.close_ns - session.open_ns) // 60_000_000_000 + 1):
            at = dt.datetime.fromtimestamp(session.open_ns / 1e9 + 60 * minute, dt.UTC)
            for symbol, before in last.items():
                if symbol == "GAPS" and minute % 3 == 0:
                    continue
                steps = [before + Decimal(chance.randint(-5, 5)) / 100 for _ in range(4)]
                last[symbol] = steps[-1]
                prices = (steps[0], max(steps), min(steps), steps[-1])
                yield symbol, at.isoformat(), *prices, chance.randint(5_000, 20_000)


def made_up(home: Path) -> tuple[str, ...]:
    """Write the bars and the split; return how they are imported."""
    with (home / "bars.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("symbol", "ts_event", "open", "high", "low", "close", "volume"))
        writer.writerows(rows())
    return ("source=tabular", f"source.path={home / 'bars.csv'}", "source.resolution=1m")


def holds(daemon: Paper, market: ModelMarket, least: int) -> frozenset[str]:
    """Play a session to its end and compare its record with the store; return the symbols."""
    assert daemon.wait() == 0, daemon.errors()
    shown = market.shown(daemon)
    found = shown.compared
    assert found.rows > least
    assert found.absent == 0
    assert [one.name for one in found.features if one.outside] == []
    assert (found.repeats_differ, found.unexplained) == (0, 0)
    return shown.symbols


def test_a_half_day_a_night_and_a_split_leave_every_feature_as_the_store_has_it(
    paper: Make, home: Path
) -> None:
    overrides = ("features=own", "features.bars=1m", few())
    market = ModelMarket(home, made_up(home), overrides, DAYS[2], split=("BBB", SPLIT_DAY, 2, 1))
    market.train(1)
    market.point(1)
    daemon = paper(*market.of_daemon(), *ASKING, f"feed.start={DAYS[2]}").start()
    assert holds(daemon, market, 1_500) == set(SYMBOLS)


@pytest.mark.real_data
def test_real_minutes_over_a_weekend_are_as_the_store_has_them(
    paper: Make, home: Path, real_data: Path
) -> None:
    importing = (
        "source=lean", f"source.path={real_data / 'lean'}", "source.symbols=[SPY,AIG,BAC,IBM]",
    )  # fmt: skip
    wanted = "universe.symbols=[SPY,AIG,BAC,IBM]"
    # Five sessions of volume by the minute would leave no row of six days.
    fewer = "features.declared.relative_volume_5={kind: relative_volume, sessions: 2}"
    overrides = ("features=minute", fewer, "universe=symbols", wanted)
    market = ModelMarket(home, importing, overrides, dt.date(2013, 10, 9))
    market.train(1)
    market.point(1)
    daemon = paper(*market.of_daemon(), *ASKING, "feed.start=2013-10-10").start()
    assert holds(daemon, market, 1_000) == {"SPY", "AIG", "BAC", "IBM"}


@pytest.mark.real_data
def test_real_daily_bars_over_apples_split_are_as_the_store_has_them(
    paper: Make, home: Path, real_data: Path
) -> None:
    importing = (
        "source=lean", f"source.path={real_data / 'lean'}", "source.symbols=[SPY,AAPL,BAC,IBM]",
    )  # fmt: skip
    wanted = "universe.symbols=[SPY,AAPL,BAC,IBM]"
    overrides = ("features=daily", "universe=symbols", wanted)
    market = ModelMarket(home, importing, overrides, dt.date(2012, 12, 31))
    market.train(1)
    market.point(1)
    days = ("feed.start=2014-04-01", "feed.end=2014-08-29")
    daemon = paper(*market.of_daemon(), *ASKING, *days).start()
    assert "AAPL" in holds(daemon, market, 200)
