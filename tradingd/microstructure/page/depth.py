"""How deep the book is: away from the mid, and over the day."""

from tradingd.kits.plotpage.figures import Figure, axis, figure, line
from tradingd.kits.plotpage.fragments import not_told, pair, plot, table
from tradingd.kits.plotpage.marks import BARE_MARGIN, COLORS, MARGIN, Figures, marked, named
from tradingd.kits.plotpage.words import number, thinned
from tradingd.microstructure.depth import LevelDepth
from tradingd.microstructure.page.pieces import TICKS, local_times, measure
from tradingd.microstructure.report import DepthReport


def sections(report: DepthReport, figures: Figures) -> str:
    """Return the mean book beside depth over time."""
    if not report.depth.levels:
        return measure(report, "Depth", "depth", "", not_told(report.depth.reason))
    return pair(_by_level(report, figures), _over_time(report, figures)) + _levels(report)


def _by_level(report: DepthReport, figures: Figures) -> str:
    levels = report.depth.levels
    bids = [
        (one.level, -one.bid_distance, one.bid_cumulative, one.bid_size)
        for one in reversed(levels)
        if one.bid_distance is not None
    ]
    asks = [
        (one.level, one.ask_distance, one.ask_cumulative, one.ask_size)
        for one in levels
        if one.ask_distance is not None
    ]
    figures["depth"] = figure(
        [_side(bids, "Bids", 0), _side(asks, "Asks", 1)],
        hovermode="closest",
        xaxis=axis(title=named(f"from the mid, {TICKS}"), zeroline=True),
        yaxis=axis(title=named("shares, cumulative"), rangemode="tozero"),
        margin=MARGIN,
    )
    note = (
        "Mean over time; each mark is a level, with all better ones added. Slopes: "
        f"{number(report.depth.bid_slope, 1)} shares a tick for bids, "
        f"{number(report.depth.ask_slope, 1)} for asks (after Naes & Skjeltorp 2006)."
    )
    last = levels[-1]
    words = (
        f"Best bid {levels[0].bid_size:,.0f}, best ask {levels[0].ask_size:,.0f} shares; "
        f"{len(levels)} levels hold {last.bid_cumulative:,.0f} and {last.ask_cumulative:,.0f}."
    )
    return measure(report, "The mean book", "depth", note, plot("depth", words))


def _side(points: list[tuple[int, float, float, float]], name: str, index: int) -> Figure:
    trace = line(
        [round(one[1], 2) for one in points], [one[2] for one in points], name, "", digits=1
    )
    trace |= {"mode": "lines+markers", **marked(index, 7)}
    trace["line"] |= {"shape": "hv" if name == "Asks" else "vh", "dash": "solid"}
    trace["customdata"] = [[one[0], round(one[3], 1)] for one in points]
    trace["hovertemplate"] = (
        "level %{customdata[0]}: %{customdata[1]:,.0f} shares<br>"
        "%{y:,.0f} up to %{x:.1f} ticks<extra></extra>"
    )
    return trace


def _over_time(report: DepthReport, figures: Figures) -> str:
    touch = report.paths.touch
    times = local_times(touch.seconds)
    traces = []
    for index, (name, sizes) in enumerate((("Bids", touch.bid_depth), ("Asks", touch.ask_depth))):
        trace = line(times, sizes, name, "", digits=0)
        trace["line"] = {"color": COLORS[index], "width": 1.1, "shape": "hv"}
        trace["yaxis"] = ("y", "y2")[index]
        trace["hovertemplate"] = "%{y:,.0f} shares"
        traces.append(trace)
    figures["depths"] = figure(
        traces,
        xaxis=axis(anchor="y2", title=named("New York time")),
        yaxis=axis(domain=[0.54, 1], title=named("bids, shares"), rangemode="tozero"),
        yaxis2=axis(domain=[0, 0.46], title=named("asks, shares"), matches="y"),
        showlegend=False,
        margin=BARE_MARGIN,
    )
    note = f"Shares on the best {report.source.levels_used} levels at the end of each second." + (
        thinned(len(touch.seconds), touch.of, "seconds")
    )
    words = "; ".join(
        f"{one.half_hour}: {one.bid_total:,.0f} bid, {one.ask_total:,.0f} ask"
        for one in report.depth.by_half_hour
    )
    return measure(report, "Depth over the day", "", note, plot("depths", words))


def _levels(report: DepthReport) -> str:
    columns = (
        "Level",
        "Bid shares",
        "Ask shares",
        "Bid away",
        "Ask away",
        "Bid there",
        "Ask there",
    )
    rows = [_row(one) for one in report.depth.levels]
    note = f"Mean shares and distance from the mid in {TICKS}; share of the time the level existed."
    return measure(report, "Levels", "", note, table("", columns, rows))


def _row(one: LevelDepth) -> tuple[str, ...]:
    return (
        str(one.level),
        number(one.bid_size, 0),
        number(one.ask_size, 0),
        number(one.bid_distance, 1),
        number(one.ask_distance, 1),
        f"{one.bid_exists:.1%}",
        f"{one.ask_exists:.1%}",
    )
