"""What the judge earned out of sample, against the rules alone and all symbols alike."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from tradingd.kits.plotpage.figures import Figure, axis, figure, line
from tradingd.kits.plotpage.fragments import not_told, plot, section, table
from tradingd.kits.plotpage.marks import MARGIN, Figures, marked, named
from tradingd.kits.plotpage.words import label, number
from tradingd.learning.dataset import Floats
from tradingd.learning.page.intervals import metric_table
from tradingd.learning.page.metrics import never_traded
from tradingd.learning.report import Curve, TrainingReport
from tradingd.luck.sharpe import SESSIONS_PER_YEAR, sharpe

_LEAST_RETURNS = 20
_ALONE: Final = "rules alone"
_PLACES: Final = {"with the model": 0, _ALONE: 1}


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return equity and drawdown, then every metric with its interval."""
    return _equity(report, figures) + _judged(report) + _scores(report)


def _equity(report: TrainingReport, figures: Figures) -> str:
    title = "Out-of-sample equity, after costs"
    curves = [one for one in report.curves if one.days]
    if not curves:
        return section(title, "", not_told("the judge's backtest has no day"))
    traces: list[Figure] = []
    for place, one in enumerate(curves):
        days, name = [day.isoformat() for day in one.days], label(one.name)
        style = _style(one.name, place)
        gain = line(days, _percent(one.equity), name, "", digits=3)
        gain |= {"line": style, "legendgroup": name, "hovertemplate": "%{y:+.2f}%"}
        fall = line(days, (100 * drawdowns(one)).tolist(), name, "", digits=3)
        fall |= {"line": style, "legendgroup": name, "showlegend": False, "yaxis": "y2"}
        traces += [gain, fall | {"hovertemplate": "%{y:.2f}% below its peak"}]
    figures["equity"] = figure(
        traces,
        xaxis=axis(anchor="y2", title=named("session")),
        yaxis=axis(domain=[0.36, 1], title=named("gain, %"), zeroline=True),
        yaxis2=axis(domain=[0, 0.28], title=named("drawdown, %"), rangemode="tozero"),
        margin=MARGIN,
    )
    note = (
        "Each day was traded by a model that had learned from earlier days only; the real backtest "
        "ran with costs and limits. Below: how far each is under its highest point."
    )
    rows = [_summary(one) for one in curves]
    words = "; ".join(f"{row[0]}: {row[2]}, largest drawdown {row[4]}" for row in rows)
    columns = ("Out of sample", "Sessions", "Total return", "Sharpe, a year", "Largest drawdown")
    content = plot("equity", words, tall=True) + table("", columns, rows)
    return section(title, note, content + _alone(report))


def _style(name: str, number: int) -> Figure:
    """Return the line of a curve: the judge's is the heaviest, a market's is dotted."""
    index = _PLACES.get(name, max(number, len(_PLACES)))
    style: Figure = marked(index)["line"]
    return style | {"width": 2.4 if index == 0 else 1.6}


def _alone(report: TrainingReport) -> str:
    """Say why there is no curve of the rules alone, and of a curve that never moved."""
    told = ""
    if not any(one.name == _ALONE for one in report.curves):
        told += not_told(
            f"the rules alone: the strategy {report.strategy} trades on predictions only, or "
            "several strategies traded together"
        )
    if never_traded(report):
        told += not_told(
            "what the model earns: the judge never traded, its line is flat and no result"
        )
    return told


def _summary(one: Curve) -> tuple[str, ...]:
    returns = _returns(one.equity)
    varies = len(returns) >= _LEAST_RETURNS and float(returns.std(ddof=1)) > 0
    ratio = sharpe(returns) * math.sqrt(SESSIONS_PER_YEAR) if varies else None
    fall = abs(float(drawdowns(one).min()))
    return (
        one.name,
        f"{len(one.days):,}",
        f"{100 * (one.equity[-1] - 1):+,.2f}%",
        number(ratio) if varies else "- (does not vary)",
        f"{100 * fall:,.2f}%",
    )


def drawdowns(one: Curve) -> Floats:
    """Return how far the equity is below its highest point so far, 0 or less; it started at 1."""
    equity = np.array(one.equity, dtype=np.float64)
    return equity / np.maximum.accumulate(np.maximum(equity, 1.0)) - 1


def _returns(equity: Sequence[float]) -> Floats:
    levels = np.array([1.0, *equity])
    steps: Floats = np.diff(levels) / levels[:-1]
    return steps


def _percent(equity: Sequence[float]) -> list[float]:
    return [100 * (one - 1) for one in equity]


def _judged(report: TrainingReport) -> str:
    title = f"The judge's backtest: {escape(report.strategy)}"
    if not report.judged:
        return section(title, "", not_told("no backtest judged the predictions"))
    note = (
        "Sharpe interval: the middle 95 % of bootstrap resamples of the daily returns. The other "
        "figures are counts and sums of one history, without an interval."
    )
    return section(title, note, metric_table("Traded, after costs", report.judged, report))


def _scores(report: TrainingReport) -> str:
    title = "What the predictions are worth"
    if not report.scores:
        return section(title, "", not_told("no row was predicted out of sample"))
    note = (
        "Of out-of-sample rows only. Intervals: whole sessions are drawn, in blocks no shorter "
        "than labels look ahead. In the drawing: point the value, whisker the interval, dashed "
        "line no skill; each row has a scale of its own."
    )
    return section(title, note, metric_table("Predictions", report.scores, report))
