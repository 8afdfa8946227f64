import datetime as dt
from decimal import Decimal

from tradingd.domain.market import ActionKind, CorporateAction
from tradingd.domain.money import nanos
from tradingd.sources.sample.actions import Day, derive_actions


def actions(*days: tuple[str, str]) -> list[CorporateAction]:
    first = dt.date(2004, 11, 11)
    return list(
        derive_actions(
            "MSFT",
            [
                Day(first + dt.timedelta(days=number), Decimal(close), Decimal(adjusted))
                for number, (close, adjusted) in enumerate(days)
            ],
        )
    )


def test_a_jump_of_the_ratio_by_two_is_a_split() -> None:
    (action,) = actions(("48.30", "24.15"), ("24.96", "24.96"))
    assert (action.kind, action.numerator, action.denominator) == (ActionKind.SPLIT, 2, 1)


def test_a_small_growth_of_the_ratio_is_a_dividend() -> None:
    # Total return of the ex-date: (27.39 + 3.08) / 29.97, so adjusted grows by that much.
    before = Decimal("20")
    after = before * (Decimal("27.39") + Decimal("3.08")) / Decimal("29.97")
    (action,) = actions(("29.97", str(before)), ("27.39", f"{after:.12f}"))
    assert (action.kind, action.amount) == (ActionKind.DIVIDEND, nanos("3.08"))


def test_rounding_of_the_adjusted_close_is_no_action() -> None:
    # A constant ratio of 0.3, off by 1e-12.
    assert actions(("100", "30.000000000001"), ("101", "30.3")) == []
