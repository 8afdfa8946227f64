"""Run `tradingd screen`."""

import sys
from pathlib import Path

from tradingd.cli.scan import ScreenEnded, ScreenParams
from tradingd.config.load import load
from tradingd.kits.failure import ExitCode, Failure


def run(params: ScreenParams) -> ScreenEnded:
    """Show the screen until q."""
    if not sys.stdout.isatty():
        raise Failure(
            "the screen needs a terminal",
            code=ExitCode.USAGE,
            where="standard output",
            expected="a terminal",
            found="a file or a pipe",
            next_step="tradingd scan --json prints the same table for programs",
        )
    from tradingd.app.desk import Desk
    from tradingd.cli.scan_screen.app import ScanApp

    overlay = Path(params.overlay) if params.overlay else None
    config = load(params.overrides, overlay=overlay, instance=params.instance).config
    desk = Desk(config)
    app = ScanApp(desk, config.scan)
    app.run()
    if app.failure is not None:
        raise app.failure
    view = desk.view()
    return ScreenEnded(
        seen=desk.scan.table().seen,
        published=view.published if view else 0,
        dropped=view.dropped_feed + view.dropped_rows + view.dropped_messages if view else 0,
    )


def render(ended: ScreenEnded) -> None:
    """Print one summary line."""
    from tradingd.cli import screen

    screen.summary({"seen": ended.seen, "published": ended.published, "dropped": ended.dropped})
