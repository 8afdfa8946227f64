"""The same configuration over the same real minute bars, by both rules of arrival."""

from decimal import Decimal

import pytest

from tests.acceptance.parity.books import Books
from tests.acceptance.parity.cases import INTRADAY, WEEK, Case
from tests.acceptance.parity.causes import OWN_BAR, causes
from tests.acceptance.parity.runs import Machine

CAPPED = Case(
    (*INTRADAY, "execution.participation_percent=0.2", "risk.max_trades_per_day=12"),
    "2013-10-07",
    "2013-10-08",
)
"""Orders larger than a bar gives, and a limit that is reached."""


def decisions(books: Books) -> list[tuple[str, str, str, str]]:
    """Return what was decided when; sizes follow the equity, which follows the prices."""
    return sorted(
        (one.bar, one.symbol, one.side, one.reason)
        for one in books.orders
        if one.purpose != "PROTECT"
    )


def test_a_session_fills_bit_by_bit_and_denies_what_the_backtest_denies(minutes: Machine) -> None:
    backtest = minutes.backtest(*CAPPED.of_backtest)
    session = minutes.session("capped", *CAPPED.of_session, "broker.arrivals=next_bar")
    assert len(session.trades) > len([one for one in session.orders if one.filled])
    assert causes(backtest, session) == {OWN_BAR: 1}
    assert session.denials == backtest.denials
    assert session.denials["max_trades_per_day"] > 0


@pytest.mark.slow
def test_a_week_of_orders_that_wait_for_the_next_bar_trades_as_the_backtest(
    minutes: Machine,
) -> None:
    case = Case(INTRADAY, *WEEK)
    backtest = minutes.backtest(*case.of_backtest)
    session = minutes.session("next", *case.of_session, "broker.arrivals=next_bar")
    assert len(session.trades) == len(backtest.trades) == 132
    assert causes(backtest, session) == {OWN_BAR: 4}
    assert session.denials == backtest.denials
    assert abs(session.equity - backtest.equity) < Decimal(5)


@pytest.mark.slow
def test_a_week_of_orders_that_trade_at_the_touch_decides_the_same_at_other_prices(
    minutes: Machine,
) -> None:
    case = Case(INTRADAY, *WEEK)
    backtest = minutes.backtest(*case.of_backtest)
    session = minutes.session("touch", *case.of_session)
    assert decisions(session) == decisions(backtest)
    assert session.denials == backtest.denials
    assert session.trades != backtest.trades
    assert abs(session.equity - backtest.equity) < Decimal(50)
