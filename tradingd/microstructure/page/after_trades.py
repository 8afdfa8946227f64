"""What trades do to the book, and what they cost."""

from collections.abc import Sequence

from tradingd.kits.plotpage.figures import Figure, axis, figure, line, numbers
from tradingd.kits.plotpage.fragments import not_told, pair, plot, table
from tradingd.kits.plotpage.marks import MARGIN, Figures, bars, marked, named
from tradingd.kits.plotpage.words import label, number
from tradingd.microstructure.cost import Cost
from tradingd.microstructure.page.pieces import measure
from tradingd.microstructure.report import DepthReport
from tradingd.microstructure.resilience import Moment

_PARTS = (("Effective", "effective"), ("Realised", "realised"), ("Impact", "impact"))
_PATHS = (
    ("Spread", "spread_ticks"),
    ("Best size, side hit", "best_size"),
    ("All levels, side hit", "depth"),
)


def sections(report: DepthReport, figures: Figures) -> str:
    """Return recovery beside costs and lambda, then costs by half hour."""
    costs = f"<div>{_costs(report, figures)}{_lambda(report)}</div>"
    return pair(_resilience(report, figures), costs) + _by_half_hour(report, figures)


def _resilience(report: DepthReport, figures: Figures) -> str:
    title, path = "The book after trades", report.resilience.path
    told = [one for one in path if one.events]
    if not told:
        reason = report.resilience.reason or "no trade has a usable book before and after it"
        return measure(report, title, "resilience", "", not_told(reason))
    traces = []
    for index, (name, field) in enumerate(_PATHS):
        points = [(_lag(one.lag_ms), _change(one, field), one.events) for one in told]
        known = [(lag, change, n) for lag, change, n in points if change is not None]
        trace = line([p[0] for p in known], [p[1] for p in known], name, "", digits=4)
        trace |= {"mode": "lines+markers", **marked(index, 7)}
        trace["customdata"] = [p[2] for p in known]
        trace["hovertemplate"] = "%{y:+.1%} (n %{customdata:,})"
        traces.append(trace)
    figures["resilience"] = figure(
        traces,
        xaxis=axis(title=named("after the trade"), type="category"),
        yaxis=axis(title=named("against before"), tickformat="+.0%", zeroline=True),
        margin=MARGIN,
    )
    note = (
        f"Mean over {told[0].events:,} trades (of one time: one), against just before the same "
        "trades; 0 is recovered. Just before a trade the spread is often narrower than usual, so "
        "a return to 0 is not to be expected of the spread (Degryse et al. 2005, Large 2007)."
    )
    words = "; ".join(f"{one['name']}: {_span(one['y'])}" for one in traces)
    content = plot("resilience", words) + _moments(told)
    return measure(report, title, "resilience", note, content)


def _moments(path: Sequence[Moment]) -> str:
    rows = [
        (
            _lag(one.lag_ms),
            f"{one.events:,}",
            f"{number(one.spread_ticks)} / {number(one.spread_ticks_before)}",
            f"{number(one.best_size, 0)} / {number(one.best_size_before, 0)}",
            f"{number(one.depth, 0)} / {number(one.depth_before, 0)}",
        )
        for one in path
    ]
    columns = ("After", "n", "Spread, ticks", "Best size", "All levels")
    return table("After / before", columns, rows)


def _span(changes: Sequence[float | None]) -> str:
    known = [change for change in changes if change is not None]
    return f"{known[0]:+.1%} at once, {known[-1]:+.1%} at the end" if known else "not told"


def _change(one: Moment, field: str) -> float | None:
    after, before = getattr(one, field), getattr(one, f"{field}_before")
    return after / before - 1 if after is not None and before else None


def _lag(milliseconds: int) -> str:
    if not milliseconds:
        return "at once"
    return f"{milliseconds} ms" if milliseconds < 1_000 else f"{milliseconds // 1_000} s"


def _costs(report: DepthReport, figures: Figures) -> str:
    title, lags = "What trades cost", report.cost.by_lag
    if not any(one.effective.trades for one in lags):
        reason = report.cost.reason or "no trade has a usable mid before and after it"
        return measure(report, title, "cost", "", not_told(reason))
    traces = []
    for index, (name, field) in enumerate(_PARTS):
        costs: list[Cost] = [getattr(one, field) for one in lags]
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": [f"{one.seconds} s after" for one in lags],
                "y": numbers([cost.bps or 0.0 for cost in costs], 3),
                "text": [number(cost.bps, 1) for cost in costs],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": bars(index),
                "customdata": [cost.trades for cost in costs],
                "hovertemplate": "%{y:.2f} bps (n %{customdata:,})",
            }
        )
    figures["costs"] = figure(
        traces,
        xaxis=axis(type="category"),
        yaxis=axis(title=named("basis points, by size"), zeroline=True),
        barmode="group",
        margin=MARGIN,
    )
    rows = [
        (
            f"{name}, {one.seconds} s",
            f"{cost.trades:,}",
            number(cost.bps),
            number(cost.ticks),
            number(cost.ticks_equal),
        )
        for one in lags
        for name, cost in ((name, getattr(one, field)) for name, field in _PARTS)
    ]
    columns = ("Full spread", "n", "Bps, by size", "Ticks, by size", "Ticks, each trade")
    note = (
        "Effective is what the taker paid; realised is what the maker kept; impact is how far the "
        "mid went his way (Huang & Stoll 1996; Hendershott, Jones & Menkveld 2011). "
        "An opening or closing cross is a trade like others: where numbers by "
        "size and by trade differ much, a few large trades make the first."
    )
    words = "; ".join(f"{one[0]}: {one[2]} bps, n {one[1]}" for one in rows)
    return measure(report, title, "cost", note, plot("costs", words) + table("", columns, rows))


def _by_half_hour(report: DepthReport, figures: Figures) -> str:
    title = "Effective spread by half hour"
    told = [one for one in report.cost.by_half_hour if one.effective.shares]
    if not told:
        return measure(report, title, "", "", not_told(report.cost.reason))
    names = [label(one.half_hour) for one in told]
    traces: list[Figure] = []
    for index, (name, field) in enumerate((("By size", "ticks"), ("Each trade", "ticks_equal"))):
        trace = line(names, [getattr(one.effective, field) for one in told], name, "", digits=3)
        trace |= {"mode": "lines+markers", **marked(index)}
        trace["customdata"] = [one.effective.trades for one in told]
        trace["hovertemplate"] = "%{y:.2f} ticks (n %{customdata:,})"
        traces.append(trace)
    figures["effective"] = figure(
        traces,
        xaxis=axis(type="category", title=named("half hour from, New York time")),
        yaxis=axis(title=named("ticks"), rangemode="tozero"),
        margin=MARGIN,
    )
    words = "; ".join(
        f"{one.half_hour}: {number(one.effective.ticks)} ticks, n {one.effective.trades:,}"
        for one in told
    )
    note = f"{sum(one.effective.trades for one in told):,} trades."
    return measure(report, title, "", note, plot("effective", words))


def _lambda(report: DepthReport) -> str:
    title, kyle = "Kyle's lambda", report.kyle
    if not kyle.horizons:
        return measure(report, title, "kyle", "", not_told(kyle.reason))
    rows = [
        (
            f"{one.seconds} s",
            f"{one.fit.n:,}",
            number(one.fit.slopes[0] if one.fit.slopes else None),
            number(one.dollars_per_share and one.dollars_per_share * 1_000, 4),
            number(one.fit.t_hac[0] if one.fit.t_hac else None, 1),
            number(one.fit.r2, 3),
            f"not told: {one.fit.reason}" if one.fit.reason else "",
        )
        for one in kyle.horizons
    ]
    columns = ("Interval", "n", "Ticks", "Dollars", "t (HAC)", "R²", "")
    note = "How far the mid goes for 1,000 shares bought more than sold."
    return measure(report, title, "kyle", note, table("", columns, rows, prose=True))
