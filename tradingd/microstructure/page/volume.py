"""What was traded at which price and when, and how one-sided it was."""

from collections.abc import Sequence

from tradingd.kits.plotpage.figures import Figure, axis, figure, line
from tradingd.kits.plotpage.fragments import not_told, pair, plot
from tradingd.kits.plotpage.marks import (
    BARE_MARGIN,
    COLORS,
    MARGIN,
    Figures,
    bars,
    marked,
    named,
    note_at,
)
from tradingd.kits.plotpage.words import label, number
from tradingd.microstructure.page.pieces import local_time, measure
from tradingd.microstructure.profile import PriceVolume, ProfileResult
from tradingd.microstructure.report import DepthReport
from tradingd.microstructure.vpin import BucketPoint, Toxicity

MOST_BARS = 100
_SIDES = (("Bought", "bought"), ("Sold", "sold"), ("Side unknown", "unknown"))


def sections(report: DepthReport, figures: Figures) -> str:
    """Return the profile beside volume by half hour, and VPIN."""
    return pair(_profile(report, figures), _by_half_hour(report, figures)) + _vpin(report, figures)


def grouped(volumes: Sequence[PriceVolume], step_cents: int) -> tuple[int, dict[int, int]]:
    """Return (cents put together, shares by first cent) for at most 100 bars."""
    cents = [round(one.price * 100) for one in volumes]
    step = max(step_cents, -(-(max(cents) - min(cents) + 1) // MOST_BARS))
    found: dict[int, int] = {}
    for cent, one in zip(cents, volumes, strict=True):
        first = cent // step * step
        found[first] = found.get(first, 0) + one.shares
    return step, found


def _profile(report: DepthReport, figures: Figures) -> str:
    title, profile = "Volume profile", report.profile
    if not profile.by_price:
        return measure(report, title, "profile", "", not_told(profile.reason))
    step, shares = grouped(profile.by_price, profile.step_cents)
    low, high = profile.value_area_low or 0.0, profile.value_area_high or 0.0
    inside = [round(low * 100) - step < cent <= round(high * 100) for cent in shares]
    bar: Figure = {
        "type": "bar",
        "orientation": "h",
        "x": list(shares.values()),
        "y": [(cent + (step - 1) / 2) / 100 for cent in shares],
        "width": [step / 100] * len(shares),
        "marker": {"color": ["$accent" if one else "$faint" for one in inside]},
        "customdata": [_prices(cent, step) for cent in shares],
        "hovertemplate": "%{customdata}: %{x:,} shares<extra></extra>",
    }
    figures["profile"] = figure(
        [bar],
        hovermode="closest",
        showlegend=False,
        xaxis=axis(title=named("shares"), tickformat="~s"),
        yaxis=axis(title=named("dollars"), tickformat=".2f"),
        shapes=[_level(low, "dot"), _level(high, "dot"), _level(profile.point_of_control, "solid")],
        annotations=_names(profile, low, high),
        bargap=0,
        margin=BARE_MARGIN,
    )
    note = (
        f"{profile.shares:,} shares in {profile.trades:,} trades. Point of control (solid line) "
        f"{number(profile.point_of_control)}; value area (between dotted lines, darker bars) "
        f"{low:.2f} to {high:.2f} holds {profile.value_area_share or 0:.1%}."
    )
    if step > 1:
        note += f" {step} cents a bar."
    return measure(report, title, "profile", note, plot("profile", note, tall=True))


def _prices(cent: int, step: int) -> str:
    first = f"{cent / 100:.2f}"
    return first if step == 1 else f"{first} to {(cent + step - 1) / 100:.2f}"


def _level(price: float | None, dash: str) -> dict[str, object]:
    style = {"color": "$text", "width": 1, "dash": dash}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": price,
        "y1": price,
        "line": style,
    }


def _names(profile: ProfileResult, low: float, high: float) -> list[dict[str, object]]:
    """Name the lines at the right border; the point of control away from a border it is on."""
    control = profile.point_of_control or 0.0
    right = {"xref": "paper", "xanchor": "right"}
    names = [
        note_at(f"value area high {high:.2f}", x=1, y=high, yanchor="bottom", **right),
        note_at(f"value area low {low:.2f}", x=1, y=low, yanchor="top", **right),
    ]
    near_low = control - low <= high - control
    names.append(
        note_at(
            f"point of control {control:.2f}",
            x=1,
            y=control,
            yanchor="bottom" if near_low else "top",
            **right,
        )
    )
    return names


def _by_half_hour(report: DepthReport, figures: Figures) -> str:
    title, hours = "Volume by half hour", report.profile.by_half_hour
    if not hours:
        return measure(report, title, "", "", not_told(report.profile.reason))
    traces = []
    for index, (name, field) in enumerate(_SIDES):
        shares = [getattr(one, field) for one in hours]
        if any(shares):
            traces.append(
                {
                    "type": "bar",
                    "name": name,
                    "x": [label(one.half_hour) for one in hours],
                    "y": shares,
                    "marker": bars(index),
                    "hovertemplate": "%{y:,} shares",
                }
            )
    figures["volume"] = figure(
        traces,
        barmode="stack",
        xaxis=axis(type="category", title=named("half hour from, New York time")),
        yaxis=axis(title=named("shares"), tickformat="~s"),
        margin=MARGIN,
    )
    bought, sold = (sum(getattr(one, side) for one in hours) for side in ("bought", "sold"))
    note = f"{bought:,} shares bought, {sold:,} sold by whoever took them."
    words = "; ".join(f"{one.half_hour}: {one.bought + one.sold + one.unknown:,}" for one in hours)
    content = plot("volume", f"{note} {words}", tall=True)
    return measure(report, title, "", note, content)


def _vpin(report: DepthReport, figures: Figures) -> str:
    title, vpin = "VPIN", report.vpin
    ways = (("By signs of trades", vpin.signed), ("Bulk classification", vpin.bulk))
    told = [(index, name, way) for index, (name, way) in enumerate(ways) if way.buckets]
    if not told:
        reason = vpin.reason or vpin.signed.reason
        return measure(report, title, "vpin", "", not_told(reason))
    traces: list[Figure] = []
    for index, name, way in told:
        traces += [_mean(way.buckets, name, index), _buckets(way.buckets, name, index)]
    figures["vpin"] = figure(
        traces,
        hovermode="closest",
        xaxis=axis(title=named("New York time at which a bucket was full")),
        yaxis=axis(title=named("|bought - sold| of a bucket"), range=[-0.02, 1.02]),
        margin=MARGIN,
    )
    note = (
        f"{vpin.shares:,} shares in {len(told[0][2].buckets)} buckets of "
        f"{number(vpin.bucket_shares, 0)}. Marks are buckets, lines the mean of the last ten. "
        + "; ".join(f"{name}: {_value(way)}" for name, way in ways)
        + ". A trade larger than a bucket fills several at one time."
    )
    return measure(report, title, "vpin", note, plot("vpin", note))


def _value(way: Toxicity) -> str:
    return f"not told, {way.reason}" if way.reason else f"VPIN {number(way.vpin, 3)}"


def _mean(buckets: Sequence[BucketPoint], name: str, index: int) -> Figure:
    known = [(one.ts_s, one.mean) for one in buckets if one.mean is not None]
    x, y = [local_time(ts) for ts, _ in known], [mean for _, mean in known]
    trace = line(x, y, name, COLORS[index], digits=4)
    trace["line"] = marked(index)["line"] | {"width": 2.2}
    trace["hovertemplate"] = "%{y:.2f}, mean of ten"
    return trace


def _buckets(buckets: Sequence[BucketPoint], name: str, index: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{name}, buckets",
        "x": [local_time(one.ts_s) for one in buckets],
        "y": [round(one.imbalance, 4) for one in buckets],
        "marker": marked(index, 6)["marker"] | {"opacity": 0.6},
        "hovertemplate": "%{y:.2f}, a bucket",
    }
