"""The steps of the walk-forward on a time line, and their scores."""

import datetime as dt
from collections.abc import Sequence

from tradingd.kits.plotpage.figures import Figure, axis, figure
from tradingd.kits.plotpage.fragments import not_told, plot, section, table
from tradingd.kits.plotpage.marks import MARGIN, Figures, bars, marked, named
from tradingd.kits.plotpage.words import number
from tradingd.learning.page.metrics import finite
from tradingd.learning.page.verdict import nothing_of
from tradingd.learning.report import FoldFacts, TrainingReport

_DAY_MS = 86_400_000
_MANY = 12
_PARTS = ("train", "validation", "test")

type Days = tuple[dt.date, dt.date]


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return the time line beside the scores, then the days and rows of each fold."""
    if not report.folds:
        reason = "the walk-forward made no step: history is shorter than one"
        return section("Folds", "", not_told(reason))
    drawn = _time_line(report.folds, figures) + _scores(report, figures)
    return f'<div class="pair uneven">{drawn}</div>{_table(report.folds)}'


def gaps(fold: FoldFacts) -> list[Days]:
    """Return the days between two windows of a fold that neither uses."""
    day = dt.timedelta(days=1)
    pairs = ((fold.train, fold.validation), (fold.validation, fold.test))
    return [
        (before[1] + day, after[0] - day) for before, after in pairs if after[0] - before[1] > day
    ]


def _time_line(folds: Sequence[FoldFacts], figures: Figures) -> str:
    traces = [
        _spans(part, [(one.number, getattr(one, part)) for one in folds], index)
        for index, part in enumerate(_PARTS)
    ]
    unused = [(one.number, days) for one in folds for days in gaps(one)]
    traces.append(_spans("unused: purged", unused, 3))
    figures["folds"] = figure(
        traces,
        barmode="overlay",
        bargap=0.3,
        hovermode="closest",
        xaxis=axis(type="date", title=named("days")),
        yaxis=_fold_axis(folds),
        margin=MARGIN,
    )
    note = (
        "Each fold learns from the first bar, stops and calibrates on the second, and is scored on "
        "the third, which it never saw. Between them lie the days whose labels would look into the "
        "next window (weekends among them)."
    )
    words = "; ".join(
        f"fold {one.number}: train {_dates(one.train)}, test {_dates(one.test)}" for one in folds
    )
    return section("Folds on a time line", note, plot("folds", words, tall=len(folds) > _MANY))


def _spans(name: str, spans: Sequence[tuple[int, Days]], index: int) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [number for number, _ in spans],
        "base": [days[0].isoformat() for _, days in spans],
        "x": [((days[1] - days[0]).days + 1) * _DAY_MS for _, days in spans],
        "customdata": [f"fold {number}, {name}: {_dates(days)}" for number, days in spans],
        "marker": bars(index),
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _scores(report: TrainingReport, figures: Figures) -> str:
    title, nothing = "Score in each fold", nothing_of(report)
    told = [one for one in report.folds if finite(one.outside) is not None]
    if not told:
        return section(title, "", not_told("no fold has a score: one class only, or too few rows"))
    traces: list[Figure] = []
    for index, (name, field) in enumerate((("validation", "inside"), ("test", "outside"))):
        known = [(one.number, getattr(one, field)) for one in report.folds]
        known = [(fold, score) for fold, score in known if finite(score) is not None]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [round(score, 4) for _, score in known],
                "y": [fold for fold, _ in known],
                "marker": marked(index + 1, 7 if len(report.folds) > _MANY else 11)["marker"]
                | {"symbol": ("circle-open", "diamond")[index]},
                "hovertemplate": "fold %{y}, " + name + ": %{x:.3f}<extra></extra>",
            }
        )
    figures["fold-scores"] = figure(
        traces,
        hovermode="closest",
        xaxis=axis(title=named(_score_name(report))),
        yaxis=_fold_axis(report.folds),
        shapes=[_rule(nothing)],
        margin=MARGIN,
    )
    note = (
        f"Dashed: no skill, {nothing:g}. Test scores far below validation scores are what "
        "overfitting looks like; scores on both sides of the line are what chance looks like."
    )
    words = "; ".join(
        f"fold {one.number}: validation {number(finite(one.inside), 3)}, "
        f"test {number(finite(one.outside), 3)}"
        for one in report.folds
    )
    return section(title, note, plot("fold-scores", words, tall=len(report.folds) > _MANY))


def _table(folds: Sequence[FoldFacts]) -> str:
    rows = [
        (
            str(one.number),
            _dates(one.train),
            _dates(one.validation),
            _dates(one.test),
            " / ".join(f"{rows:,}" for rows in one.rows),
            f"{one.purged:,}",
            f"{one.trees:,}",
            number(finite(one.inside), 3),
            number(finite(one.outside), 3),
        )
        for one in folds
    ]
    columns = (
        "Fold", "Train", "Validation", "Test", "Rows of the three", "Purged", "Trees",
        "Validation score", "Test score",
    )  # fmt: skip
    stopped = sum(one.trees <= 2 for one in folds)
    note = "Purged: rows in the gaps, used by nobody."
    if stopped:
        note += (
            f" {stopped} of {len(folds)} folds stopped after two trees or fewer: there was hardly "
            "anything to learn that held on the validation days."
        )
    content = table("", columns, rows)
    if len(folds) > _MANY:
        words = f"All {len(folds)} folds in numbers"
        content = f"<details><summary>{words}</summary>{content}</details>"
    return section("Folds in numbers", note, content)


def _score_name(report: TrainingReport) -> str:
    return "AUC" if report.task == "classification" else "rank correlation with the label"


def _fold_axis(folds: Sequence[FoldFacts]) -> Figure:
    step = 1 if len(folds) <= 2 * _MANY else 5
    return axis(
        title=named("fold"), range=[folds[-1].number + 0.6, folds[0].number - 0.6],
        tickmode="linear", tick0=0, dtick=step, showgrid=False,
    )  # fmt: skip


def _rule(x: float) -> Figure:
    return {
        "type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
        "line": {"color": "$text", "width": 1, "dash": "dash"},
    }  # fmt: skip


def _dates(days: Days) -> str:
    return f"{days[0]} to {days[1]}"
