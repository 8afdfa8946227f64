"""What was trained, and the numbers one looks at first."""

from html import escape

from tradingd.kits.plotpage.fragments import card
from tradingd.learning.page.metrics import finite, metric, never_traded, why_missing
from tradingd.learning.page.verdict import headline
from tradingd.learning.report import Interval, TrainingReport


def header(report: TrainingReport) -> str:
    """Return the title and what the report stands on."""
    data = report.data
    facts = {
        "days": f"{data.first_day} to {data.last_day}",
        "symbols": f"{data.symbols:,}",
        "rows": f"{data.rows:,}",
        "features": f"{len(data.features):,}",
        "label": data.label,
        "judge": report.strategy or "none",
        "seed": str(report.seed),
    }
    items = "".join(f"<li>{name} <b>{escape(text)}</b></li>" for name, text in facts.items())
    version = f" version {report.version}" if report.version else ""
    return (
        f"<h1>{escape(report.name)}{escape(version)}</h1>"
        f'<p class="run">A {escape(report.task)} by {escape(report.learner)}, judged by what it '
        f'had not seen. <b class="{"up" if report.passed else "down"}">'
        f'{escape(headline(report))}.</b></p><ul class="facts">{items}</ul>'
    )


def cards(report: TrainingReport) -> str:
    """Return the main numbers, each with what it stands on."""
    luck, skill = report.overfitting, _skill(report)
    shown = [
        _judged(report, "sharpe"),
        _judged(report, "net_return_percent"),
        (metric(skill).name, *_interval(report.scores.get(skill), skill, report)),
        (
            "Deflated Sharpe ratio",
            metric("deflated_sharpe").show(luck.deflated_sharpe),
            f"chance that the true ratio beats the luckiest of {luck.trials:,} trials"
            if finite(luck.deflated_sharpe) is not None
            else why_missing(report, "deflated_sharpe"),
        ),
        (
            "Overfitting (PBO)",
            metric("pbo").show(luck.pbo),
            "0.5 is a coin's throw" if luck.pbo is not None else why_missing(report, "pbo"),
        ),
        (
            "Drift (PSI)",
            metric("drift_psi").show(report.drift_psi),
            "latest days against training, weighted by gain"
            if report.drift_psi is not None
            else why_missing(report, "drift_psi"),
        ),
    ]
    return f'<dl class="cards">{"".join(card(escape(one[0]), *one[1:]) for one in shown)}</dl>'


def footer(report: TrainingReport) -> str:
    """Return where the numbers come from."""
    return (
        f"<p>Judged by run {escape(report.run or 'none')}. The training's report has the same "
        "numbers as JSON; the model's manifest has those the gates were asked about.</p>"
    )


def _skill(report: TrainingReport) -> str:
    return "auc" if report.task == "classification" else "rank_ic"


def _judged(report: TrainingReport, name: str) -> tuple[str, str, str]:
    value, note = _interval(report.judged.get(name), name, report)
    if name == "net_return_percent" and never_traded(report):
        note = "the judge never traded"
    return metric(name).name, value, note


def _interval(one: Interval | None, name: str, report: TrainingReport) -> tuple[str, str]:
    """Return a value and its interval, or why there is none."""
    if one is None or finite(one.value) is None:
        return "-", why_missing(report, name)
    known = metric(name)
    if one.low is None or one.high is None:
        return known.show(one.value), "after all costs" if name in report.judged else "no interval"
    return known.show(one.value), f"95 %: {known.show(one.low)} to {known.show(one.high)}"
