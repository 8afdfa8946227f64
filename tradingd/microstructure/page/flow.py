"""How much order flow explains of the mid's change: scatters, R2 by levels, prediction."""

from html import escape

from tradingd.kits.plotpage.figures import Figure, axis, figure, line, numbers
from tradingd.kits.plotpage.fragments import not_told, plot, table
from tradingd.kits.plotpage.marks import BARE_MARGIN, MARGIN, Figures, bars, marked, named
from tradingd.kits.plotpage.words import number, thinned
from tradingd.microstructure.impact import HorizonImpact
from tradingd.microstructure.page.pieces import SIGNIFICANT, TICKS, measure
from tradingd.microstructure.regression import Fit
from tradingd.microstructure.report import DepthReport

_FITS = (
    ("order flow, best level", "contemporaneous"),
    ("order flow, all levels", "multi_level"),
    ("order flow, first component", "integrated"),
    ("signed volume", "trade_imbalance"),
    ("order flow and signed volume", "both"),
    ("next interval on order flow", "predictive"),
    ("next interval on first component", "integrated_predictive"),
)


def sections(report: DepthReport, figures: Figures) -> str:
    """Return all about regressions on order flow."""
    if not report.impact.horizons:
        content = not_told(report.impact.reason or "no horizon was asked for")
        return measure(report, "Order flow and the price", "impact", "", content)
    return (
        _scatters(report, figures)
        + '<div class="pair">'
        + _by_levels(report, figures)
        + _ahead(report, figures)
        + "</div>"
        + _all_fits(report)
    )


def _scatters(report: DepthReport, figures: Figures) -> str:
    parts = []
    for one in report.impact.horizons:
        name = f"scatter-{one.seconds}"
        fit = one.contemporaneous
        title = f"<h3>{one.seconds} s</h3>"
        if not one.scatter.x:
            parts.append(f"<div>{title}{not_told(fit.reason or 'no interval counts')}</div>")
            continue
        figures[name] = _scatter(one)
        text = _sentence(one)
        content = f'<p class="note">{escape(text)}</p>{plot(name, text)}'
        parts.append(f"<div>{title}{content}</div>")
    hours = "Regular hours only." if report.impact.horizons[0].regular_hours_only else "All hours."
    note = (
        "Each point is an interval: order-flow imbalance of the best level against the change of "
        f"the mid in the same interval, and the least-squares line. {hours} Where the rank "
        "correlation says more than R², look at points far out: a price that is raised in steps "
        "and dropped at once counts as flow at every step."
    )
    grid = f'<div class="plots">{"".join(parts)}</div>'
    return measure(report, "Order flow and the price", "impact", note, grid)


def _scatter(one: HorizonImpact) -> Figure:
    fit, points = one.contemporaneous, one.scatter
    traces: list[Figure] = [
        {
            "type": "scattergl" if len(points.x) > 5_000 else "scatter",
            "mode": "markers",
            "name": "intervals",
            "x": numbers(points.x, 3),
            "y": numbers(points.y, 2),
            "marker": {"color": "$accent", "size": 4, "opacity": 0.45},
            "hovertemplate": "%{x:,.3f} thousand shares<br>%{y:.1f} ticks<extra></extra>",
        }
    ]
    if fit.slopes and fit.intercept is not None:
        ends = [min(points.x), max(points.x)]
        fitted = line(
            ends, [fit.intercept + fit.slopes[0] * x for x in ends], "least squares", "$second"
        )
        fitted["line"] = {"color": "$second", "width": 2.5}
        fitted["hoverinfo"] = "skip"
        traces.append(fitted)
    return figure(
        traces,
        hovermode="closest",
        showlegend=False,
        xaxis=axis(title=named("order flow, 1,000 shares"), zeroline=True),
        yaxis=axis(title=named("mid change, ticks"), zeroline=True),
        margin=BARE_MARGIN,
    )


def _sentence(one: HorizonImpact) -> str:
    fit = one.contemporaneous
    drawn = thinned(len(one.scatter.x), one.scatter.of, "points")
    if fit.reason:
        return f"No line: {fit.reason}.{drawn}"
    return (
        f"n {fit.n:,}; R² {number(fit.r2, 3)}; rank correlation {number(fit.rank_correlation)}; "
        f"slope {number(fit.slopes[0])} ticks per 1,000 shares "
        f"(t {number(fit.t_hac[0], 1)}).{drawn}"
    )


def _by_levels(report: DepthReport, figures: Figures) -> str:
    title = "Explained by how many levels"
    traces = []
    for index, one in enumerate(report.impact.horizons):
        told = [entry for entry in one.by_levels if entry.r2_adjusted is not None]
        if told:
            trace = line(
                [entry.levels for entry in told],
                [entry.r2_adjusted or 0.0 for entry in told],
                f"{one.seconds} s (n {told[0].n:,})",
                "$accent",
                digits=4,
            )
            trace |= {"mode": "lines+markers", "hovertemplate": "%{y:.3f}", **marked(index)}
            traces.append(trace)
    if not traces:
        reasons = [entry.reason for one in report.impact.horizons for entry in one.by_levels]
        content = not_told(next(iter(reasons), "the report has no fits by levels"))
        return measure(report, title, "", "", content)
    figures["levels"] = figure(
        traces,
        xaxis=axis(title=named("levels used"), dtick=1),
        yaxis=axis(title=named("adjusted R²"), rangemode="tozero"),
        margin=MARGIN,
    )
    note = (
        "Adjusted R² of the mid's change in the same interval on the order flow of the best 1, 2, "
        "... levels, each with a slope of its own (Xu, Gould & Howison 2018). In sample."
    )
    words = "; ".join(f"{trace['name']}: {trace['y'][0]} to {trace['y'][-1]}" for trace in traces)
    return measure(report, title, "", note, plot("levels", f"Adjusted R²: {words}."))


def _ahead(report: DepthReport, figures: Figures) -> str:
    title = "Does it tell the next interval?"
    horizons = report.impact.horizons
    traces, words = [], []
    for index, (name, field) in enumerate(
        (("best level", "predictive"), ("first component", "integrated_predictive"))
    ):
        fits: list[tuple[HorizonImpact, Fit]] = [(one, getattr(one, field)) for one in horizons]
        told = [(one.seconds, fit) for one, fit in fits if fit.t_hac]
        if not told:
            continue
        shares = [f"R² {number(fit.r2, 4)}" for _, fit in told]
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": [f"{seconds} s" for seconds, _ in told],
                "y": numbers([fit.t_hac[0] for _, fit in told], 2),
                "text": shares,
                "textposition": "outside",
                "cliponaxis": False,
                "marker": bars(index),
                "customdata": [fit.n for _, fit in told],
                "hovertemplate": "t %{y:.2f}, %{text}, n %{customdata:,}",
            }
        )
        words += [f"{name} {s} s: t {fit.t_hac[0]:.2f}, n {fit.n:,}" for s, fit in told]
    if not traces:
        content = not_told(horizons[0].predictive.reason)
        return measure(report, title, "", "", content)
    figures["ahead"] = figure(
        traces,
        xaxis=axis(title=named("horizon"), type="category"),
        yaxis=axis(title=named("t-value (Newey-West)"), zeroline=True),
        shapes=[_threshold(SIGNIFICANT), _threshold(-SIGNIFICANT)],
        barmode="group",
        margin=MARGIN,
    )
    note = (
        "Change of the next interval on order flow of this one. Bars are t-values of the slope, "
        f"numbers are R²; within the dashed lines (±{SIGNIFICANT}) chance is enough to explain it."
    )
    return measure(report, title, "", note, plot("ahead", "; ".join(words)))


def _threshold(height: float) -> dict[str, object]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": {"color": "$text", "width": 1, "dash": "dash"},
    }


def _all_fits(report: DepthReport) -> str:
    rows = [
        (f"{one.seconds} s, {name}", *_cells(getattr(one, field)))
        for one in report.impact.horizons
        for name, field in _FITS
    ]
    columns = ("Interval, regressor", "n", "R²", "Adj. R²", "Rank corr.", "Slope", "t (HAC)", "")
    note = (
        f"Change of the mid in {TICKS}; order flow and volume in 1,000 shares, first component in "
        "average depths. Two slopes: order flow / signed volume. All levels have a slope each."
    )
    return measure(
        report, "All regressions", "integrated", note, table("", columns, rows, prose=True)
    )


def _cells(fit: Fit) -> tuple[str, ...]:
    few = len(fit.slopes) <= 2
    return (
        f"{fit.n:,}",
        number(fit.r2, 4),
        number(fit.r2_adjusted, 4),
        number(fit.rank_correlation),
        (" / ".join(map(number, fit.slopes)) if few else "") or "-",
        (" / ".join(map(number, fit.t_hac)) if few else "") or "-",
        f"not told: {fit.reason}" if fit.reason else "",
    )
