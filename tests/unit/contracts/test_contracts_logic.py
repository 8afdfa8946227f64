"""JSON-Logic as its definition has it, and the third answer where data is missing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_logic.apply import apply

from tradingd.contracts.grammar import ARITY, check_logic
from tradingd.contracts.logic import Scope, evaluate
from tradingd.contracts.values import Unknown
from tradingd.kits.failure import ExitCode, Failure

PEOPLE = {"people": [{"age": 20}, {"age": 40}], "none": [], "ages": [1, 2, 3]}

# What https://jsonlogic.com/operations.html says of each operator.
DEFINED: list[tuple[Any, Any, Any]] = [
    (True, {}, True),
    ("apple", {}, "apple"),
    ([1, {"+": [1, 1]}], {}, [1, 2]),
    ({"var": "a"}, {"a": 1}, 1),
    ({"var": ["a"]}, {"a": 1}, 1),
    ({"var": ["z", 26]}, {"a": 1}, 26),
    ({"var": "a.b.c"}, {"a": {"b": {"c": 7}}}, 7),
    ({"var": "a.1"}, {"a": ["x", "y"]}, "y"),
    ({"var": 1}, ["x", "y"], "y"),
    ({"var": ""}, 5, 5),
    ({"var": []}, 5, 5),
    ({"var": {"cat": ["a", ".b"]}}, {"a": {"b": 3}}, 3),
    ({"missing": ["a", "b"]}, {"a": 1}, ["b"]),
    ({"missing": "a"}, {"a": 1}, []),
    ({"missing": [["a", "b"]]}, {"b": ""}, ["a", "b"]),
    ({"missing": {"merge": ["a", ["b"]]}}, {"a": 1}, ["b"]),
    ({"missing_some": [1, ["a", "b"]]}, {"a": 1}, []),
    ({"missing_some": [2, ["a", "b", "c"]]}, {"a": 1}, ["b", "c"]),
    ({"if": []}, {}, None),
    ({"if": [True, "yes"]}, {}, "yes"),
    ({"if": [False, "yes"]}, {}, None),
    ({"if": [False, "yes", "no"]}, {}, "no"),
    ({"if": [False, 1, True, 2, 3]}, {}, 2),
    ({"if": [0, 1, "", 2, [], 3, 4]}, {}, 4),
    ({"if": ["0", 1, 2]}, {}, 1),
    ({"?:": [False, 1, 2]}, {}, 2),
    ({"==": [1, 1]}, {}, True),
    ({"==": [1, 1.0]}, {}, True),
    ({"==": [None, None]}, {}, True),
    ({"==": [0, None]}, {}, False),
    ({"!=": [1, 2]}, {}, True),
    ({"===": [1, 1]}, {}, True),
    ({"===": [1, "1"]}, {}, False),
    ({"===": [1, True]}, {}, False),
    ({"!==": [1, True]}, {}, True),
    ({"!": [[]]}, {}, True),
    ({"!": True}, {}, False),
    ({"!!": ["0"]}, {}, True),
    ({"!!": [0]}, {}, False),
    ({"or": [False, 0, "a"]}, {}, "a"),
    ({"or": [False, 0]}, {}, 0),
    ({"and": [True, "a", 3]}, {}, 3),
    ({"and": [True, "", 3]}, {}, ""),
    ({">": [2, 1]}, {}, True),
    ({">=": [1, 1]}, {}, True),
    ({"<": ["2026-01-01", "2026-02-01"]}, {}, True),
    ({"<": [1, 2, 3]}, {}, True),
    ({"<": [1, 2, 2]}, {}, False),
    ({"<=": [1, 1, 1]}, {}, True),
    ({"max": [1, 3, 2]}, {}, 3),
    ({"min": [1, 3, 2]}, {}, 1),
    ({"+": [4, 2, 2]}, {}, 8),
    ({"-": [4, 2]}, {}, 2),
    ({"-": 2}, {}, -2),
    ({"*": [2, 3, 4]}, {}, 24),
    ({"/": [4, 2]}, {}, 2),
    ({"%": [101, 2]}, {}, 1),
    ({"%": [-5, 3]}, {}, -2),
    ({"in": ["b", ["a", "b"]]}, {}, True),
    ({"in": [1, [True]]}, {}, False),
    ({"in": ["pring", "Springfield"]}, {}, True),
    ({"cat": ["I love", " pie", 2]}, {}, "I love pie2"),
    ({"substr": ["jsonlogic", 4]}, {}, "logic"),
    ({"substr": ["jsonlogic", -5]}, {}, "logic"),
    ({"substr": ["jsonlogic", 1, 3]}, {}, "son"),
    ({"substr": ["jsonlogic", 4, -2]}, {}, "log"),
    ({"merge": [[1, 2], 3]}, {}, [1, 2, 3]),
    ({"map": [{"var": "ages"}, {"*": [{"var": ""}, 2]}]}, PEOPLE, [2, 4, 6]),
    ({"filter": [{"var": "ages"}, {"%": [{"var": ""}, 2]}]}, PEOPLE, [1, 3]),
    (
        {"reduce": [{"var": "ages"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]},
        PEOPLE,
        6,
    ),
    ({"all": [{"var": "people"}, {">": [{"var": "age"}, 18]}]}, PEOPLE, True),
    ({"all": [{"var": "none"}, True]}, PEOPLE, False),
    ({"some": [{"var": "people"}, {">": [{"var": "age"}, 30]}]}, PEOPLE, True),
    ({"none": [{"var": "people"}, {">": [{"var": "age"}, 50]}]}, PEOPLE, True),
    ({"none": [{"var": "none"}, True]}, PEOPLE, True),
]


@pytest.mark.parametrize(("logic", "data", "expected"), DEFINED, ids=lambda one: str(one)[:40])
def test_an_operator_answers_as_json_logic_defines_it(logic: Any, data: Any, expected: Any) -> None:
    answer = evaluate(logic, Scope(data))
    assert answer == expected
    assert isinstance(answer, bool) == isinstance(expected, bool)


def test_every_operator_is_among_the_defined_ones() -> None:
    tried = {name for logic, _, _ in DEFINED if isinstance(logic, dict) for name in logic}
    assert tried == set(ARITY)


UNKNOWN: dict[str, tuple[Any, str]] = {
    "a missing number is not below anything": ({"<": [{"var": "drift"}, 0.2]}, "drift is missing"),
    "null is not 0": ({"<=": [{"var": "nothing"}, 0]}, "nothing is missing"),
    "no not of it": ({"!": {"var": "rejected"}}, "rejected is missing"),
    "no sum with it": ({">": [{"+": [5, {"var": "drift"}]}, 1]}, "drift is missing"),
    "no branch on it": ({"if": [{"var": "drift"}, False, True]}, "drift is missing"),
    "no path below a number": ({"==": [{"var": "one.deep"}, None]}, "one.deep is missing"),
    "text beside a number": ({"<": [{"var": "text"}, 5]}, 'found "1" and 5'),
    "true beside a number": ({">=": [True, 1]}, "found true and 1"),
    "an equality of kinds": ({"==": [{"var": "text"}, 1]}, "one kind"),
    "a list compared": ({"==": [{"var": "list"}, {"var": "list"}]}, "one kind"),
    "division by zero": ({">": [{"/": [1, 0]}, 0]}, "division by zero"),
    "none of what is no list": ({"none": [{"var": "one"}, True]}, "no list"),
    "all of items with a missing field": (
        {"all": [{"var": "list"}, {">": [{"var": "x"}, 0]}]},
        "item.x is missing",
    ),
    "in nothing": ({"in": ["a", {"var": "one"}]}, "list or text"),
    "a number that is none": ({"<": [{"*": [1e300, 1e300]}, 5]}, "no finite number"),
}
DATA = {"one": 1, "text": "1", "nothing": None, "list": [{"x": 1}, {"y": 2}]}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_known_is_unknown_and_says_why(name: str) -> None:
    logic, why = UNKNOWN[name]
    answer = evaluate(logic, Scope(DATA))
    assert isinstance(answer, Unknown)
    assert why in answer.reason


@pytest.mark.parametrize(
    ("logic", "answer"),
    [
        ({"and": [{"var": "gone"}, False]}, False),
        ({"and": [True, {"var": "gone"}]}, None),
        ({"or": [{"var": "gone"}, True]}, True),
        ({"or": [False, {"var": "gone"}]}, None),
        ({"some": [{"var": "list"}, {">": [{"var": "x"}, 0]}]}, True),
        ({"all": [{"var": "list"}, {"<": [{"var": "x"}, 0]}]}, False),
    ],
)
def test_and_and_or_are_kleenes(logic: Any, answer: bool | None) -> None:
    found = evaluate(logic, Scope(DATA))
    assert isinstance(found, Unknown) if answer is None else found is answer


def test_a_default_takes_the_place_of_what_is_missing() -> None:
    scope = Scope({})
    assert evaluate({"<": [{"var": ["drift", 0.1]}, 0.2]}, scope) is True
    assert scope.missing == []


UNSOUND: dict[str, Any] = {
    "an unknown operator": {"execute": ["rm"]},
    "the operator that prints": {"log": "x"},
    "an object of two": {"and": [True], "or": [True]},
    "an empty object": {"!": {}},
    "data for logic": {"and": [{"sharpe": 2, "trades": 5}]},
    "a comparison of one": {">": [1]},
    "and of nothing": {"and": []},
    "deep in a list": {"and": [True, [[{"nonsense": 1}]]]},
    "deep nesting": __import__("functools").reduce(lambda a, _: {"!": a}, range(200), True),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_rule_that_is_not_understood_whole_is_refused(name: str) -> None:
    with pytest.raises(Failure) as caught:
        check_logic(UNSOUND[name])
    assert caught.value.code == ExitCode.CONTRACT


def test_a_rule_cannot_take_the_machine() -> None:
    doubling = {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}
    with pytest.raises(Failure, match="too large"):
        evaluate({"reduce": [{"var": ""}, doubling, "x"]}, Scope(list(range(64))))
    many = list(range(2_000))
    inner = {"map": [{"var": "all"}, {"var": ""}]}
    with pytest.raises(Failure, match="too many steps"):
        evaluate(
            {"map": [{"var": "all"}, {"map": [many, {"+": [1, {"var": ""}]}]}]},
            Scope({"all": many}),
        )
    assert check_logic(inner) == ["all"]


def test_the_variables_of_a_rule_are_those_it_reads_from_the_document() -> None:
    logic = {
        "and": [
            {">": [{"var": "metrics.sharpe"}, 1]},
            {"all": [{"var": "folds"}, {">": [{"var": "score"}, 0]}]},
            {"!": {"missing": ["champion"]}},
        ]
    }
    assert check_logic(logic) == ["metrics.sharpe", "folds", "champion"]


numbers = st.integers(-50, 50) | st.floats(-50, 50, allow_nan=False).map(lambda one: round(one, 3))
values = st.sampled_from([{"var": "a"}, {"var": "b.c"}]) | numbers
comparisons = st.builds(
    lambda name, left, right: {name: [left, right]},
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    values,
    st.builds(
        lambda name, left, right: {name: [left, right]},
        st.sampled_from(["+", "-", "*", "min", "max"]),
        values,
        values,
    )
    | values,
)
rules = st.recursive(
    comparisons | st.booleans(),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda parts: {"or": parts}, st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda one: {"!": [one]}, inner),
        st.builds(lambda parts: {"if": parts}, st.lists(inner, min_size=3, max_size=5)),
    ),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(rule=rules, a=numbers, c=numbers)
def test_with_all_the_data_the_answer_is_the_librarys(rule: Any, a: float, c: float) -> None:
    data = {"a": a, "b": {"c": c}}
    assert evaluate(rule, Scope(data)) == apply(rule, data)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(rule=rules, a=numbers, c=numbers, other=numbers)
def test_an_answer_without_some_data_is_the_answer_with_any(
    rule: Any, a: float, c: float, other: float
) -> None:
    answer = evaluate(rule, Scope({"a": a}))
    if not isinstance(answer, Unknown):
        for value in (c, other):
            known = apply(rule, {"a": a, "b": {"c": value}})
            assert bool(answer) == bool(known)
