"""Rows chosen on the screen are recorded by a real recorder, over a replay of invented books."""

from pathlib import Path

import pyarrow.parquet as pq
from textual.pilot import Pilot

from tests.fakes.invented_book import invented_book
from tests.integration.scan_screen.screen_play import (
    SYNTHETIC,
    filled,
    panel_text,
    play,
    screen,
    symbols,
    until,
)
from tradingd.cli.scan_screen.app import ScanApp
from tradingd.recorder.view import RecorderView

SLOW = ("depth.speed=20", "record.levels=2", "record.flush_seconds=0.2")
"""Ten minutes of books last for half a minute."""


def _books(folder: Path, *of: str) -> tuple[str, ...]:
    inside = folder / "in"
    inside.mkdir()
    for symbol in of:
        invented_book(inside, symbol, rows=6_000)
    return ("depth=replay", f"depth.path={inside}", f"store.level2={folder}/out", *SLOW)


def _view(app: ScanApp) -> RecorderView:
    view = app.desk.view()
    assert view is not None
    return view


def _recorded(app: ScanApp) -> list[str]:
    return [one.symbol for one in _view(app).recording]


async def _mark(pilot: Pilot[None], app: ScanApp, *wanted: str) -> None:
    """Mark rows with the keys a person has."""
    await pilot.press("ctrl+home")
    for symbol in symbols(app):
        await pilot.press("space" if symbol in wanted else "down")


def test_r_records_the_row_under_the_cursor_and_q_publishes_it(tmp_path: Path) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash", *"syn3", "enter", "r")
        await until(pilot, lambda: _recorded(app) == ["SYN3"] and _view(app).rows > 20)

    play(screen(*SYNTHETIC, *_books(tmp_path, "SYN3")), acts)
    (file,) = (tmp_path / "out" / "SYN3").glob("*_snapshots_*.parquet")
    assert pq.read_table(file).num_rows > 20


def test_marked_rows_are_recorded_and_those_beyond_the_slots_wait_in_line(tmp_path: Path) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("s", "s", "s", "s")  # by symbol
        await _mark(pilot, app, "SYN1", "SYN2")
        await pilot.press("r")
        await until(pilot, lambda: _recorded(app) == ["SYN1"] and _view(app).queue == ("SYN2",))
        await until(pilot, lambda: _view(app).recording[0].rows > 20)
        assert "in line  SYN2" in panel_text(app)
        await pilot.press("ctrl+home", "x")
        # The slot is free: who waits is recorded, without anybody asking again.
        await until(pilot, lambda: _recorded(app) == ["SYN2"] and not _view(app).queue)
        await until(pilot, lambda: _view(app).recording[0].rows > 20)

    books = _books(tmp_path, "SYN1", "SYN2")
    play(screen(*SYNTHETIC, *books, "record.max_streams=1"), acts)
    assert list((tmp_path / "out" / "SYN1").glob("*_snapshots_*.parquet"))
    assert list((tmp_path / "out" / "SYN2").glob("*_snapshots_*.parquet"))


def test_a_symbol_without_books_is_refused_in_words(tmp_path: Path) -> None:
    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await filled(pilot, app)
        await pilot.press("slash", *"syn4", "enter", "r")
        await until(pilot, lambda: "SYN4" in _view(app).refused)
        await pilot.pause(0.1)
        assert "no books of SYN4" in panel_text(app)

    play(screen(*SYNTHETIC, *_books(tmp_path, "SYN3")), acts)


def test_a_file_that_is_no_book_ends_the_screen_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "x.dbn").write_bytes(b"nonsense")

    async def acts(pilot: Pilot[None], app: ScanApp) -> None:
        await until(pilot, lambda: app.failure is not None)

    app = screen(*SYNTHETIC, "depth=replay", f"depth.path={tmp_path}/x.dbn")
    play(app, acts)
    assert app.failure is not None
    assert "x.dbn" in app.failure.line()
