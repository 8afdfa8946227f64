"""What the model goes by, whether folds agree on it, and whether it has changed since."""

from collections.abc import Sequence
from typing import Final

from tradingd.kits.plotpage.figures import Figure, axis, figure
from tradingd.kits.plotpage.fragments import not_told, pair, plot, section, table
from tradingd.kits.plotpage.marks import BARE_MARGIN, MARGIN, Figures, bars, named
from tradingd.kits.plotpage.words import label, number
from tradingd.learning.page.metrics import ANOTHER, SAME, finite
from tradingd.learning.report import Importance, TrainingReport

MOST: Final = 25
_LEVELS: Final = ((2, "the same"), (1, "moved"), (3, "another population"))


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return gains beside SHAP values, then drift, then every feature in a table."""
    if not report.importances:
        reason = "the model's trees have no split, or the learner does not tell"
        known = section("Features", "", not_told(f"importance: {reason}"))
    else:
        known = pair(_gains(report, figures), _shap(report.importances, figures))
    return known + _drift(report, figures) + _table(report)


def level(psi: float) -> int:
    """Return 0 for the same population, 1 for one that moved, 2 for another."""
    return int(psi >= SAME) + int(psi > ANOTHER)


def _gains(report: TrainingReport, figures: Figures) -> str:
    shown = [one for one in report.importances if one.gain_high > 0][:MOST]
    if not shown:
        return section("What it gains from", "", not_told("no fold's model has a single split"))
    figures["gains"] = figure(
        [
            _across(shown, [one.gain_share for one in shown], 0)
            | {
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [round(max(one.gain_high - one.gain_share, 0), 5) for one in shown],
                    "arrayminus": [
                        round(max(one.gain_share - one.gain_low, 0), 5) for one in shown
                    ],
                    "color": "$text",
                    "thickness": 1.2,
                    "width": 3,
                },
                "hovertemplate": "%{y}: %{x:.1%} of the gain<extra></extra>",
            }
        ],
        hovermode="closest",
        showlegend=False,
        xaxis=axis(title=named("share of the gain"), tickformat=".0%", rangemode="tozero"),
        yaxis=_names(shown),
        margin=BARE_MARGIN,
    )
    words = "; ".join(
        f"{one.name} {one.gain_share:.1%}, {one.gain_low:.1%} to {one.gain_high:.1%}"
        for one in shown
    )
    note = f"Mean over the folds' models, whisker from the least to the most. {_agreement(report)}"
    title = _title("What it gains from", len(shown), len(report.importances))
    return section(title, note, plot("gains", words, tall=True))


def _agreement(report: TrainingReport) -> str:
    stable = finite(report.importance_stability)
    if stable is None:
        return (
            "Whether folds agree is not told: fewer than two folds or features, or a fold without "
            "gains."
        )
    said = "agree" if stable >= 0.7 else "agree in part" if stable >= 0.3 else "do not agree"
    return f"Folds {said}: mean rank correlation of gains {stable:.2f}; 1 is full agreement."


def _shap(importances: Sequence[Importance], figures: Figures) -> str:
    moving = [one for one in importances if one.mean_abs_shap > 0]
    shown = sorted(moving, key=lambda one: (-one.mean_abs_shap, one.name))[:MOST]
    title = _title("What moves its predictions", len(shown), len(importances))
    if not shown:
        return section(title, "", not_told("no feature moves a prediction of the final model"))
    figures["shap"] = figure(
        [
            _across(shown, [one.mean_abs_shap for one in shown], 1)
            | {"hovertemplate": "%{y}: %{x:.4f}<extra></extra>"}
        ],
        hovermode="closest",
        showlegend=False,
        xaxis=axis(title=named("mean |SHAP| (margin)"), rangemode="tozero", nticks=5),
        yaxis=_names(shown),
        margin=BARE_MARGIN,
    )
    note = (
        "Of the final model, over out-of-sample rows; in the unit of the margin (log-odds for a "
        f"classification). {len(importances) - len(moving)} of {len(importances)} features move "
        "nothing in it."
    )
    words = "; ".join(f"{one.name} {one.mean_abs_shap:.4f}" for one in shown)
    return section(title, note, plot("shap", words, tall=True))


def _drift(report: TrainingReport, figures: Figures) -> str:
    title = "Drift: the latest days against those it learned from"
    known = {name: psi for name, psi in report.drift.items() if finite(psi) is not None}
    if not known:
        return section(title, "", not_told("no feature's drift was measured"))
    ranked = sorted(known.items(), key=lambda one: (-one[1], one[0]))
    traces = []
    for step, (index, name) in enumerate(_LEVELS):
        chosen = [one for one in ranked if level(one[1]) == step]
        traces.append(
            {
                "type": "bar",
                "name": f"{name} ({len(chosen)})",
                "x": [label(feature) for feature, _ in chosen],
                "y": [round(psi, 4) for _, psi in chosen],
                "marker": bars(index),
                "hovertemplate": "%{x}: PSI %{y:.3f}<extra></extra>",
            }
        )
    figures["drift"] = figure(
        traces,
        hovermode="closest",
        barmode="overlay",
        xaxis=axis(
            type="category", categoryorder="array", categoryarray=[label(one) for one, _ in ranked],
            tickangle=-90, tickfont={"size": 10}, title=named("feature"),
        ),
        yaxis=axis(title=named("PSI"), rangemode="tozero"),
        shapes=[_bound(SAME), _bound(ANOTHER)],
        margin=MARGIN,
    )  # fmt: skip
    counts = [sum(level(psi) == step for psi in known.values()) for step in range(3)]
    mean = finite(report.drift_psi)
    note = (
        f"Population stability index: below {SAME} the same, above {ANOTHER} another population "
        f"(Siddiqi 2006). {counts[2]} of {len(known)} features are another population. Mean, "
        f"weighted by gain: {number(mean, 3) if mean is not None else 'not told'}. One month of "
        "days shares one market, so features of the market drift most."
    )
    missing = len(report.drift) - len(known)
    more = not_told(f"{missing} features have no finite index") if missing else ""
    words = "; ".join(f"{name} {psi:.2f}" for name, psi in ranked[:MOST])
    return section(title, note, plot("drift", words, tall=True) + more)


def _table(report: TrainingReport) -> str:
    if not report.importances:
        return ""
    rows = [
        (
            one.name,
            f"{one.gain_share:.2%}",
            f"{one.gain_low:.1%} to {one.gain_high:.1%}",
            f"{one.mean_abs_shap:.5f}",
            number(finite(one.drift_psi), 3),
            _said(finite(one.drift_psi)),
        )
        for one in report.importances
    ]
    columns = ("Feature", "Gain", "Least to most", "Mean |SHAP|", "PSI", "")
    body = table("", columns, rows, prose=True)
    return section(
        "Every feature",
        "",
        f"<details><summary>All {len(rows)} features in numbers</summary>{body}</details>",
    )


def _said(psi: float | None) -> str:
    return "not told: no drift was measured" if psi is None else _LEVELS[level(psi)][1]


def _title(words: str, shown: int, every: int) -> str:
    return f"{words}: {shown} of {every} features" if shown < every else words


def _across(shown: Sequence[Importance], values: Sequence[float], index: int) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "y": [label(one.name) for one in shown],
        "x": [round(one, 6) for one in values],
        "marker": bars(index),
    }


def _names(shown: Sequence[Importance]) -> Figure:
    return axis(
        type="category",
        categoryorder="array",
        categoryarray=[label(one.name) for one in reversed(shown)],
        tickfont={"size": 11},
        dtick=1,
    )


def _bound(y: float) -> Figure:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
        "line": {"color": "$text", "width": 1, "dash": "dash"},
    }  # fmt: skip
