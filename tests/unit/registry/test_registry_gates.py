"""Clauses as a person reads them."""

import json
from typing import Any

import pytest

from tradingd.app.model_gates import clauses_of
from tradingd.contracts.rules import evaluate
from tradingd.registry.gates import Verdict, in_words

SHARPE = {"var": "metrics.sharpe"}


@pytest.mark.parametrize(
    ("logic", "values", "expected"),
    [
        ({">": [SHARPE, 1]}, {"metrics.sharpe": 0.4}, ("metrics.sharpe > 1", "0.4", "> 1")),
        ({"<": [SHARPE, 1]}, {}, ("metrics.sharpe < 1", "", "< 1")),
        (
            {"<=": [{"var": "a"}, {"*": [1.1, {"var": "b.a"}]}]},
            {"a": 5.0, "b.a": 4.0},
            ("a <= 1.1 * b.a", "5", "<= 1.1 * b.a (4)"),
        ),
        ({"!!": {"missing": ["champion"]}}, {}, ("missing(champion)", "", "")),
        ({"!": {"var": "a"}}, {"a": True}, ("not a", "True", "")),
        (
            {"in": [{"var": "task"}, ["ranking"]]},
            {"task": "x"},
            ('in(task, ["ranking"])', "x", ""),
        ),
        ({"<": [0, SHARPE, 9]}, {"metrics.sharpe": 1}, ("<(0, metrics.sharpe, 9)", "1", "")),
    ],
)
def test_a_clause_is_told_with_value_and_bound(
    logic: Any, values: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert in_words(json.dumps(logic), values) == expected


def test_logic_that_was_cut_is_told_as_it_is() -> None:
    assert in_words('{">": [{"var...', {"a": 1}) == ('{">": [{"var...', "1", "")


def test_of_alternatives_those_that_fail_are_not_needed_where_one_holds() -> None:
    rule = {"or": [{">": [{"var": "a"}, 1]}, {"and": [{">": [{"var": "b"}, 1]}]}]}
    passed = list(clauses_of(evaluate(rule, {"a": 2, "b": 0})))
    assert [(one.passed, one.needed) for one in passed] == [(True, True), (False, False)]
    failed = tuple(clauses_of(evaluate(rule, {"a": 0, "b": 0})))
    assert [(one.passed, one.needed) for one in failed] == [(False, True), (False, True)]
    assert Verdict(passed=False, clauses=failed).failed == failed
