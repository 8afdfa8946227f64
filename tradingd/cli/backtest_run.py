"""Run `tradingd backtest` for a person: progress while it works, tables at the end."""

from pathlib import Path

import msgspec

from tradingd.app.backtest import BacktestResult, backtest
from tradingd.app.sweep_report import SweepReport
from tradingd.app.trial import with_backtest_mode
from tradingd.cli import screen
from tradingd.cli.backtest import BacktestParams
from tradingd.cli.metrics_screen import show_metrics
from tradingd.cli.sweep_screen import run_sweep, show_sweep
from tradingd.config.load import load
from tradingd.domain.money import dollars
from tradingd.kits.failure import ExitCode


class BacktestReport(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd backtest`: `result` of one run, or `sweep` of many."""

    exit_code: int
    result: BacktestResult | None = None
    sweep: SweepReport | None = None


def run(params: BacktestParams) -> BacktestReport:
    """Run one backtest, or with `multirun` the whole sweep."""
    overlay = Path(params.overlay) if params.overlay else None
    if params.multirun:
        report = run_sweep(params.overrides, objective=params.objective, overlay=overlay)
        return BacktestReport(exit_code=report.exit_code, sweep=report)
    loaded = load(with_backtest_mode(params.overrides), overlay=overlay)
    with screen.progress("rows") as meter:
        result = backtest(loaded, meter.reached)
    return BacktestReport(exit_code=ExitCode.OK, result=result)


def render(report: BacktestReport) -> None:
    """Print the metrics of a run, or the ranked trials of a sweep."""
    if report.result is not None:
        _show_run(report.result)
    if report.sweep is not None:
        show_sweep(report.sweep)


def _show_run(result: BacktestResult) -> None:
    show_metrics(result.run_id, result.metrics)
    screen.console().print(f"Tear sheet  {result.tearsheet}", soft_wrap=True, markup=False)
    outcome = result.outcome
    screen.summary(
        {
            "run": result.run_id,
            "symbols": result.symbols,
            result.data: outcome.rows,
            "orders": outcome.orders,
            "fills": outcome.fills,
            "denied": outcome.denials,
            "open_positions": outcome.open_positions,
            "final_equity": dollars(outcome.final_equity).replace(",", ""),
        }
    )
