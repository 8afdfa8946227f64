"""What the screen looks like, compared with a stored picture.

``pytest tests/integration/scan_screen/test_screen_picture.py --snapshot-update`` stores a new one;
look at the SVG in `__snapshots__` before it is committed.
"""

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.fakes.invented_book import invented_book
from tests.integration.scan_screen.screen_play import SIZE, SYNTHETIC, filled, screen, until
from tradingd.cli.scan_screen.app import ScanApp


def test_the_screen_looks_as_it_did(snap_compare: Any, tmp_path: Path) -> None:
    invented_book(tmp_path, "SYN3", rows=600)
    book = next(tmp_path.glob("*.parquet"))
    app = screen(
        *SYNTHETIC,
        "depth=replay",
        f"depth.path={book}",
        "depth.speed=0",
        "record.levels=2",
        "record.flush_seconds=300",
        f"store.level2={tmp_path}/out",
    )

    async def recorded(pilot: Pilot[None]) -> None:
        assert isinstance(pilot.app, ScanApp)
        await filled(pilot, pilot.app)
        await pilot.press("slash", *"syn3", "enter", "r", "slash", "ctrl+u", "enter")
        # The replay of books is over: every number stands still.
        await until(pilot, lambda: _over(pilot.app))
        pilot.app.clear_notifications()
        await pilot.press("slash", *"price>50", "enter")
        await pilot.pause(0.2)

    assert snap_compare(app, terminal_size=SIZE, run_before=recorded)


def _over(app: Any) -> bool:
    view = app.desk.view()
    # Both feeds have said so: nothing is drawn anew any more.
    return view is not None and view.events == 600 and len(app.desk.troubles) == 2
