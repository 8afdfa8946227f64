"""What a clause of a gate found, what it wanted, and what would have to change."""

import re
from collections.abc import Iterable
from typing import Any, Final

from tradingd.kits.plotpage.words import number
from tradingd.learning.page.metrics import METRICS, metric, why_missing
from tradingd.learning.report import ClauseFacts, TrainingReport

_COMPARISON: Final = re.compile(r"(\S+) (<=?|>=?|={2,3}|!={1,2}) (\S+)")
_ABSENT: Final = re.compile(r"missing\((\w+)\)")
_ORDERED: Final = ("<", "<=", ">", ">=")
_WANTED: Final = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "exactly",
    "===": "exactly",
    "!=": "other than",
    "!==": "other than",
}


def title(clause: ClauseFacts) -> str:
    """Return what is asked for, in words where it is a known metric."""
    if match := _ABSENT.fullmatch(clause.clause):
        return f"There is no {match[1]} yet to be better than"
    left = _parts(clause)[0].removeprefix("metrics.")
    return METRICS[left].name if left in METRICS else clause.clause


def found(clause: ClauseFacts) -> str:
    """Return what the clause looked at."""
    left = _parts(clause)[0]
    if left in clause.values:
        return _shown(left, clause.values[left])
    if clause.values:
        return ", ".join(f"{path} = {_shown(path, one)}" for path, one in clause.values.items())
    if _ABSENT.fullmatch(clause.clause):
        return "none" if clause.passed else "one"
    return "unknown" if clause.passed is None else "-"


def bound(clause: ClauseFacts) -> str:
    """Return what it had to be; empty where the clause is no comparison."""
    _, operator, right = _parts(clause)
    if not operator:
        return ""
    shown = f"{right}, {_shown(right, clause.values[right])}" if right in clause.values else right
    return f"{_WANTED[operator]} {shown}"


def reasons(clauses: Iterable[ClauseFacts]) -> int:
    """Return how many reasons there are; alternatives, of which one is enough, are one."""
    return len({(one.rule, one.either or -number) for number, one in enumerate(clauses, 1)})


def change(clause: ClauseFacts, report: TrainingReport) -> str:
    """Return what would have to be different for the clause to hold."""
    words = _change(clause, report)
    return f"{words} An alternative: one of them is enough." if clause.either else words


def _change(clause: ClauseFacts, report: TrainingReport) -> str:
    left, operator, right = _parts(clause)
    if clause.passed is None:
        reason = why_missing(report, left.removeprefix("metrics."))
        told = clause.reason or "something was not measured"
        return f"{told}: {reason}. What is not known does not pass."
    if clause.rule == "contract":
        return "The manifest has to keep its contract."
    value, limit = clause.values.get(left), _number(clause.values.get(right, right))
    if value is None or limit is None or not _is_number(value) or operator not in _ORDERED:
        return clause.reason or f"It has to hold: {clause.clause}."
    way = "fall" if operator.startswith("<") else "rise"
    gap = abs(float(value) - limit)
    if not gap:
        return f"It has to {way}: it stands exactly on its bound."
    known = metric(left.removeprefix("metrics."))
    return f"It has to {way} by {_short(gap)}{known.unit} and be {_WANTED[operator]} {right}."


def _parts(clause: ClauseFacts) -> tuple[str, str, str]:
    match = _COMPARISON.fullmatch(clause.clause)
    return (match[1], match[2], match[3]) if match else (clause.clause, "", "")


def _shown(path: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return metric(path.removeprefix("metrics.")).show(value)


def _short(value: float) -> str:
    return number(value, 0) if value >= 100 else f"{value:.3g}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
