"""The screen as a process on a real terminal: however it ends, what was recorded is published."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.invented_book import invented_book
from tests.integration.scan_screen.screen_play import SYNTHETIC, WIDE
from tests.integration.scan_screen.screen_terminal import Terminal, terminal


def _words(folder: Path) -> list[str]:
    (folder / "in").mkdir()
    invented_book(folder / "in", "SYN3", rows=6_000)
    return [
        "screen",
        *WIDE,
        *SYNTHETIC,
        "depth=replay",
        f"depth.path={folder}/in",
        f"store.level2={folder}/out",
        "depth.speed=20",
        "record.levels=2",
        "record.symbols=[SYN3]",
        "record.flush_seconds=0.2",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "end",
    [
        lambda one: one.press("q"),
        lambda one: os.kill(one.pid, signal.SIGTERM),
        lambda one: os.kill(one.pid, signal.SIGINT),
        lambda one: one.hang_up(),
    ],
    ids=["q", "terminated", "interrupted", "terminal-closed"],
)
def test_however_the_screen_ends_what_was_recorded_is_published(
    tmp_path: Path, end: Callable[[Terminal], None]
) -> None:
    with terminal(_words(tmp_path)) as one:
        one.until("sound")
        one.resize(80, 24)
        one.until("SYN3")
        end(one)
        assert one.code() == 0
    assert list((tmp_path / "out" / "SYN3").glob("*_snapshots_*.parquet"))
    assert not list((tmp_path / "out").rglob("*parts*"))
