"""Everything that was tried: score, ratio and parameters."""

from collections.abc import Sequence
from html import escape
from typing import Any

from tradingd.kits.plotpage.figures import axis, figure
from tradingd.kits.plotpage.fragments import not_told, plot, section, table
from tradingd.kits.plotpage.marks import BARE_MARGIN, Figures, named
from tradingd.kits.plotpage.words import label, number
from tradingd.learning.page.luck import ANNUAL
from tradingd.learning.page.metrics import finite
from tradingd.learning.report import TrainingReport, TrialFacts

MOST_ROWS = 15


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return the trials of this training: drawn, and the best in a table."""
    title, trials = "Everything that was tried in this training", report.trials
    if not trials:
        return section(title, "", not_told("the report has no trial"))
    varied = varying(trials)
    note = (
        "Score: what the search maximised, on purged folds. Ratio: of the long/short series of the "
        "same folds, no costs. A good search shows a plateau, not one lonely point. Point at a "
        "mark for its parameters."
    )
    return section(
        title, note, _scatter(trials, varied, figures) + _table(trials, varied) + _same(trials)
    )


def varying(trials: Sequence[TrialFacts]) -> list[str]:
    """Return the parameters that differ between trials, in the order they are first named."""
    names = list(dict.fromkeys(name for one in trials for name in one.parameters))
    return [name for name in names if len({repr(one.parameters.get(name)) for one in trials}) > 1]


def _scatter(trials: Sequence[TrialFacts], varied: Sequence[str], figures: Figures) -> str:
    known = [
        (one, score, ratio * ANNUAL)
        for one in trials
        if (score := finite(one.score)) is not None and (ratio := finite(one.sharpe)) is not None
    ]
    if not known:
        return not_told("no trial has both a score and a Sharpe ratio")
    best = max(known, key=lambda one: one[1])[0]
    figures["trials"] = figure(
        [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [round(score, 5) for _, score, _ in known],
                "y": [round(ratio, 4) for _, _, ratio in known],
                "marker": {
                    "color": ["$second" if one is best else "$accent" for one, _, _ in known],
                    "symbol": ["star" if one is best else "circle" for one, _, _ in known],
                    "size": [15 if one is best else 10 for one, _, _ in known],
                    "opacity": 0.85,
                    "line": {"color": "$card", "width": 1},
                },
                "customdata": [_parameters(one, varied) for one, _, _ in known],
                "hovertemplate": ("%{customdata}<br>score %{x:.4f}, ratio %{y:.2f}<extra></extra>"),
            }
        ],
        hovermode="closest",
        xaxis=axis(title=named("score")),
        yaxis=axis(title=named("Sharpe ratio, a year"), zeroline=True),
        margin=BARE_MARGIN,
    )
    words = "; ".join(
        f"trial {one.number}: score {score:.4f}, ratio {ratio:.2f}"
        for one, score, ratio in known[:MOST_ROWS]
    )
    left = len(trials) - len(known)
    more = not_told(f"{left} trials have no score or no ratio") if left else ""
    return plot("trials", f"{words}. The star is the best score.") + more


def _parameters(one: TrialFacts, varied: Sequence[str]) -> str:
    lines = [f"{name}: {_value(one.parameters.get(name))}" for name in varied or one.parameters]
    return "<br>".join([f"trial {one.number}", *map(label, lines)])


def _table(trials: Sequence[TrialFacts], varied: Sequence[str]) -> str:
    ranked = sorted(trials, key=_rank)[:MOST_ROWS]
    rows = [
        (
            str(one.number),
            number(finite(one.score), 4),
            number(None if finite(one.sharpe) is None else (one.sharpe or 0.0) * ANNUAL),
            *(_value(one.parameters.get(name)) for name in varied),
        )
        for one in ranked
    ]
    caption = f"The best {len(rows)} of {len(trials):,} trials" if len(rows) < len(trials) else ""
    return table(caption, ("Trial", "Score", "Ratio, a year", *varied), rows)


def _same(trials: Sequence[TrialFacts]) -> str:
    """Say in one line what all trials had in common."""
    varied = varying(trials)
    same = {name: value for name, value in trials[0].parameters.items() if name not in varied}
    if not same or not varied:
        return ""
    words = ", ".join(f"{name} {_value(value)}" for name, value in same.items())
    return f'<p class="definition">All alike: {escape(words)}.</p>'


def _rank(one: TrialFacts) -> tuple[bool, float, int]:
    score = finite(one.score)
    return score is None, -(score or 0.0), one.number


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
