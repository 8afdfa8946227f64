"""Which step mends which finding, and what is left to a person."""

import pytest

from tradingd.app.verify.report import Finding
from tradingd.app.verify.steps import _BY_HAND, _BY_RECONCILING, by_hand, plan_hash, steps_for


def finding(check: str, subject: str = "AAA", **more: str) -> Finding:
    return Finding(check=check, subject=subject, symbol="AAA", text=f"about {subject}", **more)


MANUAL = finding("fill_not_in_journal", "f1", owner="manual", broker="BUY 7 AAA 10.00")
MISSED = finding("fill_not_in_journal", "f2", owner="ours", broker="BUY 1 AAA 10.00")
FOREIGN = finding("foreign_order", "B-7", owner="manual", broker="BUY 1 AAA LIMIT 1.00 (B-7)")


def test_foreign_orders_go_first_then_manual_trades_then_the_daemon_reconciles() -> None:
    found = [finding("cash", "cash"), MISSED, MANUAL, FOREIGN]
    assert [(one.verb, one.subject) for one in steps_for(found)] == [
        ("cancel-foreign", "B-7"),
        ("adopt", ""),
        ("reconcile", ""),
    ]


def test_a_plan_says_in_words_what_will_happen() -> None:
    cancel, adopt, reconcile = steps_for([FOREIGN, MANUAL, MISSED])
    assert cancel.text == "cancel BUY 1 AAA LIMIT 1.00 (B-7)"
    assert adopt.text == "book BUY 7 AAA 10.00 (f1) as manual"
    assert reconcile.text == "book the missed fill BUY 1 AAA 10.00 (f2)"


def test_nothing_found_is_nothing_to_do() -> None:
    assert (steps_for([]), by_hand([]), plan_hash(())) == ((), (), "")


def test_a_position_that_executions_explain_needs_no_person() -> None:
    assert by_hand([finding("position"), MANUAL]) == ()


def test_a_position_from_before_the_journal_is_adopted_and_a_person_told_what_if_not() -> None:
    (step,) = steps_for([finding("position", "BBB")])
    assert step.verb == "adopt"
    assert "about BBB" in step.text
    (alone,) = by_hand([finding("position")])
    assert "tradingctl adopt" in alone.next_step
    assert "statement" in alone.next_step


def test_cash_is_no_step_while_a_position_is_an_open_question() -> None:
    found = [finding("cash", "cash"), finding("position")]
    assert [step.verb for step in steps_for(found)] == ["adopt"]
    told = {one.check: one.next_step for one in by_hand(found)}
    assert told.keys() == {"cash", "position"}
    assert "equity" in told["cash"]
    unprotected = finding("unprotected")
    _, reconcile = steps_for([*found, unprotected])
    assert reconcile.text == "place the stop that is missing: about AAA"


@pytest.mark.parametrize("check", sorted(_BY_HAND.keys() - {"position"}))
def test_what_no_step_mends_is_left_to_a_person(check: str) -> None:
    assert steps_for([finding(check)]) == ()
    assert [one.check for one in by_hand([finding(check)])] == [check]


@pytest.mark.parametrize("check", sorted(_BY_RECONCILING))
def test_what_reconciling_mends_is_no_work_for_a_person(check: str) -> None:
    (step,) = steps_for([finding(check)])
    assert step.verb == "reconcile"
    assert by_hand([finding(check)]) == ()


def test_the_hash_changes_with_what_is_planned_and_only_with_that() -> None:
    same = plan_hash(steps_for([FOREIGN]))
    assert same == plan_hash(steps_for([FOREIGN, finding("fraction", "BBB")]))
    assert same != plan_hash(steps_for([FOREIGN, MANUAL]))
    assert len(same) == 12
