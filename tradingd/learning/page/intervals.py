"""Metrics with their intervals, drawn as bars with whiskers beside the numbers."""

from collections.abc import Mapping
from html import escape

from tradingd.kits.plotpage.fragments import NUMERIC
from tradingd.learning.page.metrics import Metric, finite, metric, why_missing
from tradingd.learning.report import Interval, TrainingReport

_WIDTH, _HEIGHT, _EDGE = 220, 22, 6


def metric_table(caption: str, values: Mapping[str, Interval], report: TrainingReport) -> str:
    """Return a row for each metric: value, interval, a drawing, and what it says."""
    body = "".join(_row(name, one, report) for name, one in values.items())
    head = (
        f'<th scope="col">Metric</th><th scope="col"{NUMERIC}>Value</th>'
        f'<th scope="col"{NUMERIC}>95 % interval</th><th scope="col">Drawn</th>'
        '<th scope="col" class="reason">Against no skill</th>'
    )
    return (
        f'<div class="scroll" role="group" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(name: str, one: Interval, report: TrainingReport) -> str:
    known, value = metric(name), finite(one.value)
    low, high = finite(one.low), finite(one.high)
    told = low is not None and high is not None
    span = f"{known.show(low)} to {known.show(high)}" if told else "-"
    drawn = whisker(value, low, high, known.nothing) if value is not None and told else ""
    words = against_nothing(known, one) if value is not None else why_missing(report, name)
    return (
        f'<tr><th scope="row">{escape(known.name)}</th>'
        f"<td{NUMERIC}>{escape(known.show(value))}</td>"
        f"<td{NUMERIC}>{escape(span)}</td><td>{drawn}</td>"
        f'<td class="reason">{escape(words)}</td></tr>'
    )


def against_nothing(known: Metric, one: Interval) -> str:
    """Return in words where an interval lies beside the value of no skill."""
    if known.nothing is None:
        return {"less": "less is better", "more": "more is better"}.get(known.better, "")
    nothing = f"no skill is {known.nothing:g}"
    if one.low is None or one.high is None:
        return f"{nothing}; no interval is known"
    if one.low <= known.nothing <= one.high:
        return f"{nothing}: within the interval"
    better = (one.low > known.nothing) == (known.better != "less")
    return f"{nothing}: the whole interval is {'better' if better else 'worse'}"


def whisker(value: float, low: float | None, high: float | None, nothing: float | None) -> str:
    """Return a drawing on a scale of its own: bar from no skill to the value, whisker, no skill."""
    ends = [one for one in (value, low, high, nothing) if one is not None]
    least, most = min(ends), max(ends)
    scale = (_WIDTH - 2 * _EDGE) / (most - least) if most > least else 0.0

    def at(one: float) -> float:
        return round(_EDGE + (one - least) * scale, 1)

    middle, parts = _HEIGHT / 2, []
    if nothing is not None:
        left, right = sorted((at(nothing), at(value)))
        parts.append(f'<rect class="bar" x="{left}" y="6" width="{right - left:.1f}" height="10"/>')
    if low is not None and high is not None:
        parts.append(f'<path class="whisker" d="M{at(low)} {middle}H{at(high)}'
                     f'M{at(low)} 6v10M{at(high)} 6v10"/>')  # fmt: skip
    parts.append(f'<circle class="value" cx="{at(value)}" cy="{middle}" r="3.5"/>')
    if nothing is not None:
        parts.append(f'<path class="nothing" d="M{at(nothing)} 1v{_HEIGHT - 2}"/>')
    return (
        f'<svg class="interval" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" aria-hidden="true">{"".join(parts)}</svg>'
    )
