"""What the queues at the best prices say of the next move: imbalance, and the micro-price."""

import math

from tradingd.kits.plotpage.figures import Figure, axis, figure, line, numbers
from tradingd.kits.plotpage.fragments import not_told, pair, plot
from tradingd.kits.plotpage.marks import MARGIN, Figures, marked, named
from tradingd.kits.plotpage.words import number
from tradingd.microstructure.logistic import Logistic
from tradingd.microstructure.microprice import SPREADS
from tradingd.microstructure.page.pieces import SIGNIFICANT, measure
from tradingd.microstructure.report import DepthReport

_CURVE = [step / 50 - 1 for step in range(101)]


def sections(report: DepthReport, figures: Figures) -> str:
    """Return the chance of a rise by imbalance beside the micro-price."""
    return pair(_imbalance(report, figures), _microprice(report, figures))


def _imbalance(report: DepthReport, figures: Figures) -> str:
    queue, title = report.queue, "Queue imbalance and the next move"
    if not queue.bins:
        return measure(report, title, "queue", "", not_told(queue.reason))
    told = [one for one in queue.bins if one.up is not None and one.weight > 0]
    centres = [round((one.low + one.high) / 2, 3) for one in told]
    rises = [one.up or 0.0 for one in told]
    ends = [interval(up, one.weight) for up, one in zip(rises, told, strict=True)]
    points: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": "Seen, 95 % interval",
        "x": centres,
        "y": numbers(rises, 4),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": numbers([high - up for up, (_, high) in zip(rises, ends, strict=True)], 4),
            "arrayminus": numbers([up - low for up, (low, _) in zip(rises, ends, strict=True)], 4),
            "color": "$accent",
        },
        "marker": {"color": "$accent", "size": 7},
        "hovertemplate": "%{y:.1%} up",
    }
    counts: Figure = {
        "type": "bar",
        "name": "Periods",
        "x": centres,
        "y": numbers([one.weight for one in told], 1),
        "yaxis": "y2",
        "marker": {"color": "$muted"},
        "hovertemplate": "%{y:,.0f} periods",
    }
    figures["queue"] = figure(
        [points, *_model(queue.model), counts],
        xaxis=axis(anchor="y2", title=named("queue imbalance"), range=[-1.02, 1.02]),
        yaxis=axis(domain=[0.4, 1], title=named("next move up"), tickformat=".0%", range=[0, 1]),
        yaxis2=axis(domain=[0, 0.3], title=named("periods")),
        shapes=[_half()],
        margin=MARGIN,
    )
    model = queue.model
    note = f"{queue.moves:,} moves of the mid, {queue.up_share or 0:.1%} up. " + (
        f"No curve: {model.reason}."
        if model.reason
        else f"Logistic slope {number(model.slope)} (z {number(model.slope_z, 1)}), "
        f"AUC {number(model.auc, 3)}; 0.5 is a coin."
    )
    words = f"{note} From {rises[0]:.0%} at {centres[0]} to {rises[-1]:.0%} at {centres[-1]}."
    return measure(report, title, "queue", note, plot("queue", words, tall=True))


def interval(share: float, count: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of `count` independent periods.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22: it does not shrink to nothing at 0 and 1.
    """
    z = SIGNIFICANT
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z / (1 + z * z / count)
    reach = spread * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - reach, middle + reach


def _model(model: Logistic) -> list[Figure]:
    if model.intercept is None or model.slope is None:
        return []
    chance = [1 / (1 + math.exp(-(model.intercept + model.slope * x))) for x in _CURVE]
    curve = line(_CURVE, chance, "Logistic fit", "$second", digits=4)
    curve |= {"line": {"color": "$second", "width": 2, "dash": "dash"}, "hoverinfo": "skip"}
    return [curve]


def _half() -> dict[str, object]:
    line_style = {"color": "$muted", "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": 0.5,
        "y1": 0.5,
        "line": line_style,
    }


def _microprice(report: DepthReport, figures: Figures) -> str:
    price, title = report.microprice, "Micro-price"
    if not price.adjustments:
        return measure(report, title, "microprice", "", not_told(price.reason))
    traces = []
    for index, one in enumerate(price.adjustments):
        told = [value for value in one.ticks if value is not None]
        if not told:
            continue
        count = len(one.ticks)
        centres = [round((2 * bucket + 1) / count - 1, 3) for bucket in range(count)]
        values = [math.nan if value is None else value for value in one.ticks]
        more = " and more" if one.spread_ticks == SPREADS else ""
        unit = "tick" if one.spread_ticks == 1 else "ticks"
        trace = line(centres, values, f"{one.spread_ticks} {unit}{more}", "", digits=3)
        trace |= {"mode": "lines+markers", "hovertemplate": "%{y:+.2f} ticks", **marked(index)}
        traces.append(trace)
    figures["microprice"] = figure(
        traces,
        xaxis=axis(title=named("queue imbalance"), range=[-1.02, 1.02]),
        yaxis=axis(title=named("micro-price less mid, ticks"), zeroline=True),
        margin=MARGIN,
    )
    note = (
        "Where the mid is expected after many moves, by imbalance and spread; from "
        f"{price.moves:,} moves. Buckets that were never seen are gaps; seldom seen ones are "
        f"noise. The weighted mid is {number(price.weighted_away_ticks)} ticks from the mid on "
        "average."
    )
    words = f"Adjustments of the mid in ticks by imbalance. {note}"
    return measure(report, title, "microprice", note, plot("microprice", words, tall=True))
