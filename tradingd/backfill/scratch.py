"""Folders for the downloads of a run; what a killed run left is removed by the next."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import Timeout

from tradingd.backfill.locks import held

FOLDER: Final = ".backfill"
"""Below the folder of order books."""


@contextmanager
def run_folder(root: Path, run: str) -> Iterator[Path]:
    """Yield a folder of this run, on the disk of the output; remove it at the end."""
    base = root / FOLDER
    base.mkdir(parents=True, exist_ok=True)
    with held(_lock_of(base / run)):
        _remove_stale(base)
        folder = base / run
        folder.mkdir(exist_ok=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_stale(base: Path) -> None:
    for folder in base.iterdir():
        if folder.is_dir():
            try:
                with held(_lock_of(folder), timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
            except Timeout:
                continue  # another run is at work


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.run.lock")
