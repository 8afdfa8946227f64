"""Ask the contracts about a model's manifest, as the registry wants it answered."""

import functools
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tradingd.contracts import Contracts, check, load
from tradingd.contracts import rules as logic
from tradingd.contracts.reading import read_document
from tradingd.registry.gates import Clause, Judge, Verdict, in_words

CONTRACT = "model-manifest"


@functools.cache
def _packaged() -> Contracts:
    """Return the packaged contracts; proving every schema of them takes a second."""
    return load()


def judge_by(rules: Sequence[str], contracts: Contracts | None = None) -> Judge:
    """Return a judge by the contract, its rules, and the named ones, where each binds.

    A rule binds where its `when` holds or cannot be told: some are for our own models only.

    Parameters
    ----------
    rules : sequence of str
        Names of rules of the folder, or paths of rule files (``.json``).
    contracts : Contracts, optional
        None: the packaged ones.

    Raises
    ------
    Failure
        CONTRACT when there is no such rule, or one is unsound.
    """
    folder = contracts or _packaged()
    names = [one for one in rules if not _is_file(one)]
    named = [folder.rule(one) for one in names]
    named += [logic.rule_of(one, read_document(_path(one))) for one in rules if _is_file(one)]

    def judge(document: dict[str, Any]) -> Verdict:
        verdict = check(document, folder, CONTRACT)
        told = {one.rule for one in verdict.rules}
        further = [logic.evaluate(one, document) for one in named if one.name not in told]
        binding = [one for one in (*verdict.rules, *further) if one.binding]
        return Verdict(
            passed=not verdict.problems and all(one.passed for one in binding),
            clauses=tuple(clause for one in binding for clause in clauses_of(one)),
            problems=tuple(f"{one.path}: {one.message}" for one in verdict.problems),
        )

    return judge


def problems_of(document: Any, contracts: Contracts | None = None) -> list[str]:
    """Return what breaks the contract in a manifest, one line each."""
    verdict = check(document, contracts or _packaged(), CONTRACT)
    return [f"{one.path}: {one.message}" for one in verdict.problems]


def clauses_of(explanation: logic.Explanation) -> Iterator[Clause]:
    """Yield the comparisons of a rule, in its order."""
    ors = count(1)
    for one, needed, either in _leaves(explanation.clause, ors, needed=True):
        words, value, bound = in_words(one.logic, one.values)
        yield Clause(
            rule=explanation.rule,
            clause=words,
            value=value,
            bound=bound,
            passed=one.passed,
            needed=needed,
            reason=one.reason,
            values=one.values,
            either=either,
        )


def _leaves(
    clause: logic.Clause, ors: Iterator[int], *, needed: bool, either: int = 0
) -> Iterator[tuple[logic.Clause, bool, int]]:
    """Yield clause, whether it is needed, and the number of the outermost `or` it is part of."""
    if not clause.clauses:
        yield clause, needed, either
    if clause.operator == "or" and not either:
        either = next(ors)
    for one in clause.clauses:
        # Of alternatives, one that holds is enough.
        spared = clause.operator == "or" and clause.passed is True and one.passed is not True
        yield from _leaves(one, ors, needed=needed and not spared, either=either)


def _is_file(rule: str) -> bool:
    return rule.endswith(".json")


def _path(rule: str) -> Path:
    return Path(rule).expanduser()
