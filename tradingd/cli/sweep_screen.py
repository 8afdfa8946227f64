"""Run a sweep with a progress bar and show its one table."""

from collections.abc import Sequence
from pathlib import Path

from tradingd.app.sweep import sweep
from tradingd.app.sweep_report import SHARPE, SweepReport
from tradingd.app.trial import TrialRow
from tradingd.cli import screen

COLUMNS = ("sharpe", "total_return", "max_drawdown", "trips", "commission")
"""Metrics shown beside the objective, where a trial has them."""


def run_sweep(
    overrides: Sequence[str], *, objective: str = SHARPE, overlay: Path | None = None
) -> SweepReport:
    """Run every trial behind a progress bar."""
    with screen.progress("trials") as meter:
        return sweep(overrides, objective=objective, overlay=overlay, progress=meter.reached)


def show_sweep(report: SweepReport) -> None:
    """Print the table of trials, what luck alone would show, and the SUMMARY line."""
    shown = [name for name in COLUMNS if name != report.objective and _any_has(report, name)]
    named = [parameter.rpartition(".")[2] for parameter in report.parameters]
    columns = ["trial", *named, report.objective, *shown, "error"]
    rows = [_row(report, trial, shown) for trial in report.trials]
    screen.table(f"{report.sweep_id}: {report.direction} {report.objective}", columns, rows)
    for line in _notes(report):
        screen.console().print(line, markup=False)
    screen.summary(
        {
            "trials": len(report.trials),
            "done": report.done,
            "refused": report.refused,
            "failed": report.failed,
            "best": "none" if report.best is None else report.best,
            report.objective: "none" if report.best is None else _number(_best(report)),
            "launcher": report.launcher,
            "sweeper": report.sweeper,
            "folder": report.folder,
        }
    )


def _row(report: SweepReport, trial: TrialRow, shown: Sequence[str]) -> list[str]:
    values = dict(text.split("=", 1) for text in trial.overrides if "=" in text)
    return [
        str(trial.number),
        *(values.get(parameter, "") for parameter in report.parameters),
        _number(trial.objective),
        *(_number(trial.metrics.get(name)) for name in shown),
        f"{trial.status} ({trial.exit_code}): {trial.error}" if trial.error else "",
    ]


def _notes(report: SweepReport) -> list[str]:
    if report.expected_maximum is None:
        return []
    scored = sum(trial.objective is not None for trial in report.trials)
    notes = [
        f"The best of {scored} trials without any skill would reach a Sharpe ratio of about "
        f"{_number(report.expected_maximum)}."
    ]
    if report.deflated_sharpe is not None:
        notes.append(
            "Probability that the best trial is better than that luck: "
            f"{report.deflated_sharpe:.1%} (deflated Sharpe ratio)."
        )
    return notes


def _any_has(report: SweepReport, name: str) -> bool:
    return any(name in trial.metrics for trial in report.trials)


def _best(report: SweepReport) -> float | None:
    return report.trials[0].objective


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:,.4f}"
