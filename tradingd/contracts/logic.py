"""JSON-Logic with a third answer: unknown, where data is missing or of another kind.

JSON-Logic (https://jsonlogic.com) reads a missing variable as null, and null counts as 0: the
gate ``drift < 0.2`` would open for a model whose drift nobody measured. Here such a clause is
unknown, `and`, `or`, `if` and `!` follow Kleene's strong logic of three values (Introduction to
Metamathematics, 1952, section 64), and what is unknown never passes. On documents that have all
the data, of the right kinds, the answers are those of JSON-Logic.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tradingd.contracts.grammar import operator_of
from tradingd.contracts.operators import apply
from tradingd.contracts.values import (
    Unknown,
    all_known,
    as_bool,
    bounded,
    brief,
    conjunction,
    disjunction,
    is_number,
    refused,
    truth,
)

MAX_STEPS: Final = 200_000
"""Operators applied by one evaluation; a promotion rule needs dozens."""

_MISSING: Final = object()


class Scope:
    """The data an expression sees, what it looked up there, and how much it may still do."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.values: dict[str, Any] = {}
        self.missing: list[str] = []
        self._steps = [MAX_STEPS]
        self._within = ""

    def step(self) -> None:
        """Count one operator.

        Raises
        ------
        Failure
            CONTRACT when the evaluation does more than any sound rule would.
        """
        self._steps[0] -= 1
        if self._steps[0] < 0:
            raise refused("a rule takes too many steps", f"at most {MAX_STEPS:,}", "more")

    def inner(self, data: Any) -> "Scope":
        """Return the scope of one item of a list; look-ups and steps are counted together."""
        scope = Scope(data)
        scope.values, scope.missing, scope._steps = self.values, self.missing, self._steps
        scope._within = f"{self._within}item."
        return scope

    def look_up(self, key: Any) -> Any:
        """Return the value at a dotted path, null as well as nothing being `_MISSING`."""
        value = _at(self.data, key)
        name = self._within + ("" if key is None else str(key))
        if value is _MISSING or value is None:
            if name not in self.missing:
                self.missing.append(name)
            return _MISSING
        if len(self.values) < 100:
            self.values[name] = value
        return value


def _at(data: Any, key: Any) -> Any:
    if key is None or key == "":
        return data
    for word in str(key).split("."):
        if isinstance(data, dict):
            data = data.get(word, _MISSING)
        elif isinstance(data, list) and word.isascii() and word.isdigit():
            data = data[int(word)] if int(word) < len(data) else _MISSING
        else:
            return _MISSING
    return data


def evaluate(logic: Any, scope: Scope) -> Any:
    """Return the value of an expression, or an `Unknown`.

    Raises
    ------
    Failure
        CONTRACT for an unknown operator or one with a wrong number of operands; call
        `check_logic` first to learn it before any data is seen.
    """
    if isinstance(logic, list):
        return all_known([evaluate(one, scope) for one in logic])
    if not isinstance(logic, dict):
        return logic
    scope.step()
    name, operands = operator_of(logic)
    if name in _LAZY:
        return _LAZY[name](operands, scope)
    values = all_known([evaluate(one, scope) for one in operands])
    if isinstance(values, Unknown):
        return values
    return bounded(apply(name, values))


# -- operators that decide which operands count ----------------------------------------------------


def _var(operands: list[Any], scope: Scope) -> Any:
    key = evaluate(operands[0], scope) if operands else ""
    if isinstance(key, Unknown):
        return key
    if isinstance(key, bool | dict | list | float):
        return Unknown(f"no path: {key!r}")
    before = len(scope.missing)
    value = scope.look_up(key)
    if value is not _MISSING:
        return value
    if len(operands) > 1:
        del scope.missing[before:]
        return evaluate(operands[1], scope)
    return Unknown(f"{scope._within}{key} is missing")


def _and(operands: list[Any], scope: Scope) -> Any:
    return conjunction([evaluate(one, scope) for one in operands])


def _or(operands: list[Any], scope: Scope) -> Any:
    return disjunction([evaluate(one, scope) for one in operands])


def _if(operands: list[Any], scope: Scope) -> Any:
    place = 0
    while place + 1 < len(operands):
        condition = evaluate(operands[place], scope)
        if isinstance(condition, Unknown):
            return condition
        if truth(condition):
            return evaluate(operands[place + 1], scope)
        place += 2
    return evaluate(operands[place], scope) if place < len(operands) else None


def _missing(operands: list[Any], scope: Scope) -> Any:
    """`missing` asks for absence itself, so that an absent path is an answer here."""
    values = all_known([evaluate(one, scope) for one in operands])
    if isinstance(values, Unknown):
        return values
    keys = values[0] if values and isinstance(values[0], list) else values
    return [key for key in keys if _at(scope.data, key) in (_MISSING, None, "")]


def _missing_some(operands: list[Any], scope: Scope) -> Any:
    values = all_known([evaluate(one, scope) for one in operands])
    if isinstance(values, Unknown):
        return values
    least, keys = values
    if not is_number(least) or not isinstance(keys, list):
        return Unknown("missing_some takes a number and a list of paths")
    absent = [key for key in keys if _at(scope.data, key) in (_MISSING, None, "")]
    return [] if len(keys) - len(absent) >= least else absent


def _items(operands: list[Any], scope: Scope) -> Any:
    items = evaluate(operands[0], scope)
    if isinstance(items, Unknown | list):
        return items
    return Unknown(f"no list: {brief(items)}")


def _each(operands: list[Any], scope: Scope) -> Any:
    items = _items(operands, scope)
    if isinstance(items, Unknown):
        return items
    return [evaluate(operands[1], scope.inner(one)) for one in items]


def _map(operands: list[Any], scope: Scope) -> Any:
    found = _each(operands, scope)
    return found if isinstance(found, Unknown) else all_known(found)


def _filter(operands: list[Any], scope: Scope) -> Any:
    items = _items(operands, scope)
    if isinstance(items, Unknown):
        return items
    answers = all_known([evaluate(operands[1], scope.inner(one)) for one in items])
    if isinstance(answers, Unknown):
        return answers
    return [one for one, answer in zip(items, answers, strict=True) if truth(answer)]


def _all(operands: list[Any], scope: Scope) -> Any:
    found = _each(operands, scope)
    # JSON-Logic: not all of nothing.
    return found if isinstance(found, Unknown) else as_bool(conjunction(found or [False]))


def _some(operands: list[Any], scope: Scope) -> Any:
    found = _each(operands, scope)
    return found if isinstance(found, Unknown) else as_bool(disjunction(found or [False]))


def _none(operands: list[Any], scope: Scope) -> Any:
    found = _some(operands, scope)
    return found if isinstance(found, Unknown) else not found


def _reduce(operands: list[Any], scope: Scope) -> Any:
    items = _items(operands, scope)
    result = evaluate(operands[2], scope) if len(operands) > 2 else None
    for item in items if isinstance(items, list) else ():
        if isinstance(result, Unknown):
            return result
        result = evaluate(operands[1], scope.inner({"current": item, "accumulator": result}))
    return items if isinstance(items, Unknown) else result


_LAZY: Final[Mapping[str, Callable[[list[Any], Scope], Any]]] = {
    "var": _var,
    "missing": _missing,
    "missing_some": _missing_some,
    "and": _and,
    "or": _or,
    "if": _if,
    "?:": _if,
    "map": _map,
    "filter": _filter,
    "all": _all,
    "some": _some,
    "none": _none,
    "reduce": _reduce,
}
