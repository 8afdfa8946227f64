import datetime as dt
from decimal import Decimal

from tradingd.domain.market import ActionKind
from tradingd.domain.money import nanos
from tradingd.session.calendar import SessionCalendar
from tradingd.sources.lean.actions import FactorRow, actions_of

CALENDAR = SessionCalendar()


def row(day: str, price: str, split: str, close: str) -> FactorRow:
    return FactorRow(dt.date.fromisoformat(day), Decimal(price), Decimal(split), Decimal(close))


def test_a_price_factor_step_becomes_a_dividend_on_the_next_session() -> None:
    rows = [
        row("2012-08-08", "0.8613657", "1", "619.86"),
        row("2012-11-06", "0.8650639", "1", "582.86"),
    ]
    (action,) = actions_of("AAPL", rows, CALENDAR)
    # 619.86 x (1 - 0.8613657 / 0.8650639) = 2.64996, uncertain by 619.86 x 1e-7 / 0.865 = 0.00007
    assert (action.kind, action.ex_date) == (ActionKind.DIVIDEND, dt.date(2012, 8, 9))
    assert action.amount == nanos("2.65")


def test_a_split_factor_step_becomes_a_split_after_the_weekend() -> None:
    rows = [row("2014-06-06", "1", "0.03571430", "645.57"), row("2050-12-31", "1", "0.25", "0")]
    (action,) = actions_of("AAPL", rows, CALENDAR)
    assert (action.kind, action.ex_date) == (ActionKind.SPLIT, dt.date(2014, 6, 9))
    assert (action.numerator, action.denominator) == (7, 1)


def test_equal_factors_are_no_action() -> None:
    rows = [row("2012-05-18", "1", "1", "1"), row("2050-12-31", "1", "1", "0")]
    assert list(actions_of("FB", rows, CALENDAR)) == []
