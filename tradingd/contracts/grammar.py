"""Which operators there are, and whether an expression is one: what needs no data."""

from collections.abc import Mapping
from typing import Any, Final

from tradingd.contracts.values import refused

MAX_DEPTH: Final = 64
"""Deepest nesting of an expression."""

OVER_ITEMS: Final = frozenset({"map", "filter", "all", "some", "none", "reduce"})
"""Operators whose second operand sees one item of a list, not the document."""

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
            inner = name in OVER_ITEMS and place == 1
            _walk(one, found, own=own and not inner, depth=depth + 1)


def _texts(operands: list[Any]) -> list[str]:
    flat = [one for part in operands for one in (part if isinstance(part, list) else [part])]
    return [one for one in flat if isinstance(one, str)]
