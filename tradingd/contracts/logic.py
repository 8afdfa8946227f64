"""JSON-Logic with a third answer: unknown, where data is missing or of another kind.

JSON-Logic (https://jsonlogic.com) reads a missing variable as null, and null counts as 0: the
gate ``drift < 0.2`` would open for a model whose drift nobody measured. Here such a clause is
unknown, `and`, `or`, `if` and `!` follow Kleene's strong logic of three values (Introduction to
Metamathematics, 1952, section 64), and what is unknown never passes. On documents that have all
the data, of the right kinds, the answers are those of JSON-Logic.

Single operators are panzi-json-logic's, within the domain where they agree with the definition.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from tradingd.kits.failure import ExitCode, Failure

MAX_STEPS: Final = 200_000
"""Operators applied by one evaluation; a promotion rule needs dozens."""

MAX_SIZE: Final = 1_000_000
"""Longest text or list that an evaluation may build."""

MAX_DEPTH: Final = 64

_MISSING: Final = object()


class Unknown(msgspec.Struct, frozen=True):
    """No answer, and why."""

    reason: str


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
        return _all_known([evaluate(one, scope) for one in logic])
    if not isinstance(logic, dict):
        return logic
    scope.step()
    name, operands = operator_of(logic)
    if name in _LAZY:
        return _LAZY[name](operands, scope)
    values = _all_known([evaluate(one, scope) for one in operands])
    if isinstance(values, Unknown):
        return values
    return _bounded(_apply(name, values))


def operator_of(logic: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return an expression's operator and its operands; one operand may stand without a list.

    Raises
    ------
    Failure
        CONTRACT when it is not one known operator with as many operands as it takes.
    """
    if len(logic) != 1:
        # JSON-Logic takes such an object for data, and data counts as true.
        found = ", ".join(map(repr, list(logic)[:5])) or "{}"
        raise refused("an object in a rule has not exactly one operator", "one key", found)
    name, operands = next(iter(logic.items()))
    if name not in ARITY:
        known = " ".join(ARITY)
        raise refused("a rule uses an operator that is not known here", known, repr(name))
    operands = operands if isinstance(operands, list) else [operands]
    least, most = ARITY[name]
    if not least <= len(operands) <= most:
        expected = str(least) if least == most else f"{least} to {most}"
        raise refused(f"{name!r} has a wrong number of operands", expected, str(len(operands)))
    return name, operands


def check_logic(logic: Any) -> list[str]:
    """Return the variables that an expression reads from the document, in order of appearance.

    Raises
    ------
    Failure
        CONTRACT when any part of it is not understood, or it is nested too deeply.
    """
    found: dict[str, None] = {}
    _walk(logic, found, own=True, depth=0)
    return list(found)


def _walk(logic: Any, found: dict[str, None], *, own: bool, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise refused("a rule is nested too deeply", f"at most {MAX_DEPTH} levels", "more")
    if isinstance(logic, list):
        for one in logic:
            _walk(one, found, own=own, depth=depth + 1)
    elif isinstance(logic, dict):
        name, operands = operator_of(logic)
        if own and name == "var" and operands and isinstance(operands[0], str | int):
            found[str(operands[0])] = None
        if own and name in ("missing", "missing_some"):
            found.update(dict.fromkeys(_texts(operands)))
        for place, one in enumerate(operands):
            # The second operand of these sees one item, not the document.
            inner = name in _OVER_ITEMS and place == 1
            _walk(one, found, own=own and not inner, depth=depth + 1)


def _texts(operands: list[Any]) -> list[str]:
    flat = [one for part in operands for one in (part if isinstance(part, list) else [part])]
    return [one for one in flat if isinstance(one, str)]


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


def conjunction(values: list[Any]) -> Any:
    """Return the first false value, else the first unknown, else the last."""
    false = [one for one in values if not isinstance(one, Unknown) and not truth(one)]
    unknown = [one for one in values if isinstance(one, Unknown)]
    return (false or unknown or values[-1:])[0]


def disjunction(values: list[Any]) -> Any:
    """Return the first true value, else the first unknown, else the last."""
    true = [one for one in values if not isinstance(one, Unknown) and truth(one)]
    unknown = [one for one in values if isinstance(one, Unknown)]
    return (true or unknown or values[-1:])[0]


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
    values = _all_known([evaluate(one, scope) for one in operands])
    if isinstance(values, Unknown):
        return values
    keys = values[0] if values and isinstance(values[0], list) else values
    return [key for key in keys if _at(scope.data, key) in (_MISSING, None, "")]


def _missing_some(operands: list[Any], scope: Scope) -> Any:
    values = _all_known([evaluate(one, scope) for one in operands])
    if isinstance(values, Unknown):
        return values
    least, keys = values
    if not _is_number(least) or not isinstance(keys, list):
        return Unknown("missing_some takes a number and a list of paths")
    absent = [key for key in keys if _at(scope.data, key) in (_MISSING, None, "")]
    return [] if len(keys) - len(absent) >= least else absent


def _items(operands: list[Any], scope: Scope) -> Any:
    items = evaluate(operands[0], scope)
    if isinstance(items, Unknown | list):
        return items
    return Unknown(f"no list: {_brief(items)}")


def _each(operands: list[Any], scope: Scope) -> Any:
    items = _items(operands, scope)
    if isinstance(items, Unknown):
        return items
    return [evaluate(operands[1], scope.inner(one)) for one in items]


def _map(operands: list[Any], scope: Scope) -> Any:
    found = _each(operands, scope)
    return found if isinstance(found, Unknown) else _all_known(found)


def _filter(operands: list[Any], scope: Scope) -> Any:
    items = _items(operands, scope)
    if isinstance(items, Unknown):
        return items
    answers = _all_known([evaluate(operands[1], scope.inner(one)) for one in items])
    if isinstance(answers, Unknown):
        return answers
    return [one for one, answer in zip(items, answers, strict=True) if truth(answer)]


def _all(operands: list[Any], scope: Scope) -> Any:
    found = _each(operands, scope)
    # JSON-Logic: not all of nothing.
    return found if isinstance(found, Unknown) else _as_bool(conjunction(found or [False]))


def _some(operands: list[Any], scope: Scope) -> Any:
    found = _each(operands, scope)
    return found if isinstance(found, Unknown) else _as_bool(disjunction(found or [False]))


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

_OVER_ITEMS: Final = frozenset({"map", "filter", "all", "some", "none", "reduce"})


# -- operators of known values ---------------------------------------------------------------------

_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_NUMBERS: Final = frozenset({"+", "-", "*", "/", "%", "min", "max"})

ARITY: Final[Mapping[str, tuple[int, int]]] = {
    "var": (0, 2), "missing": (0, 100), "missing_some": (2, 2),
    "and": (1, 1_000), "or": (1, 1_000), "!": (1, 1), "!!": (1, 1),
    "if": (0, 1_000), "?:": (3, 3),
    "==": (2, 2), "!=": (2, 2), "===": (2, 2), "!==": (2, 2),
    "<": (2, 3), "<=": (2, 3), ">": (2, 2), ">=": (2, 2),
    "+": (1, 1_000), "-": (1, 2), "*": (1, 1_000), "/": (2, 2), "%": (2, 2),
    "min": (1, 1_000), "max": (1, 1_000),
    "map": (2, 2), "filter": (2, 2), "all": (2, 2), "some": (2, 2), "none": (2, 2),
    "reduce": (2, 3),
    "in": (2, 2), "cat": (1, 1_000), "substr": (2, 3), "merge": (0, 1_000),
}  # fmt: skip
"""Operators of JSON-Logic and how many operands each takes. `log` is not among them: a rule is
asked, it does not write."""


def _apply(name: str, values: list[Any]) -> Any:
    from json_logic.builtins import BUILTINS  # type: ignore[import-untyped]

    if (unfit := _unfit(name, values)) is not None:
        return Unknown(unfit)
    if name in ("===", "!==") or (name in ("==", "!=") and None in values):
        # The library takes 1 for the same as true, and 0 for equal to null.
        same = _kind(values[0]) == _kind(values[1]) and values[0] == values[1]
        return same if name in ("==", "===") else not same
    if name == "in":
        return _in(*values)
    if name == "%":
        # JavaScript's sign is that of the dividend.
        import math

        return math.fmod(values[0], values[1])
    try:
        return BUILTINS[name](None, *values)
    except (OverflowError, ValueError, TypeError) as error:
        return Unknown(f"{name}: {error}")


def _unfit(name: str, values: list[Any]) -> str | None:
    """Why an operator has no answer for these values; JSON-Logic would turn them into others."""
    if name in _NUMBERS and not all(map(_is_number, values)):
        return f"{name} takes numbers, found {_briefs(values)}"
    if name in ("/", "%") and values[1] == 0:
        return "division by zero"
    texts = all(isinstance(one, str) for one in values)
    if name in _ORDER and not (texts or all(map(_is_number, values))):
        return f"{name} compares numbers or texts, found {_briefs(values)}"
    if name in ("==", "!=") and not _comparable(*values):
        return f"{name} compares values of one kind, found {_briefs(values)}"
    if name == "in" and not isinstance(values[1], list | str):
        return f"in looks into a list or text, found {_brief(values[1])}"
    if name == "substr" and not (isinstance(values[0], str) and all(map(_is_whole, values[1:]))):
        return f"substr takes a text and places, found {_briefs(values)}"
    if name == "cat" and any(isinstance(one, dict | list) for one in values):
        return "cat takes texts and numbers"
    return None


def _comparable(left: Any, right: Any) -> bool:
    """Whether == of JavaScript says what a person means: no list, no text beside a number."""
    if left is None or right is None:
        return True
    return _kind(left) == _kind(right) and not isinstance(left, dict | list)


def _in(needle: Any, haystack: list[Any] | str) -> bool:
    if isinstance(haystack, str):
        return isinstance(needle, str) and needle in haystack
    return any(_kind(needle) == _kind(one) and needle == one for one in haystack)


def truth(value: Any) -> bool:
    """Whether a value counts as true (https://jsonlogic.com/truthy.html)."""
    from json_logic.builtins import to_bool

    return bool(to_bool(value))


def _as_bool(value: Any) -> Any:
    return value if isinstance(value, Unknown) else truth(value)


def _all_known(values: list[Any]) -> Any:
    return next((one for one in values if isinstance(one, Unknown)), values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    return "number" if _is_number(value) else type(value).__name__


def _bounded(value: Any) -> Any:
    if isinstance(value, str | list) and len(value) > MAX_SIZE:
        raise refused("a rule builds a value that is too large", f"at most {MAX_SIZE:,}", "more")
    if isinstance(value, int) and value.bit_length() > 4_096:
        raise refused("a rule builds a number that is too large", "at most 4,096 bits", "more")
    if isinstance(value, float) and value - value != 0:
        return Unknown("no finite number")
    return value


def _brief(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _briefs(values: list[Any]) -> str:
    return " and ".join(_brief(one) for one in values)


def refused(what: str, expected: str, found: str) -> Failure:
    """Return the refusal of a rule."""
    return Failure(
        what, code=ExitCode.CONTRACT, expected=expected, found=found, next_step="correct the rule"
    )
