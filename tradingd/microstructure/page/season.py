"""Price impact and depth along the day: where the book is thin, order flow moves the price more."""

from tradingd.kits.plotpage.figures import Figure, axis, figure, line, numbers
from tradingd.kits.plotpage.fragments import not_told, plot
from tradingd.kits.plotpage.marks import MARGIN, Figures, marked, named
from tradingd.kits.plotpage.words import label, number
from tradingd.microstructure.page.header import main_horizon
from tradingd.microstructure.page.pieces import SIGNIFICANT, measure
from tradingd.microstructure.report import DepthReport

TITLE = "Impact and depth by half hour"


def sections(report: DepthReport, figures: Figures) -> str:
    """Return slopes by half hour, above the depth of the best prices."""
    one = main_horizon(report)
    fits = one.by_half_hour if one else ()
    told = [entry for entry in fits if entry.fit.slopes]
    missing = [f"{entry.half_hour} ({entry.fit.reason})" for entry in fits if entry.fit.reason]
    if one is None or not told:
        content = not_told("; ".join(missing) or report.impact.reason or "no half hour has a fit")
        return measure(report, TITLE, "", "", content)
    slopes = [entry.fit.slopes[0] for entry in told]
    errors = [
        abs(slope / entry.fit.t_hac[0]) * SIGNIFICANT if entry.fit.t_hac[0] else 0.0
        for slope, entry in zip(slopes, told, strict=True)
    ]
    names = [label(entry.half_hour) for entry in told]
    impact = line(names, slopes, "Impact coefficient, 95 % interval", "$accent", digits=4)
    impact |= {"mode": "lines+markers", **marked(0)}
    impact["error_y"] = {"type": "data", "array": numbers(errors, 4), "color": "$accent"}
    impact["customdata"] = [[entry.fit.n, number(entry.fit.r2, 3)] for entry in told]
    impact["hovertemplate"] = "%{y:.2f} ticks, n %{customdata[0]:,}, R² %{customdata[1]}"
    hours = [label(entry.half_hour) for entry in report.depth.by_half_hour]
    figures["season"] = figure(
        [impact, _depth(report)],
        xaxis=axis(
            anchor="y2",
            type="category",
            categoryorder="array",
            categoryarray=sorted({*hours, *names}),
            title=named("half hour from, New York time"),
        ),
        yaxis=axis(domain=[0.45, 1], title=named("ticks per 1,000 sh."), zeroline=True),
        yaxis2=axis(domain=[0, 0.36], title=named("shares"), rangemode="tozero"),
        margin=MARGIN,
    )
    note = (
        f"Slope of the mid's change over {one.seconds} s on order flow of the best level, within "
        "each half hour, and the mean size at the best prices. Impact is expected to fall where "
        "depth grows (Cont, Kukanov & Stoikov 2014)."
    )
    if missing:
        note += f" Not told: {'; '.join(missing)}."
    words = "; ".join(
        f"{entry.half_hour}: {entry.fit.slopes[0]:.2f}, n {entry.fit.n:,}" for entry in told
    )
    return measure(report, TITLE, "impact", note, plot("season", words, tall=True))


def _depth(report: DepthReport) -> Figure:
    hours = report.depth.by_half_hour
    return {
        "type": "bar",
        "name": "Best size, mean of both sides",
        "x": [label(one.half_hour) for one in hours],
        "y": numbers([(one.bid_best + one.ask_best) / 2 for one in hours], 1),
        "yaxis": "y2",
        "marker": {"color": "$muted"},
        "hovertemplate": "%{y:,.0f} shares",
    }
