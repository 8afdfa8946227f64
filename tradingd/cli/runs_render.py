"""Print runs for a person: the list, one run, runs side by side."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tradingd.app.runs import RunList, RunReport
from tradingd.cli import screen
from tradingd.cli.metrics_screen import show_metrics
from tradingd.results.compare import Comparison, MetricRow
from tradingd.results.layout import TEARSHEET
from tradingd.results.metrics import show


def render_list(report: RunList) -> None:
    """Print one line a run."""
    if not report.runs:
        _say(f"no runs in {report.root}; tradingd backtest makes one")
    else:
        columns = ("run", "status", "ended (UTC)", "days", "return", "Sharpe", "drawdown", "trips")
        screen.table("", (*columns, "error"), [_list_row(run) for run in report.runs])
    counts = Counter(run.status for run in report.runs)
    screen.summary({"runs": len(report.runs), **dict(sorted(counts.items())), "root": report.root})


def render_show(report: RunReport) -> None:
    """Print a run's identity, metrics and files, or its error."""
    if report.manifest is not None:
        screen.table("", ("run", report.run_id), _identity(report))
    if report.metrics is not None:
        show_metrics("", report.metrics)
    if report.error is not None:
        _say(f"{report.run_id} failed with exit code {report.error.exit_code}\n")
        _say(report.error.traceback)
    for path in report.files:
        _say(path)
    screen.summary({"run": report.run_id, "status": report.status, "folder": report.folder})


def render_compare(report: Comparison) -> None:
    """Print metrics and differing settings side by side; the difference column for two runs."""
    two = len(report.runs) == 2
    columns = ("metric", *report.runs, *(("difference",) if two else ()))
    screen.table("", columns, _right([_metric_row(row, two) for row in report.metrics], 1))
    if report.inputs:
        rows = [(row.key, *map(_plain, row.values)) for row in report.inputs]
        screen.table("", ("differs in", *report.runs), rows)
    else:
        _say("the runs have the same settings, data and code")
    for warning in report.warnings:
        _say(f"WARNING {warning}")


def _list_row(run: Any) -> tuple[str, ...]:
    days = f"{run.first_day} – {run.last_day}" if run.first_day else ""
    return (
        run.run_id,
        run.status,
        f"{run.ended:%Y-%m-%d %H:%M}",
        days,
        show(run.total_return, "percent"),
        show(run.sharpe, "ratio"),
        show(run.max_drawdown, "percent"),
        show(run.trips, "count"),
        run.error,
    )


def _identity(report: RunReport) -> list[tuple[str, str]]:
    manifest = report.manifest
    assert manifest is not None
    commit = manifest.git_commit or "not a checkout"
    return [
        ("strategy", manifest.strategy),
        ("configuration", manifest.config_hash),
        ("data", manifest.data_hash),
        ("code", commit + (" with uncommitted changes" if manifest.git_dirty else "")),
        ("risk, fees, seed", f"{manifest.risk_profile}, {manifest.fees}, {manifest.seed}"),
        _data(manifest.rows, manifest.resolution, len(manifest.symbols)),
        ("tear sheet", next((p for p in report.files if p.endswith(TEARSHEET)), "-")),
    ]


def _data(rows: int, resolution: str, symbols: int) -> tuple[str, str]:
    """Return how much a run read, and of what: order books have no length."""
    of = f"{symbols} symbol" + ("" if symbols == 1 else "s")
    if resolution == "book":
        return "order books", f"{rows:,}, {of}"
    return "bars", f"{rows:,} x {resolution}, {of}"


def _metric_row(row: MetricRow, two: bool) -> tuple[str, ...]:
    texts = row.texts()
    if not two:
        return (row.title, *texts)
    difference = row.differences[1]
    changed = "" if not difference else show(difference, row.unit)
    return (row.title, *texts, changed if changed.startswith("-") or not changed else "+" + changed)


def _right(rows: Sequence[tuple[str, ...]], first: int) -> list[tuple[str, ...]]:
    """Align the columns from `first` on to the right; units keep them from being plain numbers."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        (*row[:first], *(row[column].rjust(widths[column]) for column in range(first, len(row))))
        for row in rows
    ]


def _plain(value: Any) -> str:
    return "-" if value is None else str(value)


def _say(text: str) -> None:
    screen.console().print(text, markup=False, soft_wrap=True)
