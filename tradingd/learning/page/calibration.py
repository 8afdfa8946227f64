"""Whether probabilities and intervals mean what they say."""

from tradingd.kits.plotpage.figures import Figure, axis, figure
from tradingd.kits.plotpage.fragments import card, not_told, pair, plot, section, table
from tradingd.kits.plotpage.marks import MARGIN, Figures, marked, named
from tradingd.kits.plotpage.words import number
from tradingd.learning.page.metrics import finite, metric, why_missing
from tradingd.learning.report import TrainingReport

_TOLERATED = 0.02
"""Coverage that far below what is stated is called too low."""


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return the calibration curve beside its numbers and the coverage of intervals."""
    return pair(_curve(report, figures), _numbers(report))


def _curve(report: TrainingReport, figures: Figures) -> str:
    title, bins = "Calibration, out of sample", report.calibration
    if not bins:
        reason = why_missing(report, "calibration_error")
        return section(title, "", not_told(f"the curve: {reason}"))
    predicted = [round(one.predicted, 4) for one in bins]
    curve: Figure = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "observed",
        "x": predicted,
        "y": [round(one.observed, 4) for one in bins],
        "customdata": [one.rows for one in bins],
        **marked(0, 9),
        "hovertemplate": ("said %{x:.1%}, happened %{y:.1%}, %{customdata:,} rows<extra></extra>"),
    }
    ends = _ends([one for bin_ in bins for one in (bin_.predicted, bin_.observed)])
    perfect: Figure = {
        "type": "scatter",
        "mode": "lines",
        "name": "perfect",
        "x": ends,
        "y": ends,
        "line": {"color": "$muted", "width": 1.4, "dash": "dash"},
        "hoverinfo": "skip",
    }
    counts: Figure = {
        "type": "bar",
        "name": "rows",
        "x": predicted,
        "y": [one.rows for one in bins],
        "yaxis": "y2",
        "marker": {"color": "$faint"},
        "showlegend": False,
        "hovertemplate": "%{y:,} rows near %{x:.1%}<extra></extra>",
    }
    figures["calibration"] = figure(
        [curve, perfect, counts],
        hovermode="closest",
        xaxis=axis(anchor="y2", title=named("predicted probability"), tickformat=".0%"),
        yaxis=axis(domain=[0.34, 1], title=named("share that happened"), tickformat=".0%"),
        yaxis2=axis(domain=[0, 0.24], title=named("rows"), tickformat="~s", nticks=4),
        margin=MARGIN,
    )
    note = (
        "Rows of similar predicted probability; on the dashed line the probability is true. A flat "
        "curve says the same whatever is predicted."
    )
    words = "; ".join(
        f"said {one.predicted:.0%}, happened {one.observed:.0%}, {one.rows:,} rows" for one in bins
    )
    return section(title, note, plot("calibration", words, tall=True))


def _numbers(report: TrainingReport) -> str:
    shown = [_error(report), _coverage(report)]
    cards = f'<dl class="cards inside">{"".join(card(*one) for one in shown)}</dl>'
    rows = [
        (
            f"{one.predicted:.1%}",
            f"{one.observed:.1%}",
            f"{100 * (one.observed - one.predicted):+.1f} points",
            f"{one.rows:,}",
        )
        for one in report.calibration
    ]
    columns = ("Predicted", "Happened", "Difference", "Rows")
    note = "What a probability of the model is worth as a number, and whether its intervals hold."
    found = table("", columns, rows) if rows else ""
    return section("Do its numbers mean what they say?", note, cards + found)


def _error(report: TrainingReport) -> tuple[str, str, str]:
    value, title = finite(report.calibration_error), "Calibration error"
    if value is None:
        return title, "-", why_missing(report, "calibration_error")
    one, known = report.scores.get("calibration_error"), metric("calibration_error")
    told = "mean distance from the dashed line"
    if one is not None and one.low is not None and one.high is not None:
        told += f"; 95 %: {known.show(one.low)} to {known.show(one.high)}"
    return title, number(value, 3), told


def _coverage(report: TrainingReport) -> tuple[str, str, str]:
    title = "Intervals hold"
    if report.coverage is None:
        return title, "-", "no prediction has an interval: too few rows to bound anything"
    stated, observed = report.coverage
    if observed < stated - _TOLERATED:
        judged = "too seldom: they are too narrow for unseen days"
    elif observed > stated + _TOLERATED:
        judged = "more often than stated: they are wider than need be"
    else:
        judged = "as stated"
    return title, f"{observed:.1%}", f"{stated:.0%} are stated: {judged}"


def _ends(values: list[float]) -> list[float]:
    return [round(min(values), 4), round(max(values), 4)]
