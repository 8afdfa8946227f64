"""The gates' verdict, clause by clause, and what a sceptic sees first."""

from collections.abc import Iterator, Sequence
from html import escape

from tradingd.kits.plotpage.fragments import not_told, table
from tradingd.learning.page.clauses import bound, change, found, reasons, title
from tradingd.learning.page.metrics import ANOTHER, finite, metric, never_traded
from tradingd.learning.report import ClauseFacts, TrainingReport


def sections(report: TrainingReport) -> str:
    """Return the verdict: refused clauses first."""
    refused = [one for one in report.clauses if one.passed is not True]
    held = [one for one in report.clauses if one.passed is True]
    tone = "accepted" if report.passed else "refused"
    return (
        f'<section class="verdict {tone}"><h2>{escape(headline(report))}</h2>'
        f'<p class="note">{escape(_note(report))}</p>'
        f"{_first(report)}{_refused(report, refused)}{_held(held)}"
        f"{'' if report.clauses else not_told('no gate was asked, so nothing can have passed')}"
        "</section>"
    )


def headline(report: TrainingReport) -> str:
    """Return the verdict in a few words."""
    count = reasons(one for one in report.clauses if one.passed is not True)
    if count:
        return f"Refused by {count} clause{'s' if count > 1 else ''}"
    if not report.passed:
        return "Refused"
    return f"Accepted: all {len(report.clauses)} clauses hold"


def _note(report: TrainingReport) -> str:
    if report.passed:
        return "Every gate was asked as if the model were promoted now. It may be promoted."
    unknown = sum(one.passed is None for one in report.clauses)
    more = f" {unknown} could not be answered: what is not known does not pass." if unknown else ""
    return (
        f"{len(report.clauses)} clauses were asked as if the model were promoted now; all have to "
        f"hold. It may not be promoted.{more}"
    )


def _refused(report: TrainingReport, clauses: Sequence[ClauseFacts]) -> str:
    if not clauses:
        return ""
    rows = [(title(one), found(one), bound(one), one.rule, change(one, report)) for one in clauses]
    columns = ("Refused by", "Found", "Bound", "Rule", "What would have to change")
    return f'<div class="refusals">{table("", columns, rows, prose=True)}</div>'


def _held(clauses: Sequence[ClauseFacts]) -> str:
    if not clauses:
        return ""
    rows = [(title(one), found(one), bound(one), one.rule) for one in clauses]
    return f'<div class="held">{table("", ("Holds", "Found", "Bound", "Rule"), rows)}</div>'


def _first(report: TrainingReport) -> str:
    items = "".join(f"<li>{escape(one)}</li>" for one in warnings(report))
    return f'<ul class="warnings">{items}</ul>' if items else ""


def warnings(report: TrainingReport) -> Iterator[str]:
    """Yield what makes the result doubtful, whatever the gates say."""
    if report.data.features and not report.canary_noticed:
        yield "The leak search did not notice its canary: its silence about features means nothing."
    if report.leaks:
        names = ", ".join(one.feature for one in report.leaks)
        yield f"These features look as if they knew the future: {names}."
    if never_traded(report):
        yield (
            f"The judge never traded in {report.overfitting.sessions:,} sessions: no figure of its "
            "returns says anything about the model."
        )
    yield from _of_returns(report)
    yield from _of_scores(report)
    drift = finite(report.drift_psi)
    if drift is not None and drift > ANOTHER:
        yield (
            f"The latest days are not like those it learned from: PSI {drift:.2f}, and above "
            f"{ANOTHER} is another population."
        )


def _of_returns(report: TrainingReport) -> Iterator[str]:
    sharpe, luck = report.judged.get("sharpe"), report.overfitting
    if sharpe is not None and sharpe.low is not None and sharpe.high is not None:
        if sharpe.low <= 0 <= sharpe.high:
            yield (
                f"The interval of its Sharpe ratio, {sharpe.low:.2f} to {sharpe.high:.2f}, "
                "contains 0: it may earn nothing."
            )
    if luck.pbo is not None and luck.pbo >= 0.5:
        yield (
            f"Choosing the best trial was no better than choosing any: in {luck.pbo:.0%} of the "
            "ways to halve the history it fell to the median or below."
        )


def _of_scores(report: TrainingReport) -> Iterator[str]:
    for name in ("auc", "rank_ic", "brier_skill", "r2"):
        one, known = report.scores.get(name), metric(name)
        if one is None or one.low is None or one.high is None or known.nothing is None:
            continue
        if one.high < known.nothing:
            yield f"{known.name} is worse than no skill over its whole interval."
        elif one.low <= known.nothing:
            yield f"{known.name} cannot be told from no skill: its interval contains it."
    folds = [one for one in report.folds if one.outside is not None]
    below = sum(one.outside <= nothing_of(report) for one in folds if one.outside is not None)
    if below:
        yield f"In {below} of {len(folds)} folds the score on unseen days shows no skill."


def nothing_of(report: TrainingReport) -> float:
    """Return the score of no skill of this task's folds."""
    return 0.5 if report.task == "classification" else 0.0
