"""What goes wrong on the screen is shown, and is known after it: words, faults, marks, clicks."""

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from tests.fakes.invented_book import invented_book
from tests.integration.scan_screen.screen_play import (
    SYNTHETIC,
    filled,
    panel_text,
    play,
    screen,
    symbols,
    title,
    until,
)
from tradingd.cli.scan_run import COLUMNS
from tradingd.cli.scan_screen.app import ScanApp


def _books(folder: Path, *of: str) -> tuple[str, ...]:
    for symbol in of:
        invented_book(folder, symbol, rows=6_000)
    return ("depth=replay", f"depth.path={folder}", f"store.level2={folder}/out", "depth.speed=20")


def test_a_bug_in_the_scan_is_shown_and_ends_up_as_the_reason() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await until(pilot, lambda: bool(app.desk.troubles))
        assert "scan: a bug ended it" in panel_text(app)

    app = screen(*SYNTHETIC)

    async def broken(until: int = 0, told: object = None) -> None:
        del until, told
        raise ZeroDivisionError("of a feed")

    app.desk.scan.run = broken  # type: ignore[method-assign]
    play(app, acts)
    assert isinstance(app.failure, ZeroDivisionError)


def test_a_feed_that_has_ended_is_called_so_and_is_no_failure() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await until(pilot, lambda: "scan: the feed has ended" in panel_text(app))

    app = screen(*SYNTHETIC)
    play(app, acts)
    assert app.failure is None


def test_what_is_typed_is_no_markup() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash")
        app.query_one(Input).value = "[/red]x"
        await pilot.press("enter")
        await pilot.pause(0.1)
        (told,) = app._notifications
        assert "[/red]x" in told.message
        assert not told.markup
        await pilot.press("escape")

    play(screen(*SYNTHETIC), acts)


def test_the_recorder_is_known_after_the_end(tmp_path: Path) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash", *"syn3", "enter", "r")
        await until(pilot, lambda: "sound" in panel_text(app))

    app = screen(*SYNTHETIC, *_books(tmp_path, "SYN3"), "record.levels=2")
    play(app, acts)
    view = app.desk.view()
    assert view is not None
    assert view.published == 1


def test_a_marked_row_that_a_filter_hides_is_recorded_as_well(tmp_path: Path) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash", *"syn3", "enter", "space", "slash", "ctrl+u", *"syn1", "enter")
        assert symbols(app) == ["SYN1"]
        await pilot.press("r")
        await until(pilot, lambda: "sound" in panel_text(app))
        view = app.desk.view()
        assert view is not None
        assert [one.symbol for one in view.recording] == ["SYN3"]

    play(screen(*SYNTHETIC, *_books(tmp_path, "SYN1", "SYN3"), "record.levels=2"), acts)


@pytest.mark.parametrize(("column", "by"), [("volume", "volume"), ("last", "price")])
def test_a_click_on_a_header_sorts_by_it(column: str, by: str) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        table = app.query_one(DataTable)
        across = 0
        for key in table.ordered_columns[: COLUMNS.index(column) + 1]:
            across += key.get_render_width(table)
        await pilot.click(DataTable, offset=(across + 2, 0))
        await until(pilot, lambda: f"by {column}" in title(app))
        assert app._words.limits.sort == by

    play(screen(*SYNTHETIC), acts)


def test_q_ends_a_screen_whose_feeds_are_still_being_opened() -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await pilot.press("q")
        await until(pilot, lambda: app._exit)

    app = screen(*SYNTHETIC)

    async def never() -> None:
        await asyncio.Event().wait()

    app.desk.start = never  # type: ignore[method-assign]
    play(app, acts)
    assert app.failure is None


def test_a_symbol_that_no_venue_has_is_refused_in_words(tmp_path: Path) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        assert "is not a symbol" in app.desk.record("A/[b]")
        assert await app.desk.release("SYN3") == "SYN3: is not recorded"

    play(screen(*SYNTHETIC, *_books(tmp_path, "SYN3")), acts)
