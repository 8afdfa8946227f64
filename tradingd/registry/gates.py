"""What the rules answer, clause by clause; they are asked by whoever opened the registry."""

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from tradingd.domain.manifest import GateAnswer, GateClause

_COMPARED: Final = ("<", "<=", ">", ">=", "==", "===", "!=", "!==")


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a rule.

    Parameters
    ----------
    clause : str
        In words: ``metrics.sharpe > 1``.
    value : str
        What was found, by name where there are several.
    bound : str
        What it had to be; empty where the clause is no comparison.
    passed : bool, optional
        None: unknown, since something was not measured; that is not passed.
    needed : bool
        False where another alternative of the same `or` holds.
    """

    rule: str
    clause: str
    passed: bool | None
    value: str = ""
    bound: str = ""
    needed: bool = True
    reason: str = ""
    values: dict[str, Any] = {}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`problems` are breaches of the contract, one line each; `passed` needs none and all rules."""

    passed: bool
    clauses: tuple[Clause, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Clause, ...]:
        """Clauses that stand in the way."""
        return tuple(one for one in self.clauses if one.needed and one.passed is not True)

    def answer(self) -> GateAnswer:
        """Return it as manifests keep it."""
        return GateAnswer(
            passed=self.passed,
            clauses=tuple(
                GateClause(
                    rule=one.rule,
                    clause=one.clause,
                    passed=one.passed,
                    values=one.values,
                    reason=one.reason,
                )
                for one in self.clauses
            ),
        )


type Judge = Callable[[dict[str, Any]], Verdict]
"""Judges a manifest's document as it would stand after the promotion."""


def in_words(logic: str, values: dict[str, Any]) -> tuple[str, str, str]:
    """Return a clause, what was found and the bound, for a person.

    Parameters
    ----------
    logic : str
        JSON-Logic as text, e.g. ``{">": [{"var": "metrics.sharpe"}, 1]}``.
    values : dict
        What it looked up, by path.
    """
    found = ", ".join(f"{_number(one)}" for one in list(values.values())[:1])
    try:
        tree = json.loads(logic)
    except json.JSONDecodeError:
        # It was cut since it is long.
        return logic, found, ""
    operator, operands = next(iter(tree.items())) if isinstance(tree, dict) else ("", [])
    if operator not in _COMPARED or not isinstance(operands, list) or len(operands) != 2:
        return _term(tree), found, ""
    left, right = map(_term, operands)
    return f"{left} {operator} {right}", found, f"{operator} {_bound(operands[1], values)}"


def _term(tree: Any) -> str:
    if isinstance(tree, dict) and len(tree) == 1:
        operator, operands = next(iter(tree.items()))
        if operator == "var":
            return str(operands[0] if isinstance(operands, list) and operands else operands)
        many = operands if isinstance(operands, list) else [operands]
        if operator in ("*", "+", "/", "-") and len(many) == 2:
            return f"{_term(many[0])} {operator} {_term(many[1])}"
        if operator in ("!", "!!"):
            return f"{'not ' if operator == '!' else ''}{_term(many[0])}"
        return f"{operator}({', '.join(map(_term, many))})"
    return tree if isinstance(tree, str) else json.dumps(tree)


def _bound(tree: Any, values: dict[str, Any]) -> str:
    text = _term(tree)
    if not isinstance(tree, dict):
        return text
    inner = ", ".join(_number(value) for name, value in values.items() if name in text)
    return f"{text} ({inner})" if inner else text


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
