"""How much of the result luck alone explains."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tradingd.kits.plotpage.figures import Figure, axis, figure
from tradingd.kits.plotpage.fragments import card, not_told, pair, plot, section
from tradingd.kits.plotpage.marks import BARE_MARGIN, MARGIN, Figures, bars, marked, named, note_at
from tradingd.kits.plotpage.words import number
from tradingd.learning.page.metrics import finite, why_missing
from tradingd.learning.report import TrainingReport
from tradingd.luck.sharpe import SESSIONS_PER_YEAR

ANNUAL = math.sqrt(SESSIONS_PER_YEAR)
"""Makes a ratio per session one per year."""

_MOST_VALUES = 30
_BINS = 40


def sections(report: TrainingReport, figures: Figures) -> str:
    """Return the numbers, then halvings beside where the result stands."""
    note = (
        "Whoever tries often finds something. Every trial under this name that the registry has "
        "seen is counted, failed ones too."
    )
    cards = f'<dl class="cards inside">{"".join(card(*one) for one in _cards(report))}</dl>'
    return section("Is it luck?", note, cards) + pair(
        _halvings(report, figures), _standing(report, figures)
    )


def _cards(report: TrainingReport) -> list[tuple[str, str, str]]:
    luck = report.overfitting
    before = luck.trials - len(report.trials)
    return [
        (
            "Trials counted",
            f"{luck.trials:,}",
            f"{len(report.trials):,} in this training, {max(before, 0):,} before it",
        ),
        _known(report, "pbo", luck.pbo, "Overfitting (PBO)", "at or below the median when halved"),
        _known(report, "pbo_loss", luck.pbo_loss, "Halvings that lost", "on the other half"),
        _known(
            report,
            "probabilistic_sharpe",
            luck.probabilistic_sharpe,
            "Probabilistic Sharpe",
            "chance that the true ratio is above 0",
        ),
        _known(
            report,
            "deflated_sharpe",
            luck.deflated_sharpe,
            "Deflated Sharpe",
            "chance that it is above the luckiest trial's",
        ),
        _track_record(report),
        _known(
            report,
            "stability",
            luck.stability,
            "Parameter stability",
            "1: trials beside the best are as good; 0: the best stands on a needle",
        ),
    ]


def _known(
    report: TrainingReport, name: str, value: float | None, title: str, note: str
) -> tuple[str, str, str]:
    known = finite(value)
    if known is None:
        return title, "-", why_missing(report, name)
    return title, number(known, 3), note


def _track_record(report: TrainingReport) -> tuple[str, str, str]:
    luck, title = report.overfitting, "Sessions it takes to be sure"
    needed = finite(luck.minimum_track_record)
    if needed is None:
        reason = why_missing(report, "minimum_track_record")
        return title, "-", f"{luck.sessions:,} are there; {reason}"
    enough = "enough" if luck.sessions >= needed else "too few"
    return title, number(math.ceil(needed), 0), f"{luck.sessions:,} are there: {enough}"


def _halvings(report: TrainingReport, figures: Figures) -> str:
    title = "Choosing the best trial, in every way to halve the history"
    logits = [one for one in report.overfitting.pbo_logits if math.isfinite(one)]
    if not logits:
        return section(title, "", not_told(why_missing(report, "pbo")))
    places, counts, width = histogram(logits)
    figures["logits"] = figure(
        [
            _logit_bars(places, counts, width, 0, "better than the median"),
            _logit_bars(places, counts, width, 3, "at the median or below: overfitted"),
        ],
        barmode="overlay",
        hovermode="closest",
        xaxis=axis(title=named("logit of the rank on the other half"), zeroline=True),
        yaxis=axis(title=named("ways to halve")),
        margin=MARGIN,
    )
    below = sum(one <= 0 for one in logits) / len(logits)
    note = (
        "The trial that was best on one half is ranked on the other (Bailey et al. 2017). Right of "
        "0 it beat the median trial."
    )
    if len(places) < 10:
        note += f" With {len(report.trials)} trials only {len(places)} ranks are possible."
    words = f"{len(logits):,} ways are drawn; in {below:.0%} it was at the median or below."
    return section(title, note, plot("logits", words))


def histogram(logits: Sequence[float]) -> tuple[list[float], list[int], float]:
    """Return places, counts and the width of bars; no bar lies on both sides of 0.

    Few different values have a bar each; 0 itself counts as not above 0.
    """
    counts = Counter(round(one, 6) for one in logits)
    if len(counts) <= _MOST_VALUES:
        places = sorted(counts)
        gaps = [after - before for before, after in pairwise(places)]
        return places, [counts[one] for one in places], 0.8 * min(gaps, default=1.0)
    width = (max(counts) - min(counts)) / _BINS
    binned: Counter[int] = Counter()
    for value, count in counts.items():
        binned[math.ceil(value / width)] += count
    # A bar's upper end belongs to it, so 0 is in the last one that is not above 0.
    return (
        [round((one - 0.5) * width, 6) for one in sorted(binned)],
        [binned[one] for one in sorted(binned)],
        round(width, 6),
    )


def _logit_bars(
    places: Sequence[float], counts: Sequence[int], width: float, index: int, name: str
) -> Figure:
    above = index == 0
    chosen = [(x, y) for x, y in zip(places, counts, strict=True) if (x > 0) == above]
    return {
        "type": "bar",
        "name": name,
        "x": [x for x, _ in chosen],
        "y": [y for _, y in chosen],
        "width": [width] * len(chosen),
        "marker": bars(index),
        "hovertemplate": "logit %{x:.2f}: %{y:,}<extra></extra>",
    }


def _standing(report: TrainingReport, figures: Figures) -> str:
    title, luck = "The Sharpe ratio against what luck alone gives", report.overfitting
    best = finite(luck.expected_maximum_sharpe)
    judged = report.judged.get("sharpe")
    value = finite(judged.value) if judged is not None else None
    kinds: list[tuple[str, list[float]]] = [
        ("judge", [] if value is None else [value]),
        ("luckiest<br>expected", [] if best is None else [best * ANNUAL]),
        ("trials", [one.sharpe * ANNUAL for one in report.trials if finite(one.sharpe) is not None
                    and one.sharpe is not None]),
        ("paths", [one for one in luck.path_sharpes if math.isfinite(one)]),
    ]  # fmt: skip
    missing = _missing(report, value, best)
    if not any(points for _, points in kinds):
        return section(title, "", missing)
    traces = [_points(points, index) for index, (_, points) in enumerate(kinds)]
    if judged is not None and value is not None and finite(judged.low) is not None:
        traces[0]["error_x"] = _error(value, judged.low, judged.high)
    figures["standing"] = figure(
        traces,
        hovermode="closest",
        showlegend=False,
        xaxis=axis(title=named("Sharpe ratio, a year"), zeroline=True),
        yaxis=axis(
            tickvals=list(range(len(kinds))),
            ticktext=[name for name, _ in kinds],
            range=[len(kinds) - 0.5, -0.5],
        ),
        shapes=[] if best is None else [_level(best * ANNUAL)],
        annotations=[
            note_at("not told", x=0.02, xref="paper", y=index, xanchor="left")
            for index, (_, points) in enumerate(kinds)
            if not points
        ],
        margin=BARE_MARGIN,
    )
    note = (
        "Judge: the backtest after costs, with its interval. Luckiest expected: the best ratio of "
        f"{luck.trials:,} trials without any skill, the dashed line (Bailey & López de Prado "
        "2014). Trials: out-of-fold long/short by score, no costs. Paths: the chosen model over "
        "each combinatorial history, likewise."
    )
    words = "; ".join(
        f"{name.replace('<br>', ' ')}: {_span(points)}" for name, points in kinds if points
    )
    return section(title, note, plot("standing", words) + missing)


def _level(x: float) -> Figure:
    style = {"color": "$second", "width": 1.4, "dash": "dash"}
    return {"type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": style}


def _points(points: Sequence[float], index: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [round(one, 4) for one in points],
        "y": [index] * len(points),
        "marker": marked(index, 12 if index < 2 else 9)["marker"] | {"opacity": 0.8},
        "hovertemplate": "%{x:.2f}<extra></extra>",
    }


def _error(value: float, low: float | None, high: float | None) -> Figure:
    return {
        "type": "data",
        "symmetric": False,
        "array": [round((value if high is None else high) - value, 4)],
        "arrayminus": [round(value - (value if low is None else low), 4)],
        "color": "$accent",
        "thickness": 2,
        "width": 7,
    }


def _missing(report: TrainingReport, value: float | None, best: float | None) -> str:
    """Say what of the comparison is not known."""
    told = ""
    if value is None:
        told += not_told(f"the judge's ratio: {why_missing(report, 'sharpe')}")
    if best is None:
        reason = why_missing(report, "expected_maximum_sharpe")
        told += not_told(f"the luckiest ratio expected: {reason}")
    if not report.overfitting.path_sharpes:
        told += not_told("combinatorial paths: none was followed, or their returns do not vary")
    return told


def _span(points: Sequence[float]) -> str:
    if len(points) == 1:
        return number(points[0])
    return f"{len(points)} from {min(points):.2f} to {max(points):.2f}"
