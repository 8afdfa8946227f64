"""The full screen, driven by keys, over real feeds and a real recorder."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from tradingd.app.desk import Desk
from tradingd.cli.scan_screen.app import ScanApp
from tradingd.config.load import load
from tradingd.kits.failure import ExitCode

WIDE = (
    "scan.average_sessions=5",
    "scan.max_price=1000",
    "scan.min_gap_percent=-50",
    "scan.min_relative_volume=0",
)
SYNTHETIC = ("feed=synthetic", "feed.speed=0", "feed.longest_wait=0", "feed.days=1")
SIZE = (120, 30)

type Play = Callable[[Pilot[None], ScanApp], Coroutine[Any, Any, None]]


def _app(*overrides: str) -> ScanApp:
    config = load([*WIDE, *overrides]).config
    return ScanApp(Desk(config), config.scan, refresh=0.05)


def _play(app: ScanApp, play: Play) -> None:
    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await play(pilot, app)
            await pilot.press("q")

    asyncio.run(run())


async def _until(pilot: Pilot[None], true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await pilot.pause(0.02)


def _symbols(app: ScanApp) -> list[str]:
    table = app.query_one(DataTable)
    return [str(table.get_row_at(row)[1]) for row in range(table.row_count)]


def _title(app: ScanApp) -> str:
    return str(app.query_one("#title").render())


async def _filled(pilot: Pilot[None], app: ScanApp) -> None:
    """Wait for the whole table of the replay's one day."""
    await _until(pilot, lambda: "16:00 New York" in _title(app) and len(_symbols(app)) == 5)


def test_the_table_fills_within_ten_seconds() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _until(pilot, lambda: len(_symbols(app)) == 5, seconds=10.0)

    _play(_app("feed=synthetic", "feed.speed=60"), play)


def test_invented_prices_are_called_so() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _filled(pilot, app)
        assert "SYNTHETIC" in _title(app)

    _play(_app(*SYNTHETIC), play)


def test_s_sorts_by_the_next_column() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _filled(pilot, app)
        orders = []
        for column in ("gap %", "rel. volume", "volume", "last", "symbol"):
            assert f"by {column}" in _title(app)
            orders.append(_symbols(app))
            await pilot.press("s")
        assert orders[-1] == sorted(orders[-1])
        assert len({tuple(one) for one in orders}) > 2

    _play(_app(*SYNTHETIC), play)


def test_the_filter_shows_what_was_asked_and_keeps_it_when_sorted() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _filled(pilot, app)
        await pilot.press("slash", *"price<100", "enter")
        few = set(_symbols(app))
        assert 0 < len(few) < 5
        await pilot.press("s")
        assert set(_symbols(app)) == few
        await pilot.press("slash")
        app.query_one(Input).value = "syn3"
        await pilot.press("enter")
        assert _symbols(app) == ["SYN3"]

    _play(_app(*SYNTHETIC), play)


def test_a_filter_that_is_not_understood_changes_nothing_and_is_named() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _filled(pilot, app)
        await pilot.press("slash", *"gap=5", "enter")
        await pilot.pause()
        assert len(_symbols(app)) == 5
        assert any("gap=5" in one.message for one in app._notifications)
        await pilot.press("escape")

    _play(_app(*SYNTHETIC), play)


def test_the_cursor_stays_on_its_symbol_when_the_table_is_sorted_anew() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _filled(pilot, app)
        await pilot.press("down", "down")
        table = app.query_one(DataTable)
        chosen = _symbols(app)[table.cursor_row]
        await pilot.press("s", "s", "s", "s")
        assert _symbols(app)[table.cursor_row] == chosen

    _play(_app(*SYNTHETIC), play)


def test_without_order_books_recording_says_what_is_missing() -> None:
    async def play(pilot: Pilot[None], app: ScanApp) -> None:
        await _filled(pilot, app)
        await pilot.press("r")
        await pilot.pause()
        assert any("depth=replay" in one.message for one in app._notifications)

    _play(_app(*SYNTHETIC), play)


def test_a_feed_that_cannot_be_opened_ends_the_screen_with_its_reason(tmp_path: Path) -> None:
    app = _app("feed=replay", f"store.root={tmp_path}/none")

    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()

    asyncio.run(run())
    assert app.failure is not None
    assert app.failure.code is ExitCode.NO_DATA
