"""Rules of `contracts/rules/`: JSON-Logic over a document, explained clause by clause.

A rule file is bare JSON-Logic, or an object that has it under `rule` beside `name`,
`description`, `applies_to` (names of contracts) and `when` (JSON-Logic: only then does the rule
bind; absent: always).
"""

import json
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from tradingd.contracts.grammar import check_logic
from tradingd.contracts.logic import Scope
from tradingd.contracts.logic import evaluate as value_of
from tradingd.contracts.values import Unknown, truth
from tradingd.kits.failure import ExitCode, Failure

_ENDINGS: Final = (".json", ".rules", ".rule", ".jsonlogic", ".logic")
_TEXT_LIMIT: Final = 300


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; `variables` are the paths it reads, `path` its file within the folder."""

    name: str
    rule: Any
    path: str = ""
    description: str = ""
    applies_to: tuple[str, ...] = ()
    when: Any = None
    variables: tuple[str, ...] = ()


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """An operand of `and` or `or`, at any depth.

    `passed` is None where data is missing or of another kind; `reason` says which. `values` are
    what it looked up, by path.
    """

    logic: str
    passed: bool | None
    values: dict[str, Any] = {}
    reason: str = ""
    operator: str = ""
    clauses: tuple["Clause", ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of a document; `binding`: a document that does not pass is refused.

    `missing` are the variables that the document does not have.
    """

    rule: str
    passed: bool
    binding: bool
    missing: tuple[str, ...]
    clause: Clause


def rule_of(path: str, document: Any) -> Rule:
    """Return the rule of a file.

    Raises
    ------
    Failure
        CONTRACT when it is no rule, or has an operator that is not known.
    """
    name = PurePosixPath(path).name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    if not isinstance(document, dict):
        raise _no_rule(path, "an object", type(document).__name__)
    if "rule" not in document:
        return _checked(Rule(name=name, path=path, rule=document))
    named = document.get("applies_to", [])
    applies_to = [named] if isinstance(named, str) else named
    if not isinstance(applies_to, list) or not all(isinstance(one, str) for one in applies_to):
        raise _no_rule(path, "names of contracts in applies_to", repr(named)[:100])
    return _checked(
        Rule(
            name=str(document.get("name") or name),
            path=path,
            rule=document["rule"],
            description=str(document.get("description", "")),
            applies_to=tuple(applies_to),
            when=document.get("when"),
        )
    )


def _checked(rule: Rule) -> Rule:
    if not isinstance(rule.rule, dict):
        raise _no_rule(rule.path, "an object with one operator", repr(rule.rule)[:100])
    try:
        variables = check_logic(rule.rule)
        check_logic(rule.when)
    except Failure as failure:
        failure.where = rule.path or rule.name
        raise
    return msgspec.structs.replace(rule, variables=tuple(variables))


def evaluate(rule: Rule | dict[str, Any], document: Any) -> Explanation:
    """Ask a rule about a document, and have every clause explained.

    Parameters
    ----------
    rule : Rule or dict
        Bare JSON-Logic, or an object with it under `rule`, is taken as well.
    document : Any
        Decoded JSON.

    Returns
    -------
    Explanation
        `passed` is true only where the answer is known and true.

    Raises
    ------
    Failure
        CONTRACT when the rule itself is unsound.
    """
    asked = rule if isinstance(rule, Rule) else rule_of("rule", rule)
    try:
        clause, missing = _explain(asked.rule, document)
        binding = _binds(asked, document)
    except Failure as failure:
        failure.where = failure.where or asked.path or asked.name
        raise
    return Explanation(
        rule=asked.name,
        passed=clause.passed is True,
        binding=binding,
        missing=tuple(missing),
        clause=clause,
    )


def _binds(rule: Rule, document: Any) -> bool:
    """Whether the rule binds here; where it cannot be told, it does."""
    if rule.when is None:
        return True
    answer = value_of(rule.when, Scope(document))
    return isinstance(answer, Unknown) or truth(answer)


def _explain(logic: Any, document: Any) -> tuple[Clause, list[str]]:
    scope = Scope(document)
    answer = value_of(logic, scope)
    unknown = isinstance(answer, Unknown)
    operator = next(iter(logic)) if isinstance(logic, dict) else ""
    operands = logic[operator] if operator in ("and", "or") else []
    parts = [
        _explain(one, document) for one in (operands if isinstance(operands, list) else [operands])
    ]
    clause = Clause(
        logic=_text(logic),
        passed=None if unknown else truth(answer),
        # A clause with parts leaves the values to them.
        values={} if parts else {name: _brief(one) for name, one in scope.values.items()},
        reason=answer.reason if unknown and not parts else "",
        operator=operator if parts else "",
        clauses=tuple(one for one, _ in parts),
    )
    return clause, scope.missing


def _brief(value: Any) -> Any:
    if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _TEXT_LIMIT):
        return _text(value)
    return value


def _text(logic: Any) -> str:
    text = json.dumps(logic, ensure_ascii=False)
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 3]}..."


def _no_rule(path: str, expected: str, found: str) -> Failure:
    return Failure(
        "a file of rules has no rule",
        code=ExitCode.CONTRACT,
        where=path,
        expected=expected,
        found=found,
    )
