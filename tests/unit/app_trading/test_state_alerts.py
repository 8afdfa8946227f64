"""What the alert of a trading state tells a person to do next."""

import pytest

from tradingd.app.trading.telling import Teller
from tradingd.control.events import EventHub
from tradingd.domain.alerts import Alert
from tradingd.domain.states import RECONCILIATION, Scope, StateRecord, TradingState


def told(state: TradingState, author: str) -> Alert:
    alerts: list[Alert] = []
    teller = Teller(EventHub(), alerts.append, lambda: 1, lambda: 1, lambda _limit: None)
    reason = "AAA: the broker has 110, the book 100"
    record = StateRecord(scope=Scope(), state=state, reason=reason, author=author, since=1)
    teller.state(record, TradingState.RUNNING)
    (alert,) = alerts
    return alert


def test_a_halt_over_a_difference_names_what_mends_it() -> None:
    alert = told(TradingState.HALTED, RECONCILIATION)
    assert "tradingd repair --dry-run" in alert.next_step
    assert "tradingctl adopt" in alert.next_step


@pytest.mark.parametrize(
    ("state", "author"), [(TradingState.HALTED, "anna"), (TradingState.PAUSED, RECONCILIATION)]
)
def test_another_state_does_not_send_anybody_to_the_repair(
    state: TradingState, author: str
) -> None:
    assert "repair" not in told(state, author).next_step
