"""How the judge did in quiet and in stormy markets, and year by year."""

from tradingd.kits.plotpage.figures import axis, figure
from tradingd.kits.plotpage.fragments import not_told, plot, section, table
from tradingd.kits.plotpage.marks import BARE_MARGIN, Figures, bars, named
from tradingd.kits.plotpage.words import label, number
from tradingd.learning.page.metrics import finite, never_traded
from tradingd.learning.report import Regime, TrainingReport


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return the judge's days by kind of market and by year."""
    title, shown = "Where it earns", report.regimes
    if not shown:
        return section(title, "", not_told("no session was judged, or too few to tell kinds apart"))
    rows = [
        (
            one.name,
            f"{one.sessions:,}",
            f"{one.total_return:+.2%}",
            number(finite(one.sharpe)),
            "" if finite(one.sharpe) is not None else _why(one, report),
        )
        for one in shown
    ]
    columns = ("Days", "Sessions", "Total return", "Sharpe, a year", "")
    note = (
        "Calm, usual and stormy: thirds of the days by how much the market moved in the 21 "
        "sessions before. A result that comes from one kind of days alone is a bet on those days."
    )
    return section(title, note, _drawn(report, figures) + table("", columns, rows, prose=True))


def _drawn(report: TrainingReport, figures: Figures) -> str:
    if never_traded(report):
        return not_told("a drawing: the judge never traded, every return is nothing")
    known = [one for one in report.regimes if finite(one.sharpe) is not None]
    if not known:
        return not_told("a drawing: no kind of days has a Sharpe ratio")
    figures["regimes"] = figure(
        [
            {
                "type": "bar",
                "x": [label(one.name) for one in known],
                "y": [round(one.sharpe or 0.0, 4) for one in known],
                "marker": bars(0),
                "customdata": [one.sessions for one in known],
                "hovertemplate": "%{x}: %{y:.2f}, %{customdata:,} sessions<extra></extra>",
            }
        ],
        hovermode="closest",
        showlegend=False,
        xaxis=axis(type="category", title=named("days of that kind")),
        yaxis=axis(title=named("Sharpe ratio, a year"), zeroline=True),
        margin=BARE_MARGIN,
    )
    ratios = "; ".join(f"{one.name} {number(one.sharpe)}" for one in known)
    words = f"Sharpe ratio, a year: {ratios}."
    return plot("regimes", words)


def _why(one: Regime, report: TrainingReport) -> str:
    if never_traded(report):
        return "the judge never traded"
    return f"not told: {one.sessions} sessions are too few, or do not vary"
