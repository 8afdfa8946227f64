"""Single operators, applied to values that are known.

They are panzi-json-logic's, within the domain where they agree with the definition.
"""

import math
from typing import Any, Final

from tradingd.contracts.values import Unknown, brief, briefs, is_number, is_whole, kind

_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_NUMBERS: Final = frozenset({"+", "-", "*", "/", "%", "min", "max"})


def apply(name: str, values: list[Any]) -> Any:
    """Return an operator's answer, `Unknown` where it has none for these values."""
    from json_logic.builtins import BUILTINS

    if (unfit := _unfit(name, values)) is not None:
        return Unknown(unfit)
    if name in ("===", "!==") or (name in ("==", "!=") and None in values):
        # The library takes 1 for the same as true, and 0 for equal to null.
        same = kind(values[0]) == kind(values[1]) and values[0] == values[1]
        return same if name in ("==", "===") else not same
    if name == "in":
        return _in(*values)
    if name == "%":
        # JavaScript's sign is that of the dividend.
        return math.fmod(values[0], values[1])
    try:
        return BUILTINS[name](None, *values)
    except (OverflowError, ValueError, TypeError) as error:
        return Unknown(f"{name}: {error}")


def _unfit(name: str, values: list[Any]) -> str | None:
    """Why an operator has no answer for these values; JSON-Logic would turn them into others."""
    if name in _NUMBERS and not all(map(is_number, values)):
        return f"{name} takes numbers, found {briefs(values)}"
    if name in ("/", "%") and values[1] == 0:
        return "division by zero"
    texts = all(isinstance(one, str) for one in values)
    if name in _ORDER and not (texts or all(map(is_number, values))):
        return f"{name} compares numbers or texts, found {briefs(values)}"
    if name in ("==", "!=") and not _comparable(*values):
        return f"{name} compares values of one kind, found {briefs(values)}"
    if name == "in" and not isinstance(values[1], list | str):
        return f"in looks into a list or text, found {brief(values[1])}"
    if name == "substr" and not (isinstance(values[0], str) and all(map(is_whole, values[1:]))):
        return f"substr takes a text and places, found {briefs(values)}"
    if name == "cat" and any(isinstance(one, dict | list) for one in values):
        return "cat takes texts and numbers"
    return None


def _comparable(left: Any, right: Any) -> bool:
    """Whether == of JavaScript says what a person means: no list, no text beside a number."""
    if left is None or right is None:
        return True
    return kind(left) == kind(right) and not isinstance(left, dict | list)


def _in(needle: Any, haystack: list[Any] | str) -> bool:
    if isinstance(haystack, str):
        return isinstance(needle, str) and needle in haystack
    return any(kind(needle) == kind(one) and needle == one for one in haystack)
