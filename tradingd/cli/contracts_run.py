"""Run `tradingd contracts` for a person."""

from collections.abc import Iterator
from pathlib import Path

from tradingd.app import contracts
from tradingd.cli import contracts as parameters
from tradingd.cli import screen
from tradingd.contracts.checking import Verdict
from tradingd.contracts.rules import Clause, Explanation

_SHOWN = 20
"""Violations of one file that a person reads; `--json` has more."""

_EXPLAINED = 3
"""Up to so many files, rules that passed are explained too."""


def run_validate(params: parameters.ValidateParams) -> contracts.Report:
    """Check every file."""
    with screen.progress("validate, files") as meter:
        return contracts.validate(
            [Path(one).expanduser() for one in params.paths],
            _folder(params.contracts),
            name=params.contract,
            rules=params.rules,
            progress=meter.reached,
        )


def _folder(stated: str | None) -> Path | None:
    return Path(stated) if stated else None


def render_validate(report: contracts.Report) -> None:
    """Print what is wrong, what the rules say clause by clause, and the counts."""
    rows = [row for one in report.verdicts for row in _problem_rows(one)]
    if rows:
        screen.table("Broken contracts", ("file", "contract", "at", "rule", "what"), rows)
    for verdict in report.verdicts:
        for rule in verdict.rules:
            if not rule.passed or len(report.verdicts) <= _EXPLAINED:
                _show_rule(verdict, rule)
    for note in report.notes:
        screen.console().print(f"note: {note}", markup=False)
    screen.summary(
        {
            "files": report.files,
            "documents": report.documents,
            "good": report.good,
            "bad": report.bad,
            "under_none": len(report.under_none),
            "sealed": str(report.sealed).lower(),
        }
    )


def _problem_rows(verdict: Verdict) -> Iterator[tuple[object, ...]]:
    for one in verdict.problems[:_SHOWN]:
        place = f"{verdict.where}:{one.line}" if one.line else verdict.where
        yield place, verdict.contract or "-", one.path, one.rule, one.message
    if (more := len(verdict.problems) - _SHOWN) > 0:
        yield verdict.where, verdict.contract, "", "", f"{more} more"


def _show_rule(verdict: Verdict, rule: Explanation) -> None:
    answer = "passed" if rule.passed else "NOT PASSED"
    weight = "binding" if rule.binding else "not binding here"
    title = f"Rule {rule.rule} on {verdict.where}: {answer} ({weight})"
    rows = list(_clause_rows(rule.clause, 0))
    screen.table(title, ("clause", "answer", "values", "why"), rows)


def _clause_rows(clause: Clause, depth: int) -> Iterator[tuple[object, ...]]:
    text = clause.operator or clause.logic
    values = ", ".join(f"{name}={value!r}" for name, value in clause.values.items())
    yield "  " * depth + text, _answer(clause.passed), values, clause.reason
    for one in clause.clauses:
        yield from _clause_rows(one, depth + 1)


def _answer(passed: bool | None) -> str:
    return "unknown" if passed is None else str(passed).lower()


def run_list(params: parameters.ListParams) -> contracts.Listing:
    """Read a folder of contracts."""
    return contracts.listing(_folder(params.contracts))


def render_list(found: contracts.Listing) -> None:
    """Print schemas and rules."""
    rows = [
        (one.name, one.versions, one.draft, ", ".join(one.files), ", ".join(one.rules), one.title)
        for one in found.schemas
    ]
    screen.table(
        found.contracts, ("contract", "versions", "draft", "files", "rules", "title"), rows
    )
    if found.rules:
        columns = ("rule", "applies to", "binds", "reads")
        listed = [
            (
                one.name,
                ", ".join(one.applies_to) or "--rule only",
                one.binds,
                ", ".join(one.variables),
            )
            for one in found.rules
        ]
        screen.table("", columns, listed)
    for note in found.notes:
        screen.console().print(f"note: {note}", markup=False)
    sealed = str(found.sealed).lower()
    screen.summary({"schemas": len(found.schemas), "rules": len(found.rules), "sealed": sealed})


def run_seal(params: parameters.SealParams) -> contracts.Sealed:
    """Write the checksums."""
    return contracts.seal(_folder(params.contracts))


def render_seal(found: contracts.Sealed) -> None:
    """Print what differs from before."""
    kinds = (("changed", found.changed), ("added", found.added), ("removed", found.removed))
    rows = [(word, name) for word, names in kinds for name in names]
    if rows:
        screen.table(found.path, ("", "file"), rows)
    counts = {word: len(names) for word, names in kinds}
    screen.summary({"files": found.files, **counts})
