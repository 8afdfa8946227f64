"""The quoted spread: over the day, and how long it stood at what width."""

import math

from tradingd.kits.plotpage.figures import Figure, axis, figure, line, numbers
from tradingd.kits.plotpage.fragments import not_told, pair, plot, table
from tradingd.kits.plotpage.marks import BARE_MARGIN, MARGIN, Figures, named, note_at
from tradingd.kits.plotpage.words import label, number, thinned
from tradingd.microstructure.page.pieces import TICKS, local_time, local_times, measure
from tradingd.microstructure.report import DepthReport
from tradingd.microstructure.spread import SpreadBin

_HALF_HOUR_S = 1_800
_POWERS = [factor * 10**power for power in range(-1, 6) for factor in (1, 2, 5)]


def sections(report: DepthReport, figures: Figures) -> str:
    """Return the spread over time beside its distribution."""
    if report.spread.reason:
        return measure(report, "Spread", "spread", "", not_told(report.spread.reason))
    return pair(_over_time(report, figures), _distribution(report, figures))


def _over_time(report: DepthReport, figures: Figures) -> str:
    touch = report.paths.touch
    ticks = [(ask - bid) * 100 for bid, ask in zip(touch.bid, touch.ask, strict=True)]
    second = line(local_times(touch.seconds), ticks, "At the end of a second", "$muted", digits=2)
    second["line"] = {"color": "$muted", "width": 0.9, "shape": "hv"}
    means = _half_hours(report)
    for trace in (second, means):
        trace["hovertemplate"] = "%{y:.1f} ticks"
    figures["spread"] = figure(
        [second, means],
        xaxis=axis(title=named("New York time")),
        yaxis=axis(title=named(f"{TICKS}, log scale"), type="log", tickvals=_POWERS),
        margin=MARGIN,
    )
    note = (
        f"Mean over time {number(report.spread.mean_ticks)} ticks, "
        f"{number(report.spread.mean_bps)} bps of the mid."
        + thinned(len(touch.seconds), touch.of, "seconds")
    )
    words = "; ".join(
        f"{one.half_hour}: {one.ticks:.1f} ticks" for one in report.spread.by_half_hour
    )
    return measure(
        report, "Spread over the day", "spread", note, plot("spread", words) + _quantiles(report)
    )


def _quantiles(report: DepthReport) -> str:
    rows = [
        (f"{one.share:.0%} of the time", f"{one.ticks:g}", f"{one.bps:.1f}")
        for one in report.spread.quantiles
    ]
    return table("Spread not exceeded for", ("Share", "Ticks", "Bps"), rows)


def _half_hours(report: DepthReport) -> Figure:
    """Draw a level line over each half hour between the first and the last second."""
    x: list[str | None] = []
    y: list[float] = []
    told = {one.half_hour: one.ticks for one in report.spread.by_half_hour}
    seconds = report.paths.touch.seconds or (0,)
    first = seconds[0] // _HALF_HOUR_S * _HALF_HOUR_S
    for start in range(first, seconds[-1] + 1, _HALF_HOUR_S):
        ticks = told.get(local_time(start)[11:16])
        if ticks is not None:
            end = min(start + _HALF_HOUR_S - 1, seconds[-1])
            x += [local_time(start), local_time(end), None]
            y += [ticks, ticks, math.nan]
    means = line(x, y, "Mean of the half hour", "$second", digits=2)
    means["line"] = {"color": "$second", "width": 3}
    return means


def _distribution(report: DepthReport, figures: Figures) -> str:
    bins, title = report.spread.distribution, "How long at what spread"
    if not bins:
        return measure(report, title, "", "", not_told("the report has no distribution"))
    most = max(one.share for one in bins)
    marks = [one for one in report.spread.quantiles if one.share in (0.5, 0.95)]
    figures["spreads"] = figure(
        [
            {
                "type": "bar",
                "x": [_middle(one, bins) for one in bins],
                "y": numbers([one.share for one in bins], 6),
                "width": [bins[0].high_ticks or 1] * len(bins),
                "customdata": [_name(one) for one in bins],
                "marker": {"color": "$accent", "line": {"color": "$card", "width": 1}},
                "hovertemplate": "%{customdata}: %{y:.2%} of the time<extra></extra>",
            }
        ],
        hovermode="closest",
        showlegend=False,
        xaxis=axis(title={"text": TICKS}),
        yaxis=axis(title=named("share of the time"), tickformat=".0%"),
        shapes=[_mark(one.ticks) for one in marks],
        annotations=[
            note_at(
                f"{one.share:.0%}: {one.ticks:g}",
                x=one.ticks,
                y=most * (1.0 - 0.12 * index),
                xanchor="left",
                xshift=4,
            )
            for index, one in enumerate(marks)
        ],
        margin=BARE_MARGIN,
    )
    rest = bins[-1]
    note = (
        f"{report.spread.seconds:,.0f} seconds of usable books. The last bar, over "
        f"{rest.low_ticks} ticks, holds all wider ones ({rest.share:.2%} of the time)."
    )
    words = f"Spread at most {marks[0].ticks:g} ticks half of the time." if marks else title
    return measure(report, title, "", note, plot("spreads", words, tall=True))


def _middle(one: SpreadBin, bins: tuple[SpreadBin, ...]) -> float:
    """Return where a bar stands; a spread of two ticks stands at 2 where bins are of one."""
    width = bins[0].high_ticks or 1
    if width == 1:
        return one.low_ticks + 1
    return one.low_ticks + width / 2


def _name(one: SpreadBin) -> str:
    if one.high_ticks is None:
        return f"over {one.low_ticks} ticks"
    return label(f"over {one.low_ticks}, up to {one.high_ticks} ticks")


def _mark(ticks: float) -> dict[str, object]:
    return {
        "type": "line",
        "yref": "paper",
        "x0": ticks,
        "x1": ticks,
        "y0": 0,
        "y1": 1,
        "line": {"color": "$text", "width": 1, "dash": "dash"},
    }
