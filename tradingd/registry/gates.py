"""What the rules answer, clause by clause; they are asked by whoever opened the registry."""

import json
from collections.abc import Callable, Iterator, Mapping
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
    either : int
        Clauses with the same number above 0 are alternatives: one of them is enough.
    """

    rule: str
    clause: str
    passed: bool | None
    value: str = ""
    bound: str = ""
    needed: bool = True
    reason: str = ""
    values: dict[str, Any] = {}
    either: int = 0


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
    try:
        tree = json.loads(logic)
    except json.JSONDecodeError:
        # It was cut since it is long.
        return logic, _found(values), ""
    operator, operands = next(iter(tree.items())) if isinstance(tree, dict) else ("", [])
    if operator not in _COMPARED or not isinstance(operands, list) or len(operands) != 2:
        return _term(tree), _found(values), ""
    left, right = operands
    bound = _term(right)
    if known := {name: values[name] for name in _variables(right) if name in values}:
        bound += f" ({_found(known)})"
    looked = {name: values[name] for name in _variables(left) if name in values}
    return f"{_term(left)} {operator} {_term(right)}", _found(looked), f"{operator} {bound}"


def _found(values: Mapping[str, Any]) -> str:
    return ", ".join(map(_number, values.values()))


def _variables(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for operator, operands in tree.items():
            if operator == "var":
                yield _term(tree)
            else:
                yield from _variables(operands)
    elif isinstance(tree, list):
        for one in tree:
            yield from _variables(one)


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


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
