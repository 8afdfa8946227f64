"""Folders that end with their block, or at the latest with the next one."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tradingd.kits.scratch import PREFIX, scratch


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_ends_with_its_block_even_if_that_fails(place: Path) -> None:
    def interrupted() -> None:
        with scratch("model") as folder:
            (folder / "file").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(place.iterdir()) == []


def test_folders_in_use_do_not_remove_each_other() -> None:
    with scratch("model") as first, scratch("model") as second:
        assert first.is_dir()
        assert second.is_dir()


HOLD = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from tradingd.kits.scratch import scratch
with scratch("model") as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_the_next_one_removes_what_a_killed_process_left_and_nothing_before(place: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(place)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        with scratch("model"):
            assert folder.is_dir()
        process.kill()
        process.wait()
    assert folder.is_dir()
    with scratch("other"):
        assert not folder.exists()


def test_neither_files_nor_links_of_that_name_are_touched(place: Path) -> None:
    (place / "precious").mkdir()
    (place / f"{PREFIX}link").symlink_to(place / "precious")
    (place / f"{PREFIX}file").write_text("x")
    with scratch("model"):
        pass
    assert len(list(place.iterdir())) == 3
