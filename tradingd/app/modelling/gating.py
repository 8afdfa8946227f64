"""Ask the rules of the contracts about a model, clause by clause."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradingd.contracts import load
from tradingd.contracts.rules import Clause, Explanation, Rule, evaluate, rule_of
from tradingd.kits.failure import ExitCode, Failure
from tradingd.learning.report import ClauseFacts


def ask_gates(names: Sequence[str], manifest: dict[str, Any]) -> tuple[bool, list[ClauseFacts]]:
    """Return whether every rule passes, and the clauses of all.

    Parameters
    ----------
    names : Sequence[str]
        Rules of the contracts folder, or paths of rule files.
    manifest : dict
        The model's manifest as JSON would be decoded.
    """
    explanations = [evaluate(_rule(name), manifest) for name in names]
    clauses = [clause for one in explanations for clause in told(one)]
    return all(one.passed for one in explanations), clauses


def told(explanation: Explanation) -> list[ClauseFacts]:
    """Return the clauses of a rule, the innermost only."""
    return [
        ClauseFacts(
            rule=explanation.rule,
            clause=clause.logic,
            values=clause.values,
            passed=clause.passed,
            reason=clause.reason,
        )
        for clause in _leaves(explanation.clause)
    ]


def _leaves(clause: Clause) -> Iterator[Clause]:
    if clause.operator == "or" and clause.passed:
        # Whichever side of an `or` holds; the other says nothing against the model.
        yield clause
        return
    if not clause.clauses:
        yield clause
    for inner in clause.clauses:
        yield from _leaves(inner)


def _rule(name: str) -> Rule:
    if name.endswith(".json"):
        path = Path(name).expanduser()
        try:
            return rule_of(str(path), msgspec.json.decode(path.read_bytes()))
        except (OSError, msgspec.DecodeError) as error:
            raise Failure(
                "a gate's rule cannot be read",
                code=ExitCode.CONFIG,
                where="training.gates.rules",
                expected="a rule file, or a rule's name in contracts/rules",
                found=f"{path}: {error}",
            ) from error
    return load().rule(name)
