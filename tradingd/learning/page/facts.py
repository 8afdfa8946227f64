"""What was learned from, what was left out, notes, and how to repeat it."""

from html import escape
from typing import Final

from tradingd.kits.plotpage.fragments import not_told, pair, section, table
from tradingd.kits.plotpage.words import number, percent
from tradingd.learning.page.metrics import finite, why_missing
from tradingd.learning.report import TrainingReport

_REASONS: Final = {
    "outside_sessions": "outside the sessions of the market",
    "warming_up": "features had not seen enough history yet",
    "not_a_member": "the symbol was not in the universe that day",
    "no_label": "no answer: the label's horizon was not over, or a price is missing",
    "no_features": "no feature had a value",
}


def sections(report: TrainingReport) -> str:
    """Return the data beside what was left out, notes, and the command."""
    return pair(_data(report), _dropped(report)) + _notes(report) + _repeat(report)


def _data(report: TrainingReport) -> str:
    data = report.data
    rows = [
        ("Days", f"{data.first_day} to {data.last_day}"),
        ("Symbols", f"{data.symbols:,}"),
        ("Sessions", f"{data.sessions:,}"),
        ("Rows", f"{data.rows:,}"),
        ("Label", data.label),
        ("Share of positive labels", _share(data.positive_share, report)),
        ("Share of missing feature values", f"{data.missing_share:.2%}"),
        ("Prediction, 99th percentile", _latency(report)),
        ("Judged run", report.run or "not told"),
        ("Seed", str(report.seed)),
        ("Hash of the features", data.features_hash),
        ("Hash of the rows", data.fingerprint),
        ("Hash of the configuration", report.config_hash or "not told: an older report"),
    ]
    body = table("", ("What", "Value"), rows, prose=True)
    return section("What it learned from", "", f'<div class="data">{body}</div>')


def _share(value: float | None, report: TrainingReport) -> str:
    if finite(value) is not None:
        return f"{value:.1%}"
    if report.task == "classification":
        return "not told: no row has a label"
    return f"none: a {report.task} has no classes"


def _latency(report: TrainingReport) -> str:
    known = finite(report.latency_p99_us)
    if known is None:
        return f"not told: {why_missing(report, 'latency_p99_us')}"
    return f"{number(known, 1)} µs a row"


def _dropped(report: TrainingReport) -> str:
    title, dropped = "What was left out", report.data.dropped
    if not dropped:
        return section(title, "", "<p>No bar was left out.</p>")
    every = report.data.rows + sum(dropped.values())
    rows = [
        (
            name.replace("_", " "),
            f"{count:,}",
            percent(count, every),
            _REASONS.get(name, "no further words"),
        )
        for name, count in sorted(dropped.items(), key=lambda one: (-one[1], one[0]))
    ]
    note = f"{sum(dropped.values()):,} of {every:,} bars became no row."
    columns = ("Reason", "Bars", "Share", "In words")
    return section(title, note, table("", columns, rows, prose=True))


def _notes(report: TrainingReport) -> str:
    notes = [*report.notes, *(f"not told: {one}" for one in report.overfitting.why)]
    if not notes:
        return section("Notes", "", "<p>The training left no note.</p>")
    items = "".join(f"<li>{escape(one)}</li>" for one in notes)
    return section("Notes", "", f"<ul>{items}</ul>")


def _repeat(report: TrainingReport) -> str:
    title = "Repeat it"
    note = (
        "The same code, store, configuration and seed give the same rows, folds and scores; the "
        "hashes above have to be equal. Every repetition is counted as further trials. The code's "
        "version is in the model's manifest."
    )
    if not report.repeat:
        return section(title, note, not_told("the command: this training was not started by one"))
    return section(title, note, f"<pre><code>{escape(report.repeat)}</code></pre>")
