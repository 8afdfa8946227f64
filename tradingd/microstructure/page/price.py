"""The best prices along the day, with the order flow that pushed them."""

from tradingd.kits.plotpage.figures import axis, figure, line
from tradingd.kits.plotpage.fragments import not_told, plot
from tradingd.kits.plotpage.marks import MARGIN, Figures, named
from tradingd.kits.plotpage.words import thinned
from tradingd.microstructure.page.pieces import local_time, local_times, measure
from tradingd.microstructure.report import DepthReport

_STEP = {"shape": "hv"}


def sections(report: DepthReport, figures: Figures) -> str:
    """Return the path of prices, above the order flow added up."""
    title = "Prices and order flow"
    touch, flow = report.paths.touch, report.paths.ofi
    if not touch.seconds:
        return measure(report, title, "usable", "", not_told("no usable state"))
    times = local_times(touch.seconds)
    bid = line(times, touch.bid, "Bid", "$muted", digits=4)
    bid["line"] = {"color": "$muted", "width": 0.8, **_STEP}
    ask = line(times, touch.ask, "Ask (band: the spread)", "$muted", digits=4, fill="tonexty")
    ask["line"] = {"color": "$muted", "width": 0.8, **_STEP}
    ask["fillcolor"] = "$band"
    weighted = line(times, touch.weighted_mid, "Weighted mid", "$accent", digits=4)
    weighted["line"] = {"color": "$accent", "width": 1.4, **_STEP}
    middle = [(low + high) / 2 for low, high in zip(touch.bid, touch.ask, strict=True)]
    mid = line(times, middle, "Mid", "$text", digits=5)
    mid["line"] = {"color": "$text", "width": 1, "dash": "dot", **_STEP}
    for trace in (bid, ask, mid, weighted):
        trace["hovertemplate"] = "%{y:.4f}"
    total = line(local_times(flow.x), flow.y, "Order flow, added up", "$second", digits=0)
    total |= {"yaxis": "y2", "hovertemplate": "%{y:,.0f} shares"}
    figures["prices"] = figure(
        [bid, ask, mid, weighted, total],
        xaxis=axis(anchor="y2", title=named("New York time")),
        yaxis=axis(domain=[0.36, 1], title=named("dollars")),
        yaxis2=axis(domain=[0, 0.28], title=named("shares"), zeroline=True, tickformat="~s"),
        margin=MARGIN,
    )
    note = (
        "Last usable state of each second. The weighted mid leans to the side with fewer shares. "
        "Below: order-flow imbalance of the best level, added up since the start; where it and the "
        "price part, the book gave way to less flow than usual, or did not."
        + thinned(len(touch.seconds), touch.of, "seconds")
    )
    words = (
        f"Price from {touch.bid[0]:.2f} bid at {local_time(touch.seconds[0])} to "
        f"{touch.bid[-1]:.2f} at {local_time(touch.seconds[-1])}, low bid {min(touch.bid):.2f}, "
        f"high ask {max(touch.ask):.2f}; order flow adds up to {flow.y[-1] if flow.y else 0:,.0f} "
        "shares."
    )
    return measure(report, title, "flow", note, plot("prices", words, tall=True))
