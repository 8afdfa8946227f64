"""Facts on the eve of a day, and only of the eve."""

import datetime as dt

import numpy as np
import pytest

from tradingd.config.universe import TieredUniverse
from tradingd.session.calendar import SessionCalendar
from tradingd.universe.facts import Facts
from tradingd.universe.measure import Measures, Tables
from tradingd.universe.members import Membership, Span
from tradingd.universe.panel import Panel

CALENDAR = SessionCalendar("XNYS")
SESSIONS = CALENDAR.between(dt.date(2023, 1, 3), dt.date(2023, 12, 29))
DAYS = tuple(one.day for one in SESSIONS)
DAY = DAYS[150]
CONFIG = TieredUniverse()
ALL_DAYS = [one.day for one in CALENDAR.sessions]


def panel(seed: int = 5) -> Panel:
    rng = np.random.default_rng(seed)
    shape = (len(DAYS), 3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, shape), axis=0))
    return Panel(
        days=DAYS,
        symbols=("AAA", "BBB", "CCC"),
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=rng.integers(1_000, 9_000, shape).astype(float),
        units=np.ones(shape),
        quoted=np.full(shape, np.nan),
    )


def first(of: Panel, day: dt.date = DAY, tables: Tables | None = None) -> Facts:
    found = Measures(of, tables or Tables(sessions=ALL_DAYS), CONFIG).on(day)[0]
    assert found.symbol == "AAA"
    return found


def test_volume_price_and_volatility_are_those_of_the_sessions_before() -> None:
    bars = panel()
    span = slice(150 - 21, 150)
    found = first(bars)
    close, volume = bars.close[span, 0], bars.volume[span, 0]
    assert found.dollar_volume == pytest.approx((close * volume).mean())
    assert found.volume == pytest.approx(volume.mean())
    assert found.price == pytest.approx(np.median(close))
    returns = np.diff(np.log(bars.close[150 - 22 : 150, 0]))
    assert found.volatility_percent == pytest.approx(100 * returns.std(ddof=1) * np.sqrt(252))
    assert (found.volatility_bucket, found.volatility_percent < 20) == (0, True)
    assert (found.history, found.traded_percent, found.last_bar) == (150, 100, DAYS[149])


def test_nothing_of_the_day_or_later_is_looked_at() -> None:
    bars = panel()
    before = Measures(bars, Tables(sessions=ALL_DAYS), CONFIG).on(DAY)
    for column in (bars.high, bars.low, bars.close, bars.volume, bars.quoted):
        column[150:] = 1e6
    assert Measures(bars, Tables(sessions=ALL_DAYS), CONFIG).on(DAY) == before


def test_the_eve_does_count() -> None:
    bars = panel()
    before = first(bars)
    bars.volume[149] *= 2
    assert first(bars).dollar_volume > before.dollar_volume


def test_a_session_without_a_bar_counts_as_no_volume() -> None:
    bars = panel()
    for column in (bars.high, bars.low, bars.close, bars.volume):
        column[140:150, 0] = np.nan
    found = first(bars)
    assert found.traded_percent == pytest.approx(100 * 11 / 21)
    assert found.last_bar == DAYS[139]
    full = panel()
    known = (full.close * full.volume)[129:140, 0].sum()
    assert found.dollar_volume == pytest.approx(known / 21)


def test_prices_are_in_the_share_units_of_the_day() -> None:
    bars = panel()
    whole = first(bars)
    # Seven for one, after the day: prices before it stand divided in the panel.
    bars.units[:151] = 7
    found = first(bars)
    assert found.price == pytest.approx(7 * whole.price)
    assert found.volume == pytest.approx(whole.volume / 7)
    assert found.dollar_volume == pytest.approx(whole.dollar_volume)
    assert found.volatility_percent == pytest.approx(whole.volatility_percent)


def test_quotes_come_before_an_estimate() -> None:
    bars = panel()
    assert first(bars).spread_source == "corwin_schultz"
    bars.quoted[145:150, 0] = [2, 4, 6, 8, 10]
    found = first(bars)
    assert (found.spread_bps, found.spread_source) == (6, "quotes")


def test_distance_to_earnings_is_counted_in_sessions_over_weekends() -> None:
    friday, monday = dt.date(2023, 7, 28), dt.date(2023, 7, 31)

    def distance(*announced: dt.date) -> int | None:
        tables = Tables(sessions=ALL_DAYS, earnings={"AAA": announced})
        return first(panel(), friday, tables).earnings_sessions

    assert distance(monday) == 1
    assert distance(friday) == 0
    assert distance(dt.date(2023, 7, 26), dt.date(2023, 8, 30)) == -2
    assert distance() is None


def test_tables_hold_from_their_day() -> None:
    eve = DAYS[149]
    tables = Tables(
        sessions=ALL_DAYS,
        membership=Membership({"AAA": (Span(DAY, dt.date.max),)}),
        shares={"AAA": ((eve, 1e6), (DAYS[151], 9e6))},
        borrow={"AAA": {eve: 10, DAYS[151]: 99}},
    )
    found = first(panel(), DAY, tables)
    assert found.market_cap == pytest.approx(1e6 * found.price)
    assert found.borrowable == 10
    assert found.member is True
    assert first(panel(), eve, tables).member is False
    assert first(panel(), DAYS[148], tables).market_cap is None


def test_a_delisted_symbol_is_gone_until_it_trades_again() -> None:
    bars = panel()
    gone = Tables(sessions=ALL_DAYS, delisted={"AAA": DAYS[140]})
    assert not first(bars, DAYS[139], gone).delisted
    assert not first(bars, DAY, gone).delisted
    bars.close[140:] = np.nan
    assert first(bars, DAY, gone).delisted


def test_a_symbol_never_seen_has_no_facts_and_makes_no_warning() -> None:
    bars = panel()
    for column in (bars.high, bars.low, bars.close, bars.volume):
        column[:, 0] = np.nan
    found = first(bars)
    assert (found.price, found.spread_bps, found.volatility_percent) == (None, None, None)
    assert (found.history, found.dollar_volume, found.last_bar) == (0, 0, None)
    assert first(bars, DAYS[0]).history == 0
