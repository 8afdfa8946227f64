"""Orders worked as limits: the same decisions on the same bars, and why a price differs.

Sizes follow the equity, so one other price moves the sizes of everything after it: they are left
out of the comparison.
"""

from collections import Counter
from typing import Final, NamedTuple

import pytest

from tests.acceptance.parity.books import Books
from tests.acceptance.parity.cases import DAILY, INTRADAY, WEEK, WHOLE, Case
from tests.acceptance.parity.runs import Machine

SWING: Final = (*DAILY["swing_trend"], "execution=limit")
FADE: Final = (*INTRADAY, "execution=limit", "broker.arrivals=next_bar")
SOME_MONTHS: Final = ("2004-08-02", "2005-03-18")

BOTH_ENDS: Final = "a bar opens at an exit's limit or better and reaches the stop too"
"""A backtest fills the exit at that open; the simulated broker takes the stop of such a bar."""

OWN_BAR: Final = "a stop is reached within the bar its entry filled in"
"""The session's stop is placed when the fill is told, which is when that bar has ended."""

UNEXPLAINED: Final = "unexplained"


class Done(NamedTuple):
    """A fill without its size."""

    symbol: str
    bar: str
    side: str
    purpose: str
    price: str


def fills(books: Books) -> Counter[Done]:
    """Return every fill."""
    return Counter(
        Done(one.symbol, one.bar, one.side, one.purpose, str(one.price)) for one in books.trades
    )


def decisions(books: Books) -> list[tuple[str, ...]]:
    """Return what was sent when, and which step of which order it was."""
    return sorted(
        (one.bar, one.symbol, one.side, one.type, one.purpose, step(one.reason))
        for one in books.orders
        if one.purpose != "PROTECT"
    )


def step(reason: str) -> str:
    """Return the step a child's reason names, without the shares."""
    return reason.partition(" | ")[2].partition(",")[0]


def causes(backtest: Books, session: Books) -> Counter[str]:
    """Give every fill that only one of them has a cause."""
    ours, theirs = fills(backtest), fills(session)
    alone, others = list((ours - theirs).elements()), list((theirs - ours).elements())
    found: Counter[str] = Counter()
    for one in alone:
        same = [two for two in others if two[0] == one[0] and two[2] == one[2]]
        if one.purpose == "EXIT":
            twins = [two for two in same if two.bar == one.bar and two.purpose == "PROTECT"]
            cause = BOTH_ENDS
        else:
            twins = [two for two in same if two.bar > one.bar and two.purpose == one.purpose]
            cause = OWN_BAR
        if not twins:
            found[UNEXPLAINED] += 1
            continue
        others.remove(twins[0])
        found[cause] += 1
    found[UNEXPLAINED] += len(others)
    return +found


def compared(machine: Machine, name: str, case: Case, *of_session: str) -> tuple[Books, Books]:
    """Run both; the overrides of the broker mean nothing to a backtest."""
    backtest = machine.backtest(*[one for one in case.of_backtest if "arrivals" not in one])
    return backtest, machine.session(name, *of_session, *case.of_session)


def test_some_months_of_worked_daily_orders_are_decided_alike(daily: Machine) -> None:
    backtest, session = compared(daily, "worked", Case(SWING, *SOME_MONTHS), "feed=sample")
    assert decisions(session) == decisions(backtest)
    assert session.denials == backtest.denials
    assert backtest.denials["style"] > 0, "some orders do not get all their shares"
    assert causes(backtest, session) == {BOTH_ENDS: 1}


@pytest.mark.long
def test_all_worked_daily_orders_are_decided_alike(daily: Machine) -> None:
    backtest, session = compared(daily, "whole-worked", Case(SWING, *WHOLE), "feed=sample")
    assert len(backtest.trades) == 365
    assert decisions(session) == decisions(backtest)
    assert session.denials == backtest.denials
    assert causes(backtest, session) == {BOTH_ENDS: 3, OWN_BAR: 1}


@pytest.mark.long
def test_a_week_of_worked_minute_orders_is_decided_alike(minutes: Machine) -> None:
    backtest, session = compared(minutes, "fade", Case(FADE, *WEEK))
    assert len(backtest.trades) == 132
    assert decisions(session) == decisions(backtest)
    assert session.denials == backtest.denials
    assert causes(backtest, session) == {OWN_BAR: 4}
