"""A rule explained: every clause, what it looked up, and what is missing."""

from typing import Any

import pytest

from tradingd.contracts.rules import evaluate, rule_of
from tradingd.kits.failure import ExitCode, Failure

GATE = {
    "and": [
        {">": [{"var": "metrics.sharpe"}, 1]},
        {"<": [{"var": "metrics.drift"}, 0.2]},
        {"or": [{"==": [{"var": "stage"}, "trial"]}, {">=": [{"var": "metrics.days"}, 60]}]},
    ]
}


def test_each_operand_of_and_and_or_is_answered_with_its_values() -> None:
    document = {"metrics": {"sharpe": 0.7, "drift": 0.1, "days": 90}, "stage": "live"}
    found = evaluate(GATE, document)
    assert (found.passed, found.binding, found.missing) == (False, True, ())
    sharpe, drift, either = found.clause.clauses
    assert (sharpe.passed, sharpe.values) == (False, {"metrics.sharpe": 0.7})
    assert (drift.passed, drift.values) == (True, {"metrics.drift": 0.1})
    assert (either.operator, either.passed) == ("or", True)
    assert [one.passed for one in either.clauses] == [False, True]
    assert sharpe.logic == '{">": [{"var": "metrics.sharpe"}, 1]}'


def test_a_missing_variable_never_lets_a_document_pass_and_is_named() -> None:
    document: dict[str, Any] = {"metrics": {"sharpe": 2, "drift": None}, "stage": "trial"}
    found = evaluate(GATE, document)
    assert not found.passed
    assert found.missing == ("metrics.drift", "metrics.days")
    assert found.clause.passed is None
    assert found.clause.clauses[1].reason == "metrics.drift is missing"


def test_a_rule_binds_when_its_condition_holds_or_cannot_be_told() -> None:
    rule = rule_of("rules/x.rule.json", {"rule": GATE, "when": {"==": [{"var": "stage"}, "live"]}})
    assert evaluate(rule, {"stage": "live"}).binding
    assert not evaluate(rule, {"stage": "trial"}).binding
    assert evaluate(rule, {}).binding


def test_a_bare_rule_and_an_empty_document_are_no_trouble() -> None:
    found = evaluate({"missing": ["a"]}, {})
    assert (found.passed, found.clause.clauses) == (True, ())
    assert not evaluate({"and": {"var": "a"}}, None).passed


@pytest.mark.parametrize(
    "document",
    [[], "text", {"rule": "yes"}, {"rule": True}, {"rule": {"a": 1, "b": 2}}, {},
     {"rule": {"!": 1}, "applies_to": 5}, {"rule": {"!": 1}, "when": {"nonsense": 1}}],
    ids=str,
)  # fmt: skip
def test_what_is_no_rule_is_refused_by_the_name_of_its_file(document: Any) -> None:
    with pytest.raises(Failure) as caught:
        rule_of("rules/gate.json", document)
    assert (caught.value.code, caught.value.where) == (ExitCode.CONTRACT, "rules/gate.json")
