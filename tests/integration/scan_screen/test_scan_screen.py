"""The full screen, driven by keys, over real feeds and a real recorder."""

import asyncio
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from tests.integration.scan_screen.screen_play import (
    SIZE,
    SYNTHETIC,
    filled,
    play,
    screen,
    symbols,
    title,
    until,
)
from tradingd.cli.scan_screen.app import ScanApp
from tradingd.kits.failure import ExitCode


def test_the_table_fills_within_ten_seconds() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await until(pilot, lambda: len(symbols(app)) == 5, seconds=10.0)

    play(screen("feed=synthetic", "feed.speed=60"), acts)


def test_invented_prices_are_called_so() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        assert "SYNTHETIC" in title(app)

    play(screen(*SYNTHETIC), acts)


def test_s_sorts_by_the_next_column() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        orders = []
        for column in ("gap %", "rel. volume", "volume", "last", "symbol"):
            assert f"by {column}" in title(app)
            orders.append(symbols(app))
            await pilot.press("s")
        assert orders[-1] == sorted(orders[-1])
        assert len({tuple(one) for one in orders}) > 2

    play(screen(*SYNTHETIC), acts)


def test_the_filter_shows_what_was_asked_and_keeps_it_when_sorted() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash", *"price<100", "enter")
        few = set(symbols(app))
        assert 0 < len(few) < 5
        await pilot.press("s")
        assert set(symbols(app)) == few
        await pilot.press("slash")
        app.query_one(Input).value = "syn3"
        await pilot.press("enter")
        assert symbols(app) == ["SYN3"]

    play(screen(*SYNTHETIC), acts)


def test_a_filter_that_is_not_understood_changes_nothing_and_is_named() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash", *"gap=5", "enter")
        await pilot.pause()
        assert len(symbols(app)) == 5
        assert any("gap=5" in one.message for one in app._notifications)
        await pilot.press("escape")

    play(screen(*SYNTHETIC), acts)


def test_the_cursor_stays_on_its_symbol_when_the_table_is_sorted_anew() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("down", "down")
        table = app.query_one(DataTable)
        chosen = symbols(app)[table.cursor_row]
        await pilot.press("s", "s", "s", "s")
        assert symbols(app)[table.cursor_row] == chosen

    play(screen(*SYNTHETIC), acts)


def test_without_order_books_recording_says_what_is_missing() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("r")
        await pilot.pause()
        assert any("depth=replay" in one.message for one in app._notifications)

    play(screen(*SYNTHETIC), acts)


def test_a_feed_that_cannot_be_opened_ends_the_screen_with_its_reason(tmp_path: Path) -> None:
    app = screen("feed=replay", f"store.root={tmp_path}/none")

    async def run() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()

    asyncio.run(run())
    assert app.failure is not None
    assert app.failure.code is ExitCode.NO_DATA
