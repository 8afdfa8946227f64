"""A backtest's days and money stay within what the calendar and the engine can hold."""

import datetime as dt
from decimal import Decimal

import pytest

from tradingd.config.load import load
from tradingd.config.mode import FIRST_YEAR, LAST_YEAR, BacktestMode
from tradingd.kits.failure import ExitCode, Failure
from tradingd.session.calendar import SessionCalendar


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("mode.cash=100000000000000", "at most 1,000,000,000,000"),
        ("mode.cash=1000000000000.01", "at most 1,000,000,000,000"),
        ("mode.cash=1e-13", "at most nine decimals"),
        ("mode.cash=100.0000000001", "at most nine decimals"),
        ("mode.end=9999-12-31", "1990 to 2035"),
        ("mode.start=0001-01-01", "1990 to 2035"),
        ("mode.start=1989-12-31", "1990 to 2035"),
        ("mode.end=2036-01-01", "1990 to 2035"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_key(override: str, said: str) -> None:
    with pytest.raises(Failure) as refused:
        load(["mode=backtest", override])
    assert refused.value.code is ExitCode.CONFIG
    line = refused.value.line()
    assert said in line
    assert override.partition("=")[0] in line


def test_the_bounds_themselves_are_accepted() -> None:
    overrides = ("mode.cash=1000000000000", "mode.start=1990-01-01", "mode.end=2035-12-31")
    mode = load(["mode=backtest", *overrides]).config.mode
    assert isinstance(mode, BacktestMode)
    assert mode.cash == Decimal("1e12")
    assert (mode.start, mode.end) == (dt.date(1990, 1, 1), dt.date(2035, 12, 31))


def test_the_years_are_those_of_the_exchange_calendar() -> None:
    sessions = SessionCalendar("XNYS").sessions
    assert (sessions[0].day.year, sessions[-1].day.year) == (FIRST_YEAR, LAST_YEAR)
