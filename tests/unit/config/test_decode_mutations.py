"""Nothing that is not exactly a configuration is decoded: every key and every leaf is mutated."""

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingd.config.diff import leaves
from tradingd.config.environment import Environment
from tradingd.config.keys import describe
from tradingd.config.load import Sources, decode
from tradingd.kits.failure import ExitCode, Failure

ROUTES = {
    "swing": ("mode=backtest",),
    "intraday on ibkr": (
        "mode=backtest",
        "mode.start=2012-01-03",
        "strategy=intraday_mean_reversion",
        "broker=ibkr",
        "universe=symbols",
        "universe.symbols=[SPY,AAPL]",
        "source=tabular",
        "source.path=x.csv",
    ),
    "cross on alpaca": ("strategy=ema_cross", "broker=alpaca", "source=lean", "source.path=x"),
    "hold with fixed slippage": ("strategy=buy_and_hold", "execution.slippage.kind=fixed"),
    "live": ("mode=live", "mode.account=U1", "broker=alpaca", "execution=ideal"),
}


@cache
def _tree(route: str) -> dict[str, Any]:
    return Sources(ROUTES[route], None, Environment(values={})).load().tree


FREE = (("source", "columns"), ("features", "declared"))
"""Tables whose keys are names of a person's own."""


def _paths(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every key of the tree, groups included."""
    found = []
    for name, value in tree.items():
        found.append((*path, name))
        if isinstance(value, Mapping) and (*path, name) not in FREE:
            found += _paths(value, (*path, name))
    return found


CASES = [(route, path) for route in ROUTES for path in _paths(_tree(route))]
LEAVES = [
    (route, path) for route in ROUTES for path, _ in leaves(_tree(route)) if path[:2] not in FREE
]


def _changed(route: str, path: tuple[str, ...], change: Any) -> dict[str, Any]:
    tree = copy.deepcopy(_tree(route))
    part = tree
    for name in path[:-1]:
        part = part[name]
    change(part, path[-1])
    return tree


@pytest.mark.parametrize("route", ROUTES)
def test_the_unchanged_tree_decodes(route: str) -> None:
    decode(_tree(route))


@settings(deadline=None)
@given(case=st.sampled_from(CASES), data=st.data())
def test_a_mutated_key_is_refused_by_its_path(
    case: tuple[str, tuple[str, ...]], data: st.DataObject
) -> None:
    route, path = case
    wrong = data.draw(_misspelt(path[-1]))

    def rename(part: dict[str, Any], name: str) -> None:
        part[wrong] = part.pop(name)

    tree = _changed(route, path, rename)
    with pytest.raises(Failure) as refused:
        decode(tree)
    named = {".".join((*path[:-1], wrong)), ".".join(path)}
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where in named
    assert "\n" not in refused.value.line()


def _misspelt(name: str) -> st.SearchStrategy[str]:
    letters = "abcdefghijklmnopqrstuvwxyz_"
    place = st.integers(0, len(name) - 1)
    mutated = st.one_of(
        place.map(lambda at: name[:at] + name[at + 1 :]),
        st.tuples(place, st.sampled_from(letters)).map(
            lambda pair: name[: pair[0]] + pair[1] + name[pair[0] :]
        ),
        st.just(name.upper()),
        st.just(name + " "),
    )
    return mutated.filter(lambda text: text != name)


@pytest.mark.parametrize(("route", "path"), CASES, ids=[f"{r}: {'.'.join(p)}" for r, p in CASES])
def test_an_added_letter_in_any_key_is_refused_with_the_right_name(
    route: str, path: tuple[str, ...]
) -> None:
    def misspell(part: dict[str, Any], name: str) -> None:
        part[name + "x"] = part.pop(name)

    with pytest.raises(Failure) as refused:
        decode(_changed(route, path, misspell))
    assert refused.value.code is ExitCode.CONFIG
    right = ".".join(path)
    if path[-1] == "kind" and path[0] not in ("execution", "backfill", "training"):
        # Without its kind a group cannot even be told apart: the missing kind is named instead.
        assert refused.value.where == right
    else:
        assert refused.value.next_step == f"did you mean {right}?"


@pytest.mark.parametrize(("route", "path"), LEAVES, ids=[f"{r}: {'.'.join(p)}" for r, p in LEAVES])
def test_a_leaf_of_any_other_type_is_refused_with_what_was_expected(
    route: str, path: tuple[str, ...]
) -> None:
    tree = _tree(route)
    value: Any = tree
    for name in path:
        value = value[name]
    key = describe(path, tree)
    assert key is not None
    for wrong in _other_types(value, key.expected):

        def replace(part: dict[str, Any], name: str, wrong: Any = wrong) -> None:
            part[name] = wrong

        with pytest.raises(Failure) as refused:
            decode(_changed(route, path, replace))
        assert refused.value.code is ExitCode.CONFIG
        assert refused.value.where.startswith(".".join(path))
        assert refused.value.expected


def _other_types(value: Any, expected: str) -> list[Any]:
    """Values of every type that the key does not take; a number fits where a number is expected."""
    wrong: list[Any] = [object, {"a": 1}, [{}]]
    wrong[0] = [[]]
    if "true or false" not in expected:
        wrong.append(True)
    if "number" not in expected:
        wrong += [3, 2.5]
    elif "whole" in expected:
        wrong.append(2.5)
    if "null" not in expected:
        wrong.append(None)
    if not expected.startswith(("text", "one of")):
        wrong.append("certainly not this")
    return wrong


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")], ids=str)
@pytest.mark.parametrize("path", [("risk", "drawdown_percent"), ("mode", "cash")], ids=".".join)
def test_numbers_that_are_not_finite_are_refused(path: tuple[str, ...], number: float) -> None:
    def replace(part: dict[str, Any], name: str) -> None:
        part[name] = number

    with pytest.raises(Failure, match="not a finite number"):
        decode(_changed("swing", path, replace))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "0", "-5"])
def test_cash_that_is_no_positive_amount_is_refused(text: str) -> None:
    def replace(part: dict[str, Any], name: str) -> None:
        part[name] = text

    with pytest.raises(Failure, match="must be positive"):
        decode(_changed("swing", ("mode", "cash"), replace))


@pytest.mark.parametrize("group", list(_tree("swing")))
def test_a_missing_group_is_refused_by_name(group: str) -> None:
    tree = copy.deepcopy(_tree("swing"))
    del tree[group]
    if group == "seed":
        assert decode(tree).seed == 7
        return
    with pytest.raises(Failure, match=f"the group {group} is missing"):
        decode(tree)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("seed",), -1, "a whole number >= 0 and <= 4294967295"),
        (("seed",), 2**32, "a whole number >= 0 and <= 4294967295"),
        (("risk", "drawdown_percent"), -0.1, "a number >= 0 and <= 100000"),
        (("risk", "drawdown_percent"), 100_000.1, "a number >= 0 and <= 100000"),
        (("strategy", "adx_min"), 100.5, "a number >= 0 and <= 100"),
        (("strategy", "max_days"), 0, "a whole number >= 1"),
        (("execution", "latency_ms"), 60_001, "a whole number >= 0 and <= 60000"),
        (("store", "compression_level"), 20, "a whole number >= 1 and <= 19"),
    ],
    ids=lambda part: ".".join(part) if isinstance(part, tuple) else str(part),
)
def test_a_number_out_of_range_is_refused_with_the_range(
    path: tuple[str, ...], value: Any, expected: str
) -> None:
    def replace(part: dict[str, Any], name: str) -> None:
        part[name] = value

    with pytest.raises(Failure) as refused:
        decode(_changed("swing", path, replace))
    assert refused.value.expected == expected
    assert str(value) in refused.value.found


def test_every_way_of_mutating_was_tried_on_a_substantial_tree() -> None:
    assert len(LEAVES) > 150
