"""Run `tradingd run` for a person, or for systemd."""

import os
from pathlib import Path

from tradingd.app.trading.process import serve
from tradingd.cli import screen
from tradingd.cli.run import RunParams, RunReport
from tradingd.cli.session_screen import SessionScreen


def run(params: RunParams) -> RunReport:
    """Trade until the feed ends or somebody stops it."""
    overlay = Path(params.overlay) if params.overlay else None
    under_systemd = "INVOCATION_ID" in os.environ and "NOTIFY_SOCKET" in os.environ
    if under_systemd:
        summary = serve(params.overrides, overlay, params.instance, fresh=params.fresh)
    else:
        with SessionScreen() as view:
            summary = serve(
                params.overrides, overlay, params.instance, fresh=params.fresh, show=view.show
            )
    return RunReport(**summary)


def render(report: RunReport) -> None:
    """Print how it ended and the one summary line."""
    if not report.run_id:
        screen.console().print(
            f"Session of {report.instance} called off: {report.why}; nothing was traded",
            soft_wrap=True,
            markup=False,
        )
        screen.summary({"seconds": f"{report.seconds:.1f}", "exit": report.exit_code})
        return
    label = "SYNTHETIC prices (no result)" if report.synthetic else report.feed
    done_before = not report.batches and report.why == "the replay is over"
    again = " (by an earlier run: --fresh begins it anew)" if done_before else ""
    screen.console().print(
        f"Session {report.run_id} of {report.instance} on {label} ended: {report.why}{again}",
        soft_wrap=True,
        markup=False,
    )
    screen.console().print(f"Journal  {report.journal}", soft_wrap=True, markup=False)
    screen.summary(
        {
            "run": report.run_id,
            "pnl": report.pnl,
            "equity": report.equity,
            "positions": report.positions,
            "open_orders": report.open_orders,
            "fills": report.fills,
            "denied": report.denied,
            "batches": report.batches,
            "state": report.state,
            "seconds": f"{report.seconds:.1f}",
            "exit": report.exit_code,
        }
    )
