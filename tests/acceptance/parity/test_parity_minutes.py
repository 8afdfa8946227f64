"""The same configuration over the same real minute bars, by both rules of arrival."""

from decimal import Decimal

import pytest

from tests.acceptance.parity.books import Books
from tests.acceptance.parity.cases import INTRADAY, WEEK, Case
from tests.acceptance.parity.causes import OWN_BAR, causes
from tests.acceptance.parity.runs import Machine

CASE = Case(INTRADAY, *WEEK)


@pytest.fixture(scope="module")
def backtest(minutes: Machine) -> Books:
    """The backtest, run once."""
    return minutes.backtest(*CASE.of_backtest)


def decisions(books: Books) -> list[tuple[str, str, str, str]]:
    """Return what was decided when; sizes follow the equity, which follows the prices."""
    return sorted(
        (one.bar, one.symbol, one.side, one.reason)
        for one in books.orders
        if one.purpose != "PROTECT"
    )


def test_a_session_whose_orders_wait_for_the_next_bar_trades_as_the_backtest(
    minutes: Machine, backtest: Books
) -> None:
    session = minutes.session("next", *CASE.of_session, "broker.arrivals=next_bar")
    assert len(session.trades) == len(backtest.trades) == 132
    assert causes(backtest, session) == {OWN_BAR: 4}
    assert session.denials == backtest.denials
    assert session.denials["no_trade_open_minutes"] > 0
    assert abs(session.equity - backtest.equity) < Decimal(5)


@pytest.mark.slow
def test_a_session_that_trades_at_the_touch_decides_the_same_at_other_prices(
    minutes: Machine, backtest: Books
) -> None:
    session = minutes.session("touch", *CASE.of_session)
    assert decisions(session) == decisions(backtest)
    assert session.denials == backtest.denials
    assert session.trades != backtest.trades
    assert abs(session.equity - backtest.equity) < Decimal(50)
