"""How the tests of the screen drive it."""

import asyncio
from collections.abc import Callable, Coroutine
from io import StringIO
from typing import Any

from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import DataTable

from tradingd.app.desk import Desk
from tradingd.cli.scan_screen.app import ScanApp
from tradingd.cli.scan_screen.recorder_panel import panel
from tradingd.config.load import load

WIDE = (
    "scan.average_sessions=5",
    "scan.max_price=1000",
    "scan.min_gap_percent=-50",
    "scan.min_relative_volume=0",
)
SYNTHETIC = ("feed=synthetic", "feed.speed=0", "feed.longest_wait=0", "feed.days=1")
SIZE = (120, 30)

type Play = Callable[[Pilot[None], ScanApp], Coroutine[Any, Any, None]]


def screen(*overrides: str) -> ScanApp:
    """Return the screen over a configuration, not yet started."""
    config = load([*WIDE, *overrides]).config
    return ScanApp(Desk(config), config.scan, refresh=0.05)


def play(app: ScanApp, acts: Play) -> None:
    """Start the screen, do something, press q."""

    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await acts(pilot, app)
            await pilot.press("q")

    asyncio.run(run())


async def until(pilot: Pilot[None], true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not true():
            await pilot.pause(0.02)


def symbols(app: ScanApp) -> list[str]:
    """Return the rows of the table."""
    table = app.query_one(DataTable)
    return [str(table.get_row_at(row)[1]) for row in range(table.row_count)]


def title(app: ScanApp) -> str:
    """Return the first line."""
    return str(app.query_one("#title").render())


def panel_text(app: ScanApp) -> str:
    """Return the lower part of the screen as text."""
    console = Console(width=200, file=StringIO())
    console.print(panel(app.desk.view(), app.desk.troubles))
    written = console.file
    assert isinstance(written, StringIO)
    return written.getvalue()


async def filled(pilot: Pilot[None], app: ScanApp) -> None:
    """Wait for the whole table of the replay's one day."""
    await until(pilot, lambda: "16:00 New York" in title(app) and len(symbols(app)) == 5)
