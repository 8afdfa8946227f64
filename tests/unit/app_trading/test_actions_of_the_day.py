"""As a day begins, the session knows the corporate actions that its feed knows by then."""

import datetime as dt
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from tradingd.app.trading.joining import _renew
from tradingd.domain.market import ActionKind, CorporateAction

SPLIT = CorporateAction(
    symbol="AAA", ex_date=dt.date(2024, 7, 2), kind=ActionKind.SPLIT, numerator=2, denominator=1
)


class Knows:
    """Keeps what it is told."""

    known: Sequence[CorporateAction] = ()

    def know(self, actions: Sequence[CorporateAction]) -> None:
        self.known = actions

    know_actions = know


class TestServer:
    """A feed whose market's time is the data's, and which asks for actions by itself."""

    __test__ = False
    replayed = True

    async def refresh(self) -> None:
        raise AssertionError("a market of data time does not wait for an answer")

    def actions(self) -> Sequence[CorporateAction]:
        return [SPLIT]


def test_in_the_time_of_a_test_server_a_day_begins_with_what_was_announced_by_then() -> None:
    days, engine = Knows(), Knows()
    _renew(cast(Any, SimpleNamespace(feed=TestServer(), days=days, engine=engine)))
    assert (days.known, engine.known) == ([SPLIT], [SPLIT])
